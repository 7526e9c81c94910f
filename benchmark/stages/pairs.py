"""Protocols of a pair list: originals and baseline; then for each job learn, batches, score."""

from __future__ import annotations

import time
from contextlib import suppress

from benchmark.assembly import assemble, prepare_baseline
from benchmark.errors import SubmissionFailedError
from benchmark.filing import Table
from benchmark.pipeline.attack import Attacked, learn, learns
from benchmark.pipeline.originals import Originals
from benchmark.pipeline.workshop import Assignment, Workshop
from benchmark.record import Record
from benchmark.stages.task import Task


def tasks_of(assignment: Assignment) -> list[list[list[Task]]]:
    """Groups of steps of tasks: the originals first, then each job: learn, batches, score."""
    batches = range(len(assignment.batches()))
    groups = [[[Task("originals", 0, batch) for batch in batches], [Task("baseline", 0)]]]
    for number, job in enumerate(assignment.plan.jobs, start=1):
        steps = [[Task("batch", number, batch) for batch in batches], [Task("score", number)]]
        if learns(job):
            steps.insert(0, [Task("learn", number)])
        groups.append(steps)
    return groups


def perform(workshop: Workshop, task: Task) -> tuple[Record, Table] | None:
    """Perform one task; a record, and the scores behind it, come of `score`."""
    if task.kind == "baseline":
        prepare_baseline(workshop)
    elif task.kind == "originals":
        prepare_originals(workshop, task.batch)
    elif task.kind == "learn":
        learn(workshop, workshop.assignment.plan.jobs[task.group - 1])
    elif task.kind == "score":
        start = time.process_time()
        scored = assemble(workshop, workshop.assignment.plan.jobs[task.group - 1])
        workshop.count("score", time.process_time() - start, len(workshop.assignment.pairs))
        return scored
    else:
        ids = workshop.assignment.batches()[task.batch]
        Attacked(workshop, workshop.assignment.plan.jobs[task.group - 1], ids).complete(task.batch)
    return None


def prepare_originals(workshop: Workshop, batch: int) -> None:
    """Read one batch of samples, and let every recogniser see it that sees a job."""
    originals = Originals(workshop, workshop.assignment.batches()[batch])
    originals.fingerprint  # noqa: B018 - computed and filed
    for recogniser in workshop.assignment.recognisers():
        originals.templates(recogniser)


def rehearse(workshop: Workshop) -> None:
    """Let each attack meet each protector once, on one sample: what they compile is then there for every process.

    Of what fails here the tasks will say why. Attacks that learn are left to them: nothing is learned from one sample.
    """
    originals = Originals(workshop, workshop.assignment.ids[:1])
    met: set[tuple[str, str]] = set()
    for job in workshop.assignment.plan.jobs if originals.present.any() else ():
        pair = job.protector.submission.manifest.id, job.attack.submission.manifest.id
        if pair not in met and not learns(job):
            met.add(pair)
            with suppress(SubmissionFailedError):
                Attacked(workshop, job, originals.ids).artefact()
