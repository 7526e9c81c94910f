"""Recognise faces by what packet headers say in clear, even where every body byte is encrypted."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmark.datasets.synthetic import SyntheticDataset, SyntheticParameters
from benchmark.errors import CodestreamError, InvalidInputError
from benchmark.interfaces import Attack, Codestreams, Evidence, Samples, Templates
from benchmark.jpeg2000 import encode
from benchmark.jpeg2000.boxes import unwrapped
from benchmark.jpeg2000.coder import coder_of, declared_coder
from benchmark.jpeg2000.codestream import parse
from benchmark.jpeg2000.markers import image_size

Floats = npt.NDArray[np.float64]

#: Drawn persons that tell what headers usually say; the embedded data set, which nobody's protected face is part of.
PERSONS = 400


class HeaderLeak(Attack):
    """Zero bit-planes, passes and lengths of every code-block, as coordinates in their principal components."""

    def __init__(self, *, dimensions: int) -> None:
        self.dimensions = dimensions
        self.projection = lru_cache(maxsize=4)(self._projection)

    def run(self, evidence: Evidence, *, generator: np.random.Generator) -> Templates:
        """Templates (float32, N x `dimensions`) of N protected samples; zeros where headers cannot be read."""
        return self._embedded(list(evidence.protected), evidence.algorithm)

    def embed(
        self,
        samples: Samples,
        *,
        algorithm: Mapping[str, Any] | None = None,
        prepared: Samples | Codestreams | None = None,
    ) -> Templates:
        """Templates of originals, encoded as the protector encodes them."""
        if not isinstance(prepared, list):
            originals = samples if prepared is None else prepared
            prepared = [encode(sample, **declared_coder(_parameters(algorithm))) for sample in originals]
        return self._embedded(prepared, algorithm)

    def _embedded(self, files: Codestreams, algorithm: Mapping[str, Any] | None) -> Templates:
        parameters = _parameters(algorithm)
        templates = np.zeros((len(files), self.dimensions), np.float32)
        for row, data in enumerate(files):
            values = header_features(data)
            if values is None or not _of_a_face(data):
                continue
            found = self.projection(tuple(coder_of(unwrapped(data)[0], parameters).items()))
            if found is not None and values.size == found[0].size:
                # One by one, and without BLAS: how that rounds depends on how many rows and threads there are.
                templates[row] = np.einsum("i,ij->j", values - found[0], found[1])
        return templates

    def _projection(self, coder: tuple[tuple[str, Any], ...]) -> tuple[Floats, Floats] | None:
        """Mean (D) and projection (D x `dimensions`) for a coder, from drawn faces; None where ours is none like it."""
        faces = SyntheticDataset(SyntheticParameters()).load([f"s{number:04d}/0" for number in range(PERSONS)]).samples
        try:
            rows = [header_features(encode(face, **dict(coder))) for face in faces]
        except InvalidInputError:
            return None
        return principal_axes(np.stack([row for row in rows if row is not None]), self.dimensions)


def _of_a_face(file: bytes) -> bool:
    """Whether a picture is as large as the drawn faces are."""
    size = image_size(unwrapped(file)[0])
    return (size.x1 - size.x0, size.y1 - size.y0) == (112, 112)


def _parameters(algorithm: Mapping[str, Any] | None) -> Mapping[str, Any]:
    if algorithm is None:
        raise InvalidInputError("header-leak needs the algorithm")
    parameters: Mapping[str, Any] = algorithm["parameters"]
    return parameters


def header_features(codestream: bytes) -> Floats | None:
    """Zero bit-planes of each code-block, and by each layer's end its coding passes and the logarithm of its bytes.

    Float64, code-blocks x (1 + 2 layers), flattened; -1 zero bit-planes for a code-block that is in no layer. Read from
    headers alone, so the same for a codestream and its encrypted twin. None where it is no readable codestream.
    """
    try:
        parsed = parse(unwrapped(codestream)[0], capacity=4096)
    except CodestreamError:
        return None
    packet, block, passes, _, length, zero_planes = parsed.segments.T
    layer = parsed.layout.sequence[parsed.table[packet, 0], 1]
    count, layers = parsed.layout.code_blocks, parsed.layout.header.layers
    totals = [
        np.cumsum(np.bincount(block * layers + layer, each, count * layers).reshape(count, layers), axis=1)
        for each in (passes, length)
    ]
    features = np.full((count, 1 + 2 * layers), -1.0)
    features[block, 0] = zero_planes
    features[:, 1 : 1 + layers] = totals[0]
    features[:, 1 + layers :] = np.log1p(totals[1])
    return features.reshape(-1)


def principal_axes(rows: Floats, dimensions: int) -> tuple[Floats, Floats]:
    """Mean (D) and axes (D x `dimensions`) that map standardised features to half-whitened principal components.

    Half: components are divided by the fourth root of their variance. The first ones say sharpness and exposure, the
    last ones noise; full whitening would let these speak as loud as the face, none the former alone.
    """
    mean, spread = rows.mean(axis=0), rows.std(axis=0)
    # What hardly ever changes among drawn faces is not blown up when a photograph differs.
    spread = np.maximum(spread, 0.05 * np.median(spread)) + 1e-6
    _, singular, axes = np.linalg.svd((rows - mean) / spread, full_matrices=False)
    variance = np.zeros(dimensions)
    found = min(dimensions, len(singular))
    variance[:found] = singular[:found] ** 2 / len(rows)
    scaled = np.zeros((rows.shape[1], dimensions))
    # A component's sign is arbitrary: the same on every machine if its largest coordinate is positive.
    signs = np.sign(axes[np.arange(found), np.abs(axes[:found]).argmax(axis=1)])
    scaled[:, :found] = (axes[:found] * signs[:, None]).T / np.maximum(variance[:found], 1e-9) ** 0.25
    return mean, scaled / spread[:, None]
