"""A list of samples, every two of which are compared once: a text file with one sample id a line."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from benchmark.errors import InvalidInputError


@dataclass(frozen=True)
class SampleList:
    """N samples; the comparisons are all (i, j) with i < j."""

    #: N sample ids, in the order of the file.
    ids: tuple[str, ...]
    #: N subjects: the folder part of each id.
    subjects: tuple[str, ...]
    #: SHA-256 of the file's bytes.
    digest: str

    def __len__(self) -> int:
        """How many comparisons there are."""
        return len(self.ids) * (len(self.ids) - 1) // 2


def read_sample_list(path: Path) -> SampleList:
    """Read a list; raises InvalidInputError with file and line for what is malformed, and where nobody can be compared.

    There have to be two subjects, one of them with two samples: else no comparison is mated, or all are.
    """
    ids = read_ids(path)
    subjects = tuple(name.rpartition("/")[0] for name in ids)
    if not 1 < len(set(subjects)) < len(ids):
        raise InvalidInputError(f"{path}: needs samples of two subjects, and two samples of one of them")
    return SampleList(ids, subjects, hashlib.sha256(path.read_bytes()).hexdigest())


def read_ids(path: Path) -> tuple[str, ...]:
    """Sample ids (`subject/sample`), one a line; raises InvalidInputError with file and line for anything else."""
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInputError(f"{path}: cannot be read as text: {error}") from None
    seen: set[str] = set()
    for number, line in enumerate(lines, start=1):
        if not all(line.rpartition("/")) or line != line.strip():
            raise InvalidInputError(f"{path}:{number}: expected a sample id (subject/sample), got {line!r}")
        if line in seen:
            raise InvalidInputError(f"{path}:{number}: {line!r} occurs twice")
        seen.add(line)
    return tuple(lines)
