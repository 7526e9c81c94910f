"""Runs a plan's tasks in worker processes, or on a Dask cluster, and keeps going when one fails.

A job is one task per batch of samples, then one that scores it. Finished batches lie in the store, so an interrupted or
killed run loses at most the batch that each worker had in hand.
"""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Protocol

from benchmark.errors import InvalidInputError
from benchmark.tasks import Assignment, Result, Task, close, initialise, perform, rehearse, tasks_of

#: A task that was in hand each time a worker process died is given up after this many deaths.
DEATHS = 2
#: Of `mallopt` (malloc.h): how much memory may lie outside of the heap, and how much of its end may be free.
_M_MMAP_MAX, _M_TRIM_THRESHOLD = -4, -1


class Watcher(Protocol):
    """Who is told how a run goes (a progress bar, plain lines, a test)."""

    def begin(self, total: int) -> None: ...

    def done(self, result: Result) -> None: ...

    def close(self) -> None: ...


@dataclass
class Run:
    """What came of a plan: one result per scored or failed job, and where the time went."""

    results: list[Result] = field(default_factory=list)
    #: {stage: [CPU seconds, samples]}
    stages: dict[str, list[float]] = field(default_factory=lambda: defaultdict(lambda: [0.0, 0.0]))
    wall: float = 0.0
    workers: int = 1

    @property
    def failed(self) -> list[Result]:
        return [result for result in self.results if result.status != "ok"]


def run_tasks(
    assignment: Assignment, watcher: Watcher, *, workers: int | None = None, scheduler: str | None = None
) -> Run:
    """Perform every task of an assignment; failures end up in their job's record and the other jobs go on.

    `workers`: local processes (default: the cores); `scheduler`: a Dask scheduler's address instead (the store must be
    on a file system that all workers share). Raises InvalidInputError where input or disk makes going on pointless.
    """
    count = workers or os.cpu_count() or 1
    run, start = Run(workers=count), time.perf_counter()
    queue = _Queue(assignment)
    watcher.begin(queue.total)
    opener: Callable[[], Any] = (
        (lambda: _cluster(assignment, scheduler)) if scheduler else (lambda: _pool(assignment, count))
    )
    while queue.unfinished:
        with opener() as executor:
            try:
                if queue.rehearsal is None and count > 1 and not scheduler:  # a cluster's machines share no cache
                    queue.rehearsal = executor.submit(rehearse)
                _work(executor, queue, run, watcher, ahead=4 * count if scheduler else count + 1)
            except BrokenProcessPool:
                for task in queue.requeue_running():
                    lost = Result(task, "failed", f"a worker process died {DEATHS} times over it (out of memory?)")
                    _finish(task, lost, queue, run, watcher)
    run.wall = time.perf_counter() - start
    return run


@dataclass
class _Group:
    """One job's steps; the tasks of a step may run side by side, the last step writes the record."""

    steps: deque[list[Task]]
    open: int = 0
    failure: Result | None = None


class _Queue:
    """Which tasks are ready, running and waiting for others; pure bookkeeping.

    While one worker rehearses, which compiles what the submissions need, the others begin with jobs whose attack is in
    use already: whoever met a new one would compile the same at the same time.
    """

    def __init__(self, assignment: Assignment) -> None:
        #: The rehearsal, once it has begun.
        self.rehearsal: Future[None] | None = None
        self._assignment = assignment
        self._groups = [_Group(deque(steps)) for steps in tasks_of(assignment)]
        self.total = sum(len(step) for group in self._groups for step in group.steps)
        self.ready: deque[Task] = deque()
        self.running: dict[Future[Result], Task] = {}
        self._deaths: dict[Task, int] = defaultdict(int)
        self._waiting = list(range(len(self._groups)))
        self._attacks: set[str] = set()

    @property
    def unfinished(self) -> bool:
        return bool(self._waiting) or any(group.open for group in self._groups)

    def next(self) -> Task | None:
        """A task that may run now; jobs overlap, so that no worker idles while one is being scored."""
        while not self.ready and self._waiting:
            if self._waiting[0] and self._groups[0].open:  # every job needs the originals first
                return None
            number = self._next_group()
            self._waiting.remove(number)
            self._advance(self._groups[number])
        return self.ready.popleft() if self.ready else None

    def finish(self, task: Task, result: Result) -> None:
        """Take a task off, drop the rest of its job where it failed, and make ready what waited for it."""
        group = self._groups[task.group]
        group.open -= 1
        if result.status != "ok" and group.failure is None:
            group.failure = result
            dropped = [other for other in self.ready if other.group == task.group]
            self.ready = deque(other for other in self.ready if other.group != task.group)
            group.open -= len(dropped)
            while len(group.steps) > 1:
                group.steps.popleft()
        if group.open == 0:
            self._advance(group)

    def requeue_running(self) -> list[Task]:
        """Put the tasks in hand back, but for those that were in hand at too many deaths: these are returned."""
        given_up = []
        for task in self.running.values():
            self._deaths[task] += 1
            if self._deaths[task] >= DEATHS:
                given_up.append(task)
            else:
                self.ready.appendleft(task)
        self.running.clear()
        return given_up

    def _next_group(self) -> int:
        """The next in order; during a rehearsal the next with an attack that has been begun, if there is one."""
        if not self._waiting[0] or self.rehearsal is None or self.rehearsal.done():
            return self._waiting[0]
        attacks = {number: self._assignment.plan.jobs[number - 1].attack.name for number in self._waiting}
        number = next((number for number in self._waiting if attacks[number] in self._attacks), self._waiting[0])
        self._attacks.add(attacks[number])
        return number

    def _advance(self, group: _Group) -> None:
        if group.steps:
            step = group.steps.popleft()
            if group.failure is not None:
                step = [task.after(group.failure) for task in step]
            group.open = len(step)
            self.ready.extend(step)


def _finish(task: Task, result: Result, queue: _Queue, run: Run, watcher: Watcher) -> None:
    for stage, (seconds, samples) in result.counts.items():
        run.stages[stage][0] += seconds
        run.stages[stage][1] += samples
    if task.kind == "score" and result.status != "ok" and task.failure is None:
        queue.ready.appendleft(task.after(result))  # once more, only to write down why
        return
    if task.kind == "score":
        run.results.append(result)
    watcher.done(result)
    queue.finish(task, result)


def _work(executor: Executor, queue: _Queue, run: Run, watcher: Watcher, *, ahead: int) -> None:
    while True:
        while len(queue.running) < ahead and (task := queue.next()) is not None:
            try:
                queue.running[executor.submit(perform, task)] = task
            except BrokenProcessPool:
                queue.ready.appendleft(task)
                raise
        if not queue.running:
            return
        done, _ = wait(queue.running, return_when=FIRST_COMPLETED)
        for future in done:
            result = future.result()
            _finish(queue.running.pop(future), result, queue, run, watcher)


@contextmanager
def _pool(assignment: Assignment, workers: int) -> Iterator[Executor]:
    context = multiprocessing.get_context("spawn")
    others = set(multiprocessing.active_children())
    executor = ProcessPoolExecutor(workers, context, initializer=_start_worker, initargs=(assignment, os.getpid()))
    try:
        yield executor
    except BaseException:  # nobody wants what the workers have in hand; and a second Ctrl-C while waiting would hang
        for worker in set(multiprocessing.active_children()) - others:
            worker.terminate()
        raise
    finally:
        executor.shutdown(wait=True, cancel_futures=True)


def _start_worker(assignment: Assignment, parent: int) -> None:
    """In a new worker process: let the parent handle Ctrl-C, and end in order when told, or when the parent is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: _leave())

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
    _keep_freed_memory()
    initialise(assignment)


def _keep_freed_memory() -> None:
    """Use memory again instead of handing it back: the system clears each page that it gives anew.

    Score sets of a hundred megabytes come and go, and a tenth of the time of scoring went into that.
    """
    with suppress(AttributeError):  # only the GNU C library can be told so
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_M_MMAP_MAX, 0)
        mallopt(_M_TRIM_THRESHOLD, -1)


def _leave() -> None:
    """End this worker process at once, but not without its submissions' processes and folders."""
    signal.alarm(5)  # should that get stuck
    try:
        close()
    finally:
        os._exit(1)  # the pool would take SystemExit for the result of a task


@contextmanager
def _cluster(assignment: Assignment, address: str) -> Iterator[Executor]:
    try:
        from distributed import Client, WorkerPlugin
    except ImportError as error:
        raise InvalidInputError("--scheduler needs the extra `cluster`: pip install 'veilbench[cluster]'") from error

    class Setup(WorkerPlugin):
        def setup(self, worker: Any) -> None:
            initialise(assignment)

    try:
        client: Any = Client(address, timeout=10)  # type: ignore[no-untyped-call]  # distributed is partly typed
    except OSError as error:
        raise InvalidInputError(f"no Dask scheduler answers at {address}: {error}") from error
    with client:
        client.register_plugin(Setup(), name="veilbench-assignment")
        yield client.get_executor()
