"""Folders of photographs, and a detector that needs no weights."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from benchmark.alignment.detector import Face, Picture
from benchmark.alignment.similarity import REFERENCE
from benchmark.digest import generator


class BrightFaces:
    """Every picture that is not dark is one face, where an aligned one would be; a red one is two."""

    def __init__(self) -> None:
        self.seen = 0

    def detect(self, pictures: Sequence[Picture]) -> list[list[Face]]:
        self.seen += len(pictures)
        return [self._faces(picture) for picture in pictures]

    @staticmethod
    def _faces(picture: Picture) -> list[Face]:
        if picture.mean() < 20:
            return []
        side = min(picture.shape[:2])
        box = np.array([0, 0, side, side], np.float32)
        face = Face(0.75, box, (REFERENCE * side / 112).astype(np.float32))
        red = picture[..., 0].mean() > 2 * picture[..., 2].mean()
        return [face, Face(0.6, box / 4, face.landmarks / 4)] if red else [face]


def photograph(path: Path, *, seed: int = 0, size: tuple[int, int] = (90, 120), colour: str | None = None) -> Path:
    """An image file: noise, or one colour; the format is that of the suffix."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if colour is None:
        pixels = generator("tests", "photograph", seed).integers(0, 256, (*size, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(path)
    else:
        Image.new("RGB", size[::-1], colour).save(path)
    return path


def album(folder: Path) -> Path:
    """Two people with two photographs each."""
    for number, name in enumerate(("ann/1.jpg", "ann/2.png", "bob/1.jpg", "bob/2.webp")):
        photograph(folder / name, seed=number)
    return folder
