"""Faces that a teacher has labelled: made shard by shard from crops, mixtures of crops and drawn faces; kept on disk.

A shard is named by everything that went into it (teacher, crops, recipe, seed, number), so it is made once, whoever
trains what with it, and a run that was interrupted finds those that are finished.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from benchmark.datasets.synthetic import SyntheticDataset, SyntheticParameters
from benchmark.digest import digest, generator
from benchmark.interfaces import Recogniser, Samples, Templates

from .augmentation import blended, cut, varied

#: Samples of a shard: 154 MB of pixels.
SHARD = 4096
#: What samples come from: crops show what is asked of the student, mixtures are people nobody is, and of drawn faces
#: there is no end.
SHARES = {"crop": 0.4, "blended": 0.3, "cut": 0.1, "drawn": 0.2}
#: Raise it with any change of what a shard holds.
RECIPE = 1


@dataclass(frozen=True)
class Pool:
    """Labelled faces in `folder`, drawn from `crops` (uint8, N x 112 x 112 x 3) and the embedded face model."""

    folder: Path
    crops: Samples
    teacher: Recogniser
    seed: int = 1

    @property
    def digest(self) -> str:
        """Names every shard's content but for its number."""
        return digest("pool", RECIPE, SHARES, SHARD, self.teacher.digest, self.crops, self.seed)

    def shard(self, number: int) -> tuple[Samples, Templates]:
        """Shard `number`: samples (uint8, SHARD x 112 x 112 x 3, mapped) and unit templates (float32, SHARD x D)."""
        images, templates = (self._file(number, part) for part in ("images", "templates"))
        if not templates.is_file():  # written last
            self._make(number, images, templates)
        return np.load(images, mmap_mode="r"), np.load(templates)

    def _file(self, number: int, part: str) -> Path:
        return self.folder / self._short / f"{number:05d}.{part}.npy"

    @cached_property  # hashing the crops takes half a second
    def _short(self) -> str:
        return self.digest[:16]

    def _make(self, number: int, images: Path, templates: Path) -> None:
        random = generator("pool", self.seed, number)
        kinds = random.choice(list(SHARES), SHARD, p=list(SHARES.values()))
        drawn = iter(_drawn_faces(f"{self.seed}", number, int((kinds == "drawn").sum())))
        samples = np.stack([varied(self._face(kind, drawn, random), random) for kind in kinds])
        labels = self.teacher.embed(samples)
        labels /= np.maximum(np.linalg.norm(labels, axis=1, keepdims=True), 1e-12)
        images.parent.mkdir(parents=True, exist_ok=True)
        for file, array in ((images, samples), (templates, labels)):
            partial = file.with_suffix(f".{os.getpid()}.partial")
            with partial.open("wb") as stream:
                np.save(stream, array)
            partial.replace(file)

    def _face(self, kind: str, drawn: object, random: np.random.Generator) -> Samples:
        if kind == "drawn":
            return next(drawn)  # type: ignore[call-overload,no-any-return]  # an iterator over samples
        a, b = self.crops[random.integers(0, len(self.crops), 2)]
        if random.random() < 0.5:
            b = b[:, ::-1]
        if kind == "crop":
            return np.asarray(a)
        return (blended if kind == "blended" else cut)(a, b, random)


def _drawn_faces(seed: str, number: int, count: int) -> Samples:
    """Every face another person: identities are what a student lacks most."""
    dataset = SyntheticDataset(SyntheticParameters(seed=int(digest("pool", seed)[:6], 16)))
    first = number * SHARD
    ids: Sequence[str] = [f"s{first + position:07d}/0" for position in range(count)]
    return dataset.load(ids).samples
