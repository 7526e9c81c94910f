"""A recogniser of the tests beside those of the package, and runs in this process, where it is known."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest

from benchmark import engine, estimate, locations, protocol, recognisers, runner, tasks
from benchmark.digest import digest
from benchmark.interfaces import Recogniser, Samples, Templates
from benchmark.pipeline import workshop
from benchmark.recognisers.cosine import cosine, cosine_all


class Thumbnail(Recogniser):
    """Grey levels of a 14 x 14 thumbnail less their mean, compared by cosine."""

    id = "thumbnail"
    dimension = 196
    digest = digest("recogniser", "thumbnail")
    weights = MappingProxyType[str, str]({})
    compare = staticmethod(cosine)
    compare_all = staticmethod(cosine_all)

    def embed(self, samples: Samples) -> Templates:
        grey = samples.mean(axis=3).reshape(len(samples), 14, 8, 14, 8).mean(axis=(2, 4)).reshape(len(samples), 196)
        return (grey - grey.mean(axis=1, keepdims=True)).astype(np.float32)


class Here(Executor):
    """Performs each task at once, in this process."""

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        done: Future[Any] = Future()
        try:
            done.set_result(fn(*args, **kwargs))
        except Exception as error:
            done.set_exception(error)
        return done


@contextmanager
def here(assignment: tasks.Assignment, workers: int) -> Iterator[Executor]:
    del workers
    tasks.initialise(assignment)
    try:
        yield Here()
    finally:
        tasks.close()


@pytest.fixture
def thumbnail(monkeypatch: pytest.MonkeyPatch) -> Thumbnail:
    """The recogniser `thumbnail`, known to everything that runs in this process; runs do."""
    own = Thumbnail()
    load, digest_of = recognisers.load_recogniser, recognisers.recogniser_digest

    def loaded(name: str, *, data: Path | None = None) -> Recogniser:
        return own if name == own.id else load(name, data=data)

    def named(name: str, *, data: Path | None = None) -> str:
        return own.digest if name == own.id else digest_of(name, data=data)

    for module in (workshop, estimate):
        monkeypatch.setattr(module, "load_recogniser", loaded)
    for module in (workshop, runner):
        monkeypatch.setattr(module, "recogniser_digest", named)
    for module in (protocol, runner):
        monkeypatch.setattr(module, "recogniser_ids", lambda data=None: (*recognisers.recogniser_ids(), own.id))
    monkeypatch.setattr(engine, "_pool", here)
    # Only what the tests write: looking through the checkout's protocols takes seconds each time.
    monkeypatch.setattr(locations, "protocol_folders", lambda: [Path.cwd() / "protocols"])
    monkeypatch.setattr(locations, "submission_folders", lambda: [Path.cwd() / "submissions"])
    return own
