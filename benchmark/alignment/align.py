"""One photograph after another: read, find the face, crop it; and say of each how it went."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Literal, TypeAlias

from PIL import Image

from benchmark.alignment.detector import LONGEST, OVERLAP, THRESHOLD, Detector, Face
from benchmark.alignment.photographs import Photograph, PhotographError, read_photograph
from benchmark.alignment.similarity import choose, crop
from benchmark.alignment.weights import RETINAFACE
from benchmark.interfaces import Samples

Kind: TypeAlias = Literal["jpg", "png"]
#: `found`: one face. `several`: more than one, of which the most prominent was taken. `failed`: no crop.
Status: TypeAlias = Literal["found", "several", "failed"]

#: Raise it with any change of what a crop of a photograph looks like.
RECIPE = 1
_QUALITY = 95
_HELD = 100_000_000  # bytes of decoded photographs that wait for one pass of the detector


@dataclass(frozen=True)
class Aligned:
    """What became of one photograph."""

    status: Status
    #: How many faces were detected.
    faces: int = 0
    #: The taken face's, 0.5..1; 0 without one.
    score: float = 0.0
    #: Why it failed, or a note (`first of 3 frames`); else empty.
    reason: str = ""
    #: The crop as a file; empty where it failed.
    content: bytes = b""


def recipe(kind: Kind) -> dict[str, object]:
    """All that a crop depends on beside the photograph: plain data, for a report.

    >>> recipe("jpg")["quality"]
    95
    """
    return {
        "recipe": RECIPE,
        "detector": RETINAFACE.sha256,
        "threshold": THRESHOLD,
        "overlap": OVERLAP,
        "longest_side": LONGEST,
        "format": kind,
        "quality": _QUALITY if kind == "jpg" else None,
    }


def align(paths: Sequence[Path], detector: Detector, *, kind: Kind = "jpg") -> list[Aligned]:
    """The crops of photographs (112x112 files of `kind`: JPEG of quality 95, or PNG), in the order of `paths`.

    A file that cannot be used, or without a face, is `failed` with the reason: nothing is raised, nothing left out.
    """
    done: list[Aligned] = []
    waiting: list[Photograph | str] = []
    for path in paths:
        try:
            waiting.append(read_photograph(path))
        except PhotographError as fault:
            waiting.append(str(fault))
        if sum(entry.pixels.size for entry in waiting if isinstance(entry, Photograph)) > _HELD:
            done += _aligned(waiting, detector, kind)
            waiting = []
    return [*done, *_aligned(waiting, detector, kind)]


def _aligned(entries: Sequence[Photograph | str], detector: Detector, kind: Kind) -> Iterator[Aligned]:
    """What becomes of photographs, and of those (reasons) that could not be read."""
    found = iter(detector.detect([entry.pixels for entry in entries if isinstance(entry, Photograph)]))
    for entry in entries:
        yield Aligned("failed", reason=entry) if isinstance(entry, str) else _cropped(entry, next(found), kind)


def _cropped(photograph: Photograph, faces: Sequence[Face], kind: Kind) -> Aligned:
    if not faces:
        note = f" ({photograph.note})" if photograph.note else ""
        return Aligned("failed", reason=f"no face found{note}")
    face = choose(faces, *photograph.pixels.shape[:2])
    content = _encoded(crop(photograph.pixels, face.landmarks), kind)
    return Aligned("several" if len(faces) > 1 else "found", len(faces), face.score, photograph.note, content)


def _encoded(sample: Samples, kind: Kind) -> bytes:
    file = BytesIO()
    if kind == "jpg":
        Image.fromarray(sample).save(file, "JPEG", quality=_QUALITY)
    else:
        Image.fromarray(sample).save(file, "PNG")
    return file.getvalue()
