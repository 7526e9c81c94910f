"""What was done to each photograph, a line each, so that a run that was killed goes on where it stopped.

A line is written before its crop: a crop without a line was never ours, and is never overwritten.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TextIO

from benchmark.errors import InvalidInputError

NAME = ".prepare.jsonl"
#: How either command that prepares crops is told to put them elsewhere.
_ELSEWHERE = "choose another folder (`data prepare`: with --to; `data fetch`: with --data)"


@dataclass(frozen=True)
class Entry:
    """One photograph, and what became of it."""

    image: str
    #: Of the photograph's file: its bytes, and when it was last changed (ns).
    size: int
    changed: int
    #: `found`, `several`, `failed`, and `kept`: another's crop was there already, and stays.
    status: str
    faces: int | None
    score: float | None
    reason: str
    #: SHA-256 of the crop's file; empty where none was made.
    crop: str


class Journal:
    """The entries of a folder of crops; `add` files one at once.

    Raises InvalidInputError where the folder was prepared from another folder or by another recipe.
    """

    def __init__(self, folder: Path, source: Path, recipe: Mapping[str, object]) -> None:
        self._path = folder / NAME
        self._head = {"from": str(source), "recipe": dict(recipe)}
        #: The last word on each photograph.
        self.entries: dict[str, Entry] = {}
        self._made: dict[str, set[str]] = defaultdict(set)
        self._file: TextIO | None = None
        if self._path.is_file():
            self._read()
        elif (folder / "report.csv").exists():
            raise InvalidInputError(f"{folder / 'report.csv'} is there and no report of ours; {_ELSEWHERE}")

    def add(self, entries: list[Entry]) -> None:
        """File entries: they are on their way to the disk when this returns."""
        if self._file is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            fresh = not self._path.is_file()
            self._file = self._path.open("a", encoding="utf-8", newline="\n")
            if fresh:
                self._line(self._head)
        for entry in entries:
            self._line(asdict(entry))
            self._take(entry)
        self._file.flush()

    def made(self, image: str, crop: str) -> bool:
        """Whether a file of this SHA-256 is a crop that was once made of this photograph."""
        return crop in self._made[image]

    def close(self) -> None:
        """Close the file; what was added stays."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _take(self, entry: Entry) -> None:
        self.entries[entry.image] = entry
        self._made[entry.image].add(entry.crop)

    def _line(self, content: Mapping[str, Any]) -> None:
        assert self._file is not None
        self._file.write(json.dumps(content, sort_keys=True) + "\n")

    def _read(self) -> None:
        content = self._path.read_bytes()
        whole = content[: content.rfind(b"\n") + 1]  # a kill may have cut the last line
        if whole != content:
            with self._path.open("r+b") as file:
                file.truncate(len(whole))
        if not whole:
            self._path.unlink()
            return
        try:
            head, *lines = (json.loads(line) for line in whole.splitlines())
            self._check(head)
            for line in lines:
                self._take(Entry(**line))
        except (ValueError, TypeError, KeyError):
            raise InvalidInputError(f"{self._path}: is damaged; remove it, or {_ELSEWHERE}") from None

    def _check(self, head: Mapping[str, Any]) -> None:
        for key, what in (("from", "from"), ("recipe", "with")):
            if head[key] != self._head[key]:
                raise InvalidInputError(
                    f"{self._path.parent}: its crops were prepared {what} {head[key]}, not {what} {self._head[key]}; "
                    f"move that folder away, or {_ELSEWHERE}"
                )
