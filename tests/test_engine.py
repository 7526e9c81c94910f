"""The order of tasks, and what a failing task or a dying worker process does to it."""

from __future__ import annotations

from concurrent.futures import Future
from types import SimpleNamespace
from typing import Any

import pytest

from benchmark import engine
from benchmark.engine import _Queue
from benchmark.tasks import Result, Task


@pytest.fixture
def queue(monkeypatch: pytest.MonkeyPatch) -> _Queue:
    """Originals of two batches, then two jobs of two batches each."""
    groups = [[[Task("originals", 0, 0), Task("originals", 0, 1)], [Task("baseline", 0)]]]
    groups += [[[Task("batch", n, 0), Task("batch", n, 1)], [Task("score", n)]] for n in (1, 2)]
    monkeypatch.setattr(engine, "tasks_of", lambda _: groups)
    return _Queue(None)  # type: ignore[arg-type]  # only tasks_of() looks at it


def take(queue: _Queue) -> Task:
    task = queue.next()
    assert task is not None
    return task


def drain(queue: _Queue) -> list[Task]:
    done = []
    while (task := queue.next()) is not None:
        queue.finish(task, Result(task))
        done.append(task)
    return done


def test_originals_and_baseline_come_before_every_job(queue: _Queue) -> None:
    first, second = take(queue), take(queue)
    assert queue.next() is None
    queue.finish(first, Result(first))
    assert queue.next() is None
    queue.finish(second, Result(second))
    assert take(queue) == Task("baseline", 0)
    assert queue.next() is None


def test_jobs_overlap_but_each_is_scored_after_its_batches(queue: _Queue) -> None:
    for _ in range(2):
        task = take(queue)
        queue.finish(task, Result(task))
    queue.finish(take(queue), Result(Task("baseline", 0)))
    held = [take(queue) for _ in range(4)]
    assert [(task.kind, task.group) for task in held] == [("batch", 1)] * 2 + [("batch", 2)] * 2
    assert queue.next() is None
    queue.finish(held[3], Result(held[3]))
    queue.finish(held[2], Result(held[2]))
    assert take(queue) == Task("score", 2)
    assert queue.unfinished


def test_while_one_rehearses_the_others_begin_with_attacks_that_are_in_use(monkeypatch: pytest.MonkeyPatch) -> None:
    attacks = ["decode", "conceal", "decode", "erase"]
    jobs = [SimpleNamespace(attack=SimpleNamespace(name=name)) for name in attacks]
    groups = [[[Task("originals", 0, 0)]], *([[Task("batch", n, 0)]] for n in range(1, 5))]
    monkeypatch.setattr(engine, "tasks_of", lambda _: groups)
    queue = _Queue(SimpleNamespace(plan=SimpleNamespace(jobs=jobs)))  # type: ignore[arg-type]
    queue.rehearsal = Future()
    first = take(queue)
    assert (first.kind, queue.next()) == ("originals", None)
    queue.finish(first, Result(first))
    assert [take(queue).group for _ in range(2)] == [1, 3]  # what needs no other attack
    assert take(queue).group == 2  # nothing else is left
    queue.rehearsal.set_result(None)
    assert take(queue).group == 4
    assert queue.next() is None


def test_a_failed_batch_drops_the_rest_of_its_job_but_not_its_record(queue: _Queue) -> None:
    for _ in range(3):
        task = take(queue)
        queue.finish(task, Result(task))
    failing = take(queue)
    queue.finish(failing, Result(failing, "timeout", "too slow"))
    rest = drain(queue)
    assert Task("score", 1, failure=("timeout", "too slow")) in rest
    assert Task("batch", 1, 1) not in rest
    assert Task("score", 2) in rest
    assert not queue.unfinished


def test_a_task_in_hand_at_two_deaths_is_given_up_and_others_go_on(queue: _Queue) -> None:
    done = drain(queue)
    assert len(done) == queue.total
    task = Task("batch", 1, 0)
    futures: list[Future[Any]] = [Future(), Future()]
    queue.running[futures[0]] = task
    assert queue.requeue_running() == []
    assert list(queue.ready) == [task]
    queue.running[futures[1]] = queue.ready.popleft()
    assert queue.requeue_running() == [task]
