"""How a run tells that it is alive: a live bar on a terminal, plain lines elsewhere, stage timings at the end."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmark.engine import Run, Watcher
    from benchmark.plan import Plan
    from benchmark.tasks import Result


def watch(plan: Plan) -> Watcher:
    """The watcher that fits the output: a bar on a terminal, else a line per finished job."""
    return _Bar(plan) if sys.stderr.isatty() else _Lines(plan)


class _Lines:
    """One line per finished job, and one every half minute while nothing finishes."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._total = self._finished = 0
        self._start = self._said = time.monotonic()

    def begin(self, total: int) -> None:
        self._total = total
        print(f"{self._plan.protocol.id}: {len(self._plan.jobs)} jobs, {total} tasks", file=sys.stderr, flush=True)

    def done(self, result: Result) -> None:
        task = result.task
        self._finished += 1
        now = time.monotonic()
        if task.kind == "score" or now - self._said > 30:
            self._said = now
            name = self._plan.jobs[task.group - 1].name if task.group else "originals"
            reason = f": {result.reason}" if result.reason else ""
            said = f"{result.status}{reason}" if task.kind == "score" else f"task {self._finished} of {self._total}"
            print(f"[{now - self._start:6.0f} s] {name}: {said}", file=sys.stderr, flush=True)

    def close(self) -> None:
        """Nothing to put away."""


class _Bar:
    """A live bar with the job in hand and the time that is left."""

    def __init__(self, plan: Plan) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        self._plan = plan
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        self._bar = self._progress.add_task(plan.protocol.id)

    def begin(self, total: int) -> None:
        self._progress.update(self._bar, total=total)
        self._progress.start()

    def done(self, result: Result) -> None:
        task = result.task
        name = self._plan.jobs[task.group - 1].name if task.group else "originals"
        self._progress.update(self._bar, advance=1, description=name)
        if result.status != "ok":
            self._progress.console.print(f"{name}: {result.status}: {result.reason}")

    def close(self) -> None:
        self._progress.stop()


def timings(run: Run) -> str:
    """CPU seconds and samples of each stage, and how well the workers were used, as a text table."""
    from tabulate import tabulate

    rows = [
        [stage, f"{seconds:.1f}", int(samples), f"{1000 * seconds / samples:.2f}" if samples else "-"]
        for stage, (seconds, samples) in sorted(run.stages.items(), key=lambda item: -item[1][0])
    ]
    busy = sum(seconds for seconds, _ in run.stages.values())
    if run.stages.keys() <= {"score"}:
        took = f"{busy:.1f} s CPU for these, {run.wall:.1f} s wall with {run.workers} workers"
        return f"everything but the scores came from the store ({took})"
    table = tabulate(rows, headers=["stage", "CPU s", "samples or pairs", "ms each"], colalign=("left", *["right"] * 3))
    return f"{table}\n{busy:.1f} s CPU in stages, {run.wall:.1f} s wall with {run.workers} workers"
