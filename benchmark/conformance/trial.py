"""What the conformance checks share: samples, keys, comparison of batches, and how a check speaks."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from benchmark.datasets import open_dataset
from benchmark.digest import digest
from benchmark.interfaces import Protected, Samples, Templates
from benchmark.returned import Outcome
from benchmark.sandbox import SubmissionProcess

#: Samples that a submission is tried on.
COUNT = 6
#: Dimension of the templates that template-domain submissions are tried on.
_DIMENSION = 512


class Unmet(Exception):  # noqa: N818 - a finding, not an error of this program
    """A check failed; the message says what was expected and what was seen."""


class Skipped(Exception):  # noqa: N818 - a finding, not an error of this program
    """A check does not apply; the message says why."""


class Check(NamedTuple):
    """A named check: returns what to say when it passes, raises Unmet or Skipped."""

    name: str
    perform: Callable[[], str | None]
    vital: bool = False


@cache
def samples(count: int = COUNT) -> Samples:
    """Drawn faces of as many subjects (uint8, N x 112 x 112 x 3)."""
    loaded = open_dataset("synthetic", {}, None).load([f"s{number:04d}/0" for number in range(count)])
    return loaded.samples


def templates(count: int = COUNT) -> Templates:
    """Random templates of length 1 (float32, N x 512)."""
    values = np.random.default_rng(7).normal(size=(count, _DIMENSION))
    unit: Templates = (values / np.linalg.norm(values, axis=1, keepdims=True)).astype(np.float32)
    return unit


def keys(name: str, count: int = COUNT) -> list[bytes]:
    """As many different 32-byte keys."""
    return [bytes.fromhex(digest("conformance key", name, number)) for number in range(count)]


def same(a: Any, b: Any) -> bool:
    """Whether two batches or outcomes are equal, bit by bit."""
    if isinstance(a, Outcome) and isinstance(b, Outcome):
        return same(a.values, b.values) and same(a.failed, b.failed)
    if isinstance(a, np.ndarray) and isinstance(b, np.ndarray):
        return a.dtype == b.dtype and np.array_equal(a, b)
    return type(a) is type(b) and bool(a == b)


def take(batch: Protected, number: int) -> Protected:
    """The batch of one item."""
    return batch[number : number + 1]


def joined(parts: list[Any]) -> Any:
    """Batches or outcomes as one."""
    if isinstance(parts[0], Outcome):
        return Outcome(np.concatenate([part.values for part in parts]), np.concatenate([part.failed for part in parts]))
    return np.concatenate(parts) if isinstance(parts[0], np.ndarray) else [item for part in parts for item in part]


def unchanged(process: SubmissionProcess, call: str) -> None:
    """Raise Unmet where the last call changed its arguments."""
    if process.changed:
        raise Unmet(f"{call}() changed its input {', '.join(process.changed)} in place; work on a copy")
