"""The units of work that a worker process performs: one batch of samples, or the scoring of one job."""

from __future__ import annotations

import traceback
from typing import Protocol

from benchmark.assembly import assemble_failure
from benchmark.errors import InvalidInputError, SubmissionFailedError
from benchmark.filing import Table
from benchmark.pipeline.workshop import Assignment, Workshop
from benchmark.record import Record
from benchmark.stages import all_pairs, pairs
from benchmark.stages.task import Result, Task

__all__ = ["Assignment", "Result", "Task", "close", "initialise", "perform", "rehearse", "tasks_of"]


class Stages(Protocol):
    """A module of `benchmark.stages`."""

    def tasks_of(self, assignment: Assignment) -> list[list[list[Task]]]: ...

    def perform(self, workshop: Workshop, task: Task) -> tuple[Record, Table] | None: ...


def tasks_of(assignment: Assignment) -> list[list[list[Task]]]:
    """Groups of steps of tasks: the originals first, then each job; the last task of a job writes its record."""
    return _stages(assignment).tasks_of(assignment)


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


def rehearse() -> None:
    """Call each submission of the plan once, in an initialised process, so that others find compiled what it compiles.

    A protocol of key scenarios has nothing to rehearse: its submissions compile little, and load it from each other.
    """
    if _workshop is not None and not _workshop.assignment.plan.protocol.all_pairs:
        pairs.rehearse(_workshop)


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


def _perform(workshop: Workshop, task: Task) -> tuple[Record | None, Table | None]:
    if task.failure is not None:
        return assemble_failure(workshop, workshop.assignment.plan.jobs[task.group - 1], *task.failure), None
    return _stages(workshop.assignment).perform(workshop, task) or (None, None)


def _stages(assignment: Assignment) -> Stages:
    """What a run consists of: decided once, by the kind of the protocol."""
    return all_pairs if assignment.plan.protocol.all_pairs else pairs
