"""VeilBench: how well does a protection of face data hold against the strongest known attack, and what does it cost?"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmark.interfaces import Recogniser
    from benchmark.record import Record

__version__ = "0.1.0"
__all__ = ["load_recogniser", "run"]

# What these import is heavy, and the command line imports this package first.


def load_recogniser(id: str, *, data: Path | str | None = None) -> Recogniser:
    """A recogniser by id (`veilbench list recognisers`), its weights from `<data>/weights`, a cache or a hub.

    Raises InvalidInputError for an unknown id and for weights that are missing or have another digest.

    >>> load_recogniser("lbp").dimension
    3776
    """
    from benchmark import recognisers

    return recognisers.load_recogniser(id, data=None if data is None else Path(data))


def run(
    protocol: str | Path,
    *,
    protectors: Sequence[str] | None = None,
    attacks: Sequence[str] | None = None,
    recognisers: Sequence[str] | None = None,
    data: Path | str | None = None,
    workers: int | None = None,
    board: Path | str | None = None,
) -> list[Record]:
    """Run a protocol (a path or an id), or the part of it that the filters name; returns its records.

    Records are filed and their pages of the leaderboard are regenerated, in `board` or the default folder, except where
    `recognisers` chooses some: such records are partial. Finished work is reused from the store. Raises
    InvalidInputError for wrong input; a job that fails is a record whose status says so.
    """
    from benchmark import runner

    order = runner.order(protocol, protectors=protectors, attacks=attacks, recognisers=recognisers, data=data)
    return list(runner.execute(order, workers=workers, board=None if board is None else Path(board)).records)
