"""RecordIO, the container of MXNet's data sets: records one after another in `.rec`, their places in `.idx`.

A record is one or more parts, each a magic word, a word with the part's kind (3 bits) and length (29 bits), the bytes,
and zeros up to a multiple of 4 (all little-endian). Where the magic word occurs in a record's bytes, they are cut
there, and the word itself is left out. `.idx` is text: a record's key and the byte where it starts, a line each.
Format: dmlc-core, `include/dmlc/recordio.h`.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import NoReturn

import numpy as np
import numpy.typing as npt

from benchmark.errors import InvalidInputError

MAGIC = 0xCED7230A
_WORD = struct.pack("<I", MAGIC)
_HEAD = struct.Struct("<II")
#: Kinds of parts: a whole record, or the first, a middle and the last of several.
_WHOLE, _FIRST, _MIDDLE, _LAST = range(4)


class RecordFile:
    """Records by key, in any order or in the file's.

    Raises InvalidInputError, naming file and byte, for a truncated or damaged file: on opening, where the two files do
    not end at the same record; on reading a record, where its frame is broken or the index leaves out its successor.
    Without an `.idx` the keys are 0, 1, ... and the frames of all records are read once.
    """

    def __init__(self, path: Path, index: Path | None = None) -> None:
        self.path, self.index = path, index
        try:
            with path.open("rb") as file:
                self._size = file.seek(0, 2)
                self._bytes = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if self._size else b""
        except OSError as error:
            raise InvalidInputError(f"{path}: cannot be read ({error.strerror})") from None
        if index is None:
            self._keys, self._starts = self._scanned()
        else:
            self._keys, self._starts = _read_index(index)
            self._check_ends()

    def __len__(self) -> int:
        return len(self._keys)

    def __contains__(self, key: int) -> bool:
        return key in self._places

    def keys(self) -> list[int]:
        """The keys, in the order of the file."""
        return list(self._places)

    def read(self, key: int) -> bytes:
        """One record's bytes; raises KeyError for a key that is not in the index."""
        place = self._places[key]
        start = int(self._starts[place])
        content, end = self._record(start)
        after = int(self._starts[place + 1]) if place + 1 < len(self._starts) else self._size
        if end != after:
            self._damaged(start, f"the record ends at byte {end}, the index has the next one at {after}")
        return content

    def items(self) -> Iterator[tuple[int, bytes]]:
        """(key, bytes) of every record, in the order of the file, one at a time."""
        for key in self._places:
            yield key, self.read(key)

    @cached_property
    def _places(self) -> dict[int, int]:
        return {key: place for place, key in enumerate(self._keys.tolist())}

    def _record(self, start: int) -> tuple[bytes, int]:
        """The record that starts at a byte, and the byte where the next one does."""
        kind, content, end = self._part(start)
        if kind == _WHOLE:
            return content, end
        if kind != _FIRST:
            self._damaged(start, "a record starts with a later part of another")
        parts = [content]
        while kind != _LAST:
            start = end
            kind, content, end = self._part(start)
            if kind not in (_MIDDLE, _LAST):
                self._damaged(start, "the last part of the record before is missing")
            parts.append(content)
        return _WORD.join(parts), end

    def _part(self, start: int) -> tuple[int, bytes, int]:
        if start + _HEAD.size > self._size:
            self._damaged(start, f"truncated: a record starts here, the file ends at byte {self._size}")
        magic, word = _HEAD.unpack_from(self._bytes, start)
        if magic != MAGIC:
            self._damaged(start, "no record starts here")
        kind, length = word >> 29, word & ((1 << 29) - 1)
        if kind > _LAST:
            self._damaged(start, f"unknown kind of part {kind}")
        first = start + _HEAD.size
        end = first + length + -length % 4
        if end > self._size:
            self._damaged(start, f"truncated: a record of {length} bytes, the file ends at byte {self._size}")
        return kind, self._bytes[first : first + length], end

    def _scanned(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        starts, end = [], 0
        while end < self._size:
            starts.append(end)
            end = self._record(end)[1]
        return np.arange(len(starts), dtype=np.int64), np.array(starts, np.int64)

    def _check_ends(self) -> None:
        """The first record of the index is the file's first, and the last one its last."""
        last = int(self._starts[-1]) if len(self._starts) else 0
        if len(self._starts) and self._starts[0]:
            self._damaged(0, f"the index begins at byte {self._starts[0]}, and leaves out what lies before")
        end = self._record(last)[1] if len(self._starts) else 0
        if end != self._size:
            self._damaged(end, f"records that {self.index} leaves out; it may be truncated")

    def _damaged(self, start: int, what: str) -> NoReturn:
        raise InvalidInputError(f"{self.path}: damaged at byte {start}: {what}; fetch the file again")


def _read_index(path: Path) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Keys and starts, sorted by start."""
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise InvalidInputError(f"{path}: cannot be read ({error.strerror})") from None
    rows = np.empty((len(lines), 2), np.int64)
    for number, line in enumerate(lines):
        cells = line.split()
        if len(cells) != 2 or not all(cell.isdigit() and len(cell) < 19 for cell in cells):
            raise InvalidInputError(f"{path}:{number + 1}: expected a key and a byte, got {line[:40]!r}")
        rows[number] = int(cells[0]), int(cells[1])
    rows = rows[np.argsort(rows[:, 1], kind="stable")]
    for column, what in ((0, "key"), (1, "byte")):
        values, counts = np.unique(rows[:, column], return_counts=True)
        if (counts > 1).any():
            raise InvalidInputError(f"{path}: {what} {values[counts > 1][0]} occurs twice; fetch the file again")
    return rows[:, 0].copy(), rows[:, 1].copy()
