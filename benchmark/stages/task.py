"""The unit of work, and how it ended: plain data that cross between processes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

from benchmark.filing import Table
from benchmark.record import Record


@dataclass(frozen=True)
class Task:
    """What to do, by number: group 0 is the originals, group n the plan's job n - 1."""

    kind: Literal["originals", "baseline", "learn", "batch", "view", "score"]
    group: int
    #: Of `originals` and `batch` the batch of samples; elsewhere the recogniser, where there is a task for each.
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
    scores: Table | None = None
