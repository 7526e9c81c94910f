"""What a folder of photographs holds: `FOLDER/<identity>/<image>`, and everything else by name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from benchmark.alignment.photographs import SUFFIXES
from benchmark.errors import InvalidInputError


@dataclass(frozen=True)
class Survey:
    """Names are relative to the folder, with `/` between their parts; all are sorted."""

    #: The photographs that will be aligned, and the names of their crops without suffix.
    photographs: dict[str, str]
    #: Photographs that cannot be, with the reason.
    refused: dict[str, str] = field(default_factory=dict)
    #: Files and folders that are none, with the reason.
    ignored: dict[str, str] = field(default_factory=dict)


def survey(folder: Path) -> Survey:
    """The photographs in `FOLDER/<identity>/<image>`; raises InvalidInputError where there is none.

    Two photographs of one identity whose names differ in the suffix alone would share a crop: the second is refused.
    """
    if not folder.is_dir():
        raise InvalidInputError(f"no folder {folder}; name one that holds a folder of photographs for each identity")
    photographs: dict[str, str] = {}
    refused: dict[str, str] = {}
    ignored: dict[str, str] = {}
    taken: dict[str, str] = {}
    for path in _two_levels(folder):
        name = path.relative_to(folder).as_posix()
        if path.is_dir() and path.parent == folder:
            ignored[f"{name}/"] = "hidden by its name" if path.name.startswith(".") else "an empty folder"
        elif path.is_dir():
            ignored[f"{name}/"] = "a folder inside an identity's folder; only <identity>/<image> is read"
        elif path.name.startswith(".") or path.suffix.lower() not in SUFFIXES:
            ignored[name] = "no photograph by its name"
        elif path.parent == folder:
            refused[name] = "lies in no identity's folder; move it to <identity>/<image>"
        elif (crop := f"{path.parent.name}/{path.stem}") in taken:
            refused[name] = f"differs from {taken[crop]} in its suffix alone; rename one"
        else:
            photographs[name] = crop
            taken[crop] = name
    if not photographs:
        others = [*refused, *ignored]
        seen = f"; found {len(others)} other entries, such as {others[0]}" if others else ""
        raise InvalidInputError(f"{folder}: no photographs at <identity>/<image>{seen}")
    return Survey(photographs, refused, ignored)


def _two_levels(folder: Path) -> Iterator[Path]:
    """Everything in the folder and its folders; of hidden and of empty ones the folder itself."""
    for path in sorted(folder.iterdir()):
        # `.git` and `.cache` are never an identity.
        inside = sorted(path.iterdir()) if path.is_dir() and not path.name.startswith(".") else []
        yield from inside or [path]
