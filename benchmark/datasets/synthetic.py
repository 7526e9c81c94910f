"""Drawn faces: embedded, no download, nobody's. See docs/synthetic-faces.md for the model and what was measured."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from pydantic import Field

from benchmark.datasets.base import SIDE, Dataset, Loaded, Parameters
from benchmark.datasets.face_model import NOISE_BYTES, Camera, coefficients, load_model, normals, raw_bytes, render
from benchmark.digest import digest, generator
from benchmark.errors import InvalidInputError
from benchmark.interfaces import Samples

_ID = re.compile(r"(?P<subject>s[0-9]{4,9})/(?:0|[1-9][0-9]{0,8})")
#: Raise it with any change of pixels: it is part of every fingerprint. A golden test holds the two together.
DRAWING = 1
_BATCH = 16  # fields of that many samples stay in the processor's cache


class SyntheticParameters(Parameters):
    """`seed` draws another population. `variation` scales how much photographs of one person differ (1: as the fitted
    photographs do; the default keeps MobileFaceNet's error rate that of a hard but solvable data set).
    """

    seed: int = Field(default=1, ge=0)
    variation: float = Field(default=0.75, ge=0, le=2)


class SyntheticDataset(Dataset):
    """Ids name person and photograph, `s0007/3`; any number of either may be drawn, each on its own."""

    id = "synthetic"
    parameters = SyntheticParameters

    def __init__(self, parameters: SyntheticParameters, data_root: Path | None = None) -> None:
        self._seed = parameters.seed
        self._amount = round(parameters.variation * 256)

    def subject(self, sample_id: str) -> str:
        """The drawn person: the part before the slash."""
        match = _ID.fullmatch(sample_id)
        if match is None:
            raise InvalidInputError(f"{sample_id!r} is no sample id of data set 'synthetic'; they look like s0007/3")
        return match["subject"]

    def load(self, ids: Sequence[str]) -> Loaded:
        """The faces (uint8, N x 112 x 112 x 3), the same bytes on every machine; none ever fails."""
        subjects = [self.subject(sample_id) for sample_id in ids]
        samples = np.empty((len(ids), SIDE, SIDE, 3), np.uint8)
        for start in range(0, len(ids), _BATCH):
            part = slice(start, start + _BATCH)
            samples[part] = self._draw(ids[part], subjects[part])
        return Loaded(samples, np.zeros(len(ids), np.bool_))

    def fingerprint(self, ids: Sequence[str]) -> list[str]:
        """Digest of everything that a face is drawn from: model, seed, variation, id."""
        model = load_model().digest
        for sample_id in ids:
            self.subject(sample_id)
        return [digest("synthetic", DRAWING, model, self._seed, self._amount, sample_id) for sample_id in ids]

    def _draw(self, ids: Sequence[str], subjects: Sequence[str]) -> Samples:
        model = load_model()
        who, how = model.sizes
        persons = np.stack([normals(generator("synthetic", self._seed, "person", name), who) for name in subjects])
        streams = [generator("synthetic", self._seed, "photograph", name) for name in ids]
        photographs = np.stack([normals(stream, how) for stream in streams])
        values = coefficients(model, persons, photographs, self._amount)
        return render(model, values, _camera(streams))


def _camera(streams: Sequence[np.random.Generator]) -> Camera:
    place = np.stack([normals(stream, 4) for stream in streams])
    lens = np.stack([raw_bytes(stream, 2) for stream in streams]).astype(np.int32)
    noise = np.stack([raw_bytes(stream, NOISE_BYTES) for stream in streams])
    # From nearly out of focus to a little over-sharpened; from a quarter of the fitted texture to twice it.
    return Camera(place, sharpness=32 + lens[:, 0], grain=64 + 2 * lens[:, 1], noise=noise)
