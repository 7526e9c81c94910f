"""Protocols of key scenarios: originals and a baseline a recogniser; then for each job learn, batches, views, score.

Scoring takes long (thirty million comparisons a scenario), so each recogniser's is a task of its own, filed when done.
"""

from __future__ import annotations

import time

from benchmark.all_pairs.assembly import assemble
from benchmark.all_pairs.measured import measured, unprotected
from benchmark.filing import Table
from benchmark.pipeline.all_pairs import JobBatch, views_in
from benchmark.pipeline.attack import learn, learns
from benchmark.pipeline.attacked_templates import learn_templates, takes_templates
from benchmark.pipeline.workshop import Assignment, Workshop
from benchmark.record import Record
from benchmark.stages.pairs import prepare_originals
from benchmark.stages.task import Task


def tasks_of(assignment: Assignment) -> list[list[list[Task]]]:
    """Groups of steps of tasks."""
    batches = range(len(assignment.batches()))
    baselines = [Task("baseline", 0, number) for number in range(len(assignment.recognisers()))]
    groups = [[[Task("originals", 0, batch) for batch in batches], baselines]]
    for number, job in enumerate(assignment.plan.jobs, start=1):
        views = range(len(views_in(job)))
        steps = [
            [Task("batch", number, batch) for batch in batches],
            [Task("view", number, view) for view in views],
            [Task("score", number)],
        ]
        if learns(job):
            steps.insert(0, [Task("learn", number, view) for view in (views if takes_templates(job) else (0,))])
        groups.append(steps)
    return groups


def perform(workshop: Workshop, task: Task) -> tuple[Record, Table] | None:
    """Perform one task; a record, and the counts behind it, come of `score`."""
    start = time.process_time()
    if task.kind == "originals":
        prepare_originals(workshop, task.batch)
        return None
    if task.kind == "baseline":
        unprotected(workshop, workshop.assignment.recognisers()[task.batch])
        workshop.count("score", time.process_time() - start, len(workshop.assignment.compared))
        return None
    job = workshop.assignment.plan.jobs[task.group - 1]
    if task.kind == "learn":
        if takes_templates(job):
            learn_templates(workshop, job, views_in(job)[task.batch])
        else:
            learn(workshop, job)
    elif task.kind == "batch":
        JobBatch(workshop, job, task.batch).complete()
    elif task.kind == "view":
        measured(workshop, job, views_in(job)[task.batch])
        workshop.count("score", time.process_time() - start, len(workshop.assignment.compared))
    else:
        return assemble(workshop, job)
    return None
