"""Alignment on several cores: processes of one thread each, which read and compute; only their parent writes."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from pathlib import Path

import cv2

from benchmark.alignment.align import Aligned, Kind, align
from benchmark.alignment.detector import Detector, load_detector
from benchmark.errors import InvalidInputError

#: Photographs of one task: as many as the detector takes in one pass.
_TASK = 16

_detector: Detector | None = None


def aligned(
    paths: Sequence[Path], *, data: Path | None, kind: Kind, workers: int
) -> Iterator[list[tuple[Path, Aligned]]]:
    """The photographs with what became of them, in order, some at a time; `workers` processes, none for 1.

    Raises InvalidInputError where the detector's weights are missing or wrong, and where a worker dies.
    """
    tasks = [list(paths[start : start + _TASK]) for start in range(0, len(paths), _TASK)]
    if not tasks:
        return
    detector = load_detector(data)  # here too: missing weights are found before anything is started
    if workers == 1 or len(tasks) == 1:
        for task in tasks:
            yield list(zip(task, align(task, detector, kind=kind), strict=True))
        return
    pool = ProcessPoolExecutor(
        min(workers, len(tasks)), multiprocessing.get_context("spawn"), initializer=_start, initargs=(data,)
    )
    try:
        for task, done in zip(tasks, pool.map(partial(_work, kind=kind), tasks), strict=True):
            yield list(zip(task, done, strict=True))
    except BrokenProcessPool:
        raise InvalidInputError(
            "a worker died, perhaps for want of memory; what was finished is kept: run again with fewer --workers"
        ) from None
    finally:
        pool.shutdown(cancel_futures=True)


def _start(data: Path | None) -> None:
    global _detector
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends the workers
    threading.Thread(target=_end_with_parent, daemon=True).start()
    cv2.setNumThreads(1)  # the cores are shared out among processes already
    _detector = load_detector(data)


def _end_with_parent() -> None:
    """A parent that is killed cannot end its workers, and they would wait for it for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _work(task: list[Path], kind: Kind) -> list[Aligned]:
    assert _detector is not None
    return align(task, _detector, kind=kind)
