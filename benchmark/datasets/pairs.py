"""Exact splits: which two samples are compared, pair by pair, in a CSV file of the rows `fold,genuine,a,b`."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from benchmark.errors import InvalidInputError

HEADER = ["fold", "genuine", "a", "b"]


class Row(NamedTuple):
    """One comparison: fold (1 or more), whether both samples show one person, and the two sample ids."""

    fold: int
    genuine: bool
    a: str
    b: str


@dataclass(frozen=True)
class Pairs:
    """P comparisons over the N samples that they name."""

    #: int64, P: positions in `ids`.
    a_index: npt.NDArray[np.int64]
    #: int64, P: positions in `ids`.
    b_index: npt.NDArray[np.int64]
    #: bool, P: both samples show one person.
    genuine: npt.NDArray[np.bool_]
    #: int64, P: 1 or more.
    fold: npt.NDArray[np.int64]
    #: N sample ids, in the order of first appearance (a before b).
    ids: tuple[str, ...]
    #: N subjects: the folder part of each id.
    subjects: tuple[str, ...]
    #: SHA-256 of the file's bytes.
    digest: str

    def __len__(self) -> int:
        return len(self.genuine)


def read_pairs(path: Path) -> Pairs:
    """Read a split file; raises InvalidInputError with file and row for anything malformed.

    The `genuine` column must agree with the subjects (the folder part of the ids): a slip there would silently move a
    comparison to the other side of every metric.
    """
    try:
        data = path.read_bytes()
        text = data.decode("utf-8")
    except FileNotFoundError:
        raise InvalidInputError(f"no split file {path}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInputError(f"{path}: cannot be read as UTF-8 text: {error}") from None
    rows = list(_checked(csv.reader(io.StringIO(text, newline="")), path))
    if not rows:
        raise InvalidInputError(f"{path}: holds no pairs")
    return _index(rows, hashlib.sha256(data).hexdigest())


def write_pairs(path: Path, rows: Iterable[Row]) -> None:
    """Write rows as a split file (UTF-8, \\n); the inverse of `read_pairs`."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(HEADER)
    writer.writerows([row.fold, int(row.genuine), row.a, row.b] for row in rows)
    path.write_bytes(text.getvalue().encode())


def read_lfw_pairs_txt(path: Path) -> list[Row]:
    """LFW's own list: first line folds and pairs per fold, then per fold its genuine, then its impostor pairs.

    Rows come back ordered by position within the fold first: pair 0 of fold 1 genuine and impostor, of fold 2, ...,
    then pair 1. So every prefix is balanced: the first 2 x 10 x n rows are the first n genuine and n impostor pairs
    of each of the 10 folds. Raises InvalidInputError with file and line for anything malformed.
    """
    try:
        lines = [line.split() for line in path.read_text("utf-8").splitlines()]
        folds, per_fold = (int(number) for number in lines[0])
    except (OSError, ValueError, IndexError):
        raise InvalidInputError(f"{path}:1: expected LFW's pairs.txt, which starts with '10<TAB>300'") from None
    if len(lines) != 1 + folds * 2 * per_fold:
        raise InvalidInputError(f"{path}: {len(lines)} lines, where {1 + folds * 2 * per_fold} were announced")
    return [
        _lfw_row(path, line := 1 + (fold * 2 + kind) * per_fold + position, lines[line], fold + 1, genuine=kind == 0)
        for position in range(per_fold)
        for fold in range(folds)
        for kind in (0, 1)
    ]


def _lfw_row(path: Path, line: int, words: list[str], fold: int, *, genuine: bool) -> Row:
    try:
        name_a, number_a, name_b, number_b = (words[0], words[1], words[0], words[2]) if genuine else words
        if len(words) != (3 if genuine else 4):
            raise ValueError
        return Row(fold, genuine, _lfw_id(name_a, int(number_a)), _lfw_id(name_b, int(number_b)))
    except (ValueError, IndexError):
        expected = "name number number" if genuine else "name number name number"
        raise InvalidInputError(f"{path}:{line + 1}: expected {expected!r}, got {' '.join(words)!r}") from None


def _lfw_id(name: str, number: int) -> str:
    return f"{name}/{name}_{number:04d}"


def _checked(reader: Iterator[list[str]], path: Path) -> Iterator[Row]:
    try:
        for number, cells in enumerate(reader, start=1):
            if number == 1:
                if cells != HEADER:
                    raise ValueError(f"expected the header {','.join(HEADER)!r}")
                continue
            yield _row(cells)
    except (ValueError, csv.Error) as fault:
        raise InvalidInputError(f"{path}:{number}: {fault}") from None


def _row(cells: list[str]) -> Row:
    if len(cells) != len(HEADER):
        raise ValueError(f"expected {len(HEADER)} columns ({','.join(HEADER)}), found {len(cells)}")
    fold, genuine, a, b = cells
    if not (fold.isascii() and fold.isdecimal() and len(fold) < 10 and int(fold) >= 1):
        raise ValueError(f"fold {fold[:20]!r} is not a number from 1 on (of 9 digits at most)")
    if genuine not in ("0", "1"):
        raise ValueError(f"genuine {genuine!r} is neither 1 nor 0")
    for sample_id in (a, b):
        if not all(sample_id.rpartition("/")):
            raise ValueError(f"sample id {sample_id!r} is not subject/sample")
    if a == b:
        raise ValueError(f"compares {a!r} with itself")
    if (_subject(a) == _subject(b)) != (genuine == "1"):
        raise ValueError(f"genuine is {genuine}, but {a!r} and {b!r} say otherwise")
    return Row(int(fold), genuine == "1", a, b)


def _subject(sample_id: str) -> str:
    return sample_id.rpartition("/")[0]


def _index(rows: list[Row], digest: str) -> Pairs:
    ids = tuple(dict.fromkeys(sample_id for row in rows for sample_id in (row.a, row.b)))
    position = {sample_id: i for i, sample_id in enumerate(ids)}
    return Pairs(
        a_index=np.array([position[row.a] for row in rows], np.int64),
        b_index=np.array([position[row.b] for row in rows], np.int64),
        genuine=np.array([row.genuine for row in rows], np.bool_),
        fold=np.array([row.fold for row in rows], np.int64),
        ids=ids,
        subjects=tuple(_subject(sample_id) for sample_id in ids),
        digest=digest,
    )
