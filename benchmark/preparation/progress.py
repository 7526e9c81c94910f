"""How a preparation tells that it is alive: a bar on a terminal, a plain line every half minute elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol


class Counter(Protocol):
    """Called with the number of photographs that were just finished."""

    def __call__(self, finished: int) -> None: ...


@contextmanager
def progress(total: int, *, shown: bool = True) -> Iterator[Counter]:
    """Count up to `total` on the standard error."""
    if not shown or not total:
        yield lambda finished: None
    elif sys.stderr.isatty():
        with _bar(total) as count:
            yield count
    else:
        yield _Lines(total)


@contextmanager
def _bar(total: int) -> Iterator[Counter]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = TextColumn("aligning"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("aligning", total=total)
        yield lambda finished: bar.update(task, advance=finished)


class _Lines:
    def __init__(self, total: int) -> None:
        self._total, self._finished = total, 0
        self._start = self._said = time.monotonic()
        print(f"aligning {total} photographs", file=sys.stderr, flush=True)

    def __call__(self, finished: int) -> None:
        self._finished += finished
        now = time.monotonic()
        if now - self._said > 30:
            self._said = now
            rate = self._finished / (now - self._start)
            left = (self._total - self._finished) / rate
            print(
                f"[{now - self._start:6.0f} s] {self._finished} of {self._total} photographs, {rate:.0f} a second, "
                f"{left:.0f} s left",
                file=sys.stderr,
                flush=True,
            )
