"""The units of work that a worker process performs: one batch of samples, or the scoring of one job."""

from __future__ import annotations

import time
import traceback
from dataclasses import dataclass, field, replace
from typing import Literal

from benchmark.assembly import Scores, assemble, assemble_failure, prepare_baseline
from benchmark.errors import InvalidInputError, SubmissionFailedError
from benchmark.pipeline.attack import Attacked, learn, learns
from benchmark.pipeline.originals import Originals
from benchmark.pipeline.workshop import Assignment, Workshop
from benchmark.record import Record

__all__ = ["Assignment", "Result", "Task", "close", "initialise", "perform", "tasks_of"]


@dataclass(frozen=True)
class Task:
    """What to do, by number: group 0 is the originals, group n the plan's job n - 1."""

    kind: Literal["originals", "baseline", "learn", "batch", "score"]
    group: int
    batch: int = 0
    #: Of a `score` task whose job failed before: (status, reason), for the record.
    failure: tuple[str, str] | None = None

    def after(self, result: Result) -> Task:
        """This task, told that its job has failed."""
        return replace(self, failure=(result.status, result.reason or "no reason given"))


@dataclass(frozen=True)
class Result:
    """How a task ended; `record` from `score` tasks."""

    task: Task
    status: str = "ok"
    reason: str | None = None
    counts: dict[str, tuple[float, int]] = field(default_factory=dict)
    record: Record | None = None
    scores: Scores | None = None


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


_workshop: Workshop | None = None


def initialise(assignment: Assignment) -> None:
    """Make this process ready for the tasks of one assignment."""
    global _workshop
    close()
    _workshop = Workshop(assignment)


def close() -> None:
    """End what this process has started for its assignment."""
    if _workshop is not None:
        _workshop.close()


def perform(task: Task) -> Result:
    """Perform one task in an initialised process.

    A failing submission, or a fault of ours inside one job, is a result; what no job can survive (no data, full disk)
    is raised as InvalidInputError.
    """
    if _workshop is None:
        raise RuntimeError("perform() before initialise()")
    try:
        record, scores = _perform(_workshop, task)
        if record is not None and record.status != "ok":
            return Result(task, record.status, record.reason, _workshop.take_counts(), record)
        return Result(task, "ok", None, _workshop.take_counts(), record, scores)
    except SubmissionFailedError as failure:
        return Result(task, failure.status, failure.reason, _workshop.take_counts())
    except InvalidInputError:
        raise
    except Exception as error:  # a fault of ours must not take the other jobs down, and must be seen
        if task.group == 0:  # no job can do without the originals
            raise
        where = traceback.extract_tb(error.__traceback__)[-1]
        reason = f"internal error: {type(error).__name__}: {error} ({where.name}, line {where.lineno})"
        return Result(task, "failed", reason, _workshop.take_counts())


def _perform(workshop: Workshop, task: Task) -> tuple[Record | None, Scores | None]:
    if task.kind == "score":
        job = workshop.assignment.plan.jobs[task.group - 1]
        if task.failure is not None:
            return assemble_failure(workshop, job, *task.failure), None
        start = time.process_time()
        scored = assemble(workshop, job)
        workshop.count("score", time.process_time() - start, len(workshop.assignment.pairs))
        return scored
    if task.kind == "baseline":
        prepare_baseline(workshop)
    elif task.kind == "originals":
        originals = Originals(workshop, workshop.assignment.batches()[task.batch])
        originals.fingerprint  # noqa: B018 - computed and filed
        for recogniser in workshop.assignment.recognisers():
            originals.templates(recogniser)
    elif task.kind == "learn":
        learn(workshop, workshop.assignment.plan.jobs[task.group - 1])
    else:
        ids = workshop.assignment.batches()[task.batch]
        Attacked(workshop, workshop.assignment.plan.jobs[task.group - 1], ids).complete(task.batch)
    return None, None
