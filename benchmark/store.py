"""Content-addressed artefacts on disk: written atomically, verified on read, pruned by age.

An artefact is a set of named arrays and a small header, filed under a kind and the digest of everything that it was
made from. A file is `VEILBENCH1`, the SHA-256 of the rest, and the packed arrays: a truncated or altered file is
noticed, deleted and computed again. Two runs may share one store: a file appears whole or not at all.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmark.errors import InvalidInputError
from benchmark.npz import pack, unpack

MAGIC = b"VEILBENCH1"
#: Marks float32 arrays that are filed as bytes.
_NARROWED = "|float32"
#: Pruned in this order: what is bulky and cheap to make again goes first.
KINDS = (
    "protected",
    "pixels",
    "prepared",
    "visual",
    "recovery",
    "templates",
    "attacked",
    "learned",
    "baseline",
    "measured",
    "originals",
)


@dataclass(frozen=True)
class Artefact:
    """Named arrays and their header (plain data: timings, reasons)."""

    arrays: Mapping[str, npt.NDArray[Any]]
    header: Mapping[str, Any]


class Store:
    """Artefacts under one folder.

    >>> import numpy, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     store = Store(Path(folder))
    ...     store.put("templates", "ab12", Artefact({"x": numpy.arange(3)}, {"seconds": 0.5}))
    ...     store.get("templates", "ab12").arrays["x"].tolist()
    [0, 1, 2]
    """

    def __init__(self, root: Path, *, warn: Callable[[str], None] | None = None) -> None:
        self.root = root
        self._warn = warn or (lambda message: print(f"warning: {message}", file=sys.stderr))

    def path(self, kind: str, key: str) -> Path:
        """Where an artefact lies, whether it is there or not."""
        return self.root / kind / key[:2] / key

    def has(self, kind: str, key: str) -> bool:
        """Whether an artefact is there; its content is only verified by `get`."""
        return self.path(kind, key).is_file()

    def get(self, kind: str, key: str) -> Artefact | None:
        """The artefact, or None where it is missing or damaged (a damaged one is deleted, with a warning)."""
        path = self.path(kind, key)
        try:
            blob = path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise _io_error(self.root, error) from error
        start = len(MAGIC) + 32
        if blob[: len(MAGIC)] != MAGIC or hashlib.sha256(memoryview(blob)[start:]).digest() != blob[len(MAGIC) : start]:
            self._warn(f"damaged artefact {kind}/{key[:12]} in {self.root}: deleted, it will be computed again")
            with suppress(OSError):  # a store that others filled, and that may only be read
                path.unlink(missing_ok=True)
            return None
        header, narrowed = unpack(memoryview(blob)[start:])
        with suppress(OSError):
            os.utime(path)  # the time of last use, by which `prune` chooses
        return Artefact(dict(_widened(name, array) for name, array in narrowed.items()), header)

    def put(self, kind: str, key: str, artefact: Artefact) -> None:
        """File an artefact; InvalidInputError where the disk is full or the folder cannot be written."""
        payload = pack(artefact.header, dict(_narrowed(name, array) for name, array in artefact.arrays.items()))
        write_atomically(self.path(kind, key), MAGIC, hashlib.sha256(payload).digest(), payload)

    def sizes(self) -> dict[str, tuple[int, int]]:
        """{kind: (number of artefacts, bytes)}."""
        totals: dict[str, tuple[int, int]] = defaultdict(lambda: (0, 0))
        for kind, path in self._files():
            count, size = totals[kind]
            totals[kind] = (count + 1, size + _size(path))
        return dict(sorted(totals.items()))

    def prune(self, limit: int, *, kind: str | None = None) -> tuple[int, int]:
        """Delete until at most `limit` bytes are left (of one kind, if named): bulky kinds first, then least used.

        Returns (artefacts deleted, bytes freed). Leftovers of killed runs go too.
        """
        for partial in self.root.glob("*/*/.partial-*"):
            if time.time() - _mtime(partial) > 3600:  # a younger one may be another run's, being written
                partial.unlink(missing_ok=True)
        files = [(k, path, _size(path), _mtime(path)) for k, path in self._files() if kind in (None, k)]
        rank = {name: number for number, name in enumerate(KINDS)}
        files.sort(key=lambda entry: (rank.get(entry[0], len(KINDS)), entry[3]))
        total = sum(entry[2] for entry in files)
        deleted = freed = 0
        for _, path, size, _ in files:
            if total - freed <= limit:
                break
            path.unlink(missing_ok=True)
            deleted, freed = deleted + 1, freed + size
        return deleted, freed

    def _files(self) -> list[tuple[str, Path]]:
        if not self.root.is_dir():
            return []
        return [
            (path.parent.parent.name, path)
            for path in self.root.glob("*/??/*")
            if path.is_file() and not path.name.startswith(".partial-")
        ]


def _narrowed(name: str, array: npt.NDArray[Any]) -> tuple[str, npt.NDArray[Any]]:
    """Floats that are all whole numbers of 0..255 as bytes: histograms take most of a store otherwise."""
    first = np.atleast_1d(array)[:1]
    if array.dtype != np.float32 or not np.all((first >= 0) & (first <= 255)):  # most others end here
        return name, array
    with np.errstate(invalid="ignore"):
        narrow = array.astype(np.uint8)
    same = narrow.astype(np.float32).tobytes() == array.tobytes()  # bit for bit: -0.0 stays what it is
    return (f"{name}{_NARROWED}", narrow) if same else (name, array)


def _widened(name: str, array: npt.NDArray[Any]) -> tuple[str, npt.NDArray[Any]]:
    if name.endswith(_NARROWED):
        return name.removesuffix(_NARROWED), array.astype(np.float32)
    return name, array


def write_atomically(path: Path, *blobs: bytes) -> None:
    """Write a file that is there whole or not at all, also after a kill.

    Raises InvalidInputError (one line: full disk, read-only folder) and leaves the old file untouched.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, partial = tempfile.mkstemp(prefix=".partial-", dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                for blob in blobs:
                    file.write(blob)
            Path(partial).chmod(0o644)
            Path(partial).replace(path)
        except BaseException:
            Path(partial).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise _io_error(path.parent, error) from error


def _io_error(folder: Path, error: OSError) -> InvalidInputError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        free = shutil.disk_usage(folder if folder.exists() else Path.cwd()).free
        return InvalidInputError(
            f"disk full: cannot write to {folder} ({free >> 20} MiB free); free some space, or run "
            "`veilbench store --prune 5GiB`; what was finished is kept"
        )
    return InvalidInputError(
        f"cannot use {folder}: {error.strerror or error}; make it writable, or choose another place"
    )


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:  # another run pruned it
        return 0


def _mtime(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return 0.0
