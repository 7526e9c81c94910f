"""The descriptors of one face: dense, at several scales, and folded at its middle.

A face and its mirror image show the same person. So descriptors are taken over the left half of both, and a mixture
sees one half-face twice: templates do not tell a face from its mirror image, and every component serves both sides.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
import numpy.typing as npt

from benchmark.recognisers.aligned import SHAPE

from .dense_brief import dense_brief
from .dense_sift import dense_sift, orientation_maps
from .mixture import Floats

SIDE = SHAPE[0]
Kind = Literal["sift", "brief"]
#: The smallest weight of a blur, relative to the largest.
_LEAST = 1e-20
#: Numbers in a descriptor.
WIDTH: dict[Kind, int] = {"sift": 128, "brief": 256}


@dataclass(frozen=True)
class Sampling:
    """Where descriptors are taken: patches of these sides (pixels, multiples of 8), `step` pixels apart.

    Before, the image is blurred by a Gaussian of deviation `blur`: pixels (SIFT), or a share of the patch (BRIEF).
    """

    kind: Kind
    patches: tuple[int, ...]
    step: int
    blur: float


def describe(grey: npt.NDArray[np.uint8], sampling: Sampling) -> Floats:
    """The descriptors (float32, N x 128 or 256) of one grey sample (uint8, 112 x 112), in the order of `positions`."""
    found = []
    for image in (grey, grey[:, ::-1]):
        pixels = np.ascontiguousarray(image, np.float32)
        if sampling.kind == "sift":
            maps = orientation_maps(_blurred(pixels, sampling.blur))
            found += [dense_sift(maps, *grid(patch, sampling.step), patch // 4) for patch in sampling.patches]
        else:
            found += [
                dense_brief(_blurred(pixels, sampling.blur * patch), *grid(patch, sampling.step), patch)
                for patch in sampling.patches
            ]
    return np.concatenate([part.reshape(-1, WIDTH[sampling.kind]) for part in found])


@lru_cache
def positions(patches: Sequence[int], step: int) -> Floats:
    """Row and column of every descriptor (float32, N x 2; -0.5..0.5, columns of the mirror image from its own left)."""
    half = [np.stack(np.meshgrid(*grid(patch, step), indexing="ij"), axis=-1).reshape(-1, 2) for patch in patches]
    return np.concatenate(half * 2).astype(np.float32) / np.float32(SIDE) - np.float32(0.5)


def grid(patch: int, step: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """The rows, and the columns of the left half, of patches that lie inside the sample.

    >>> [line.tolist() for line in grid(80, 8)]
    [[43, 51, 59, 67], [43, 51]]
    """
    rows = np.arange(patch // 2, SIDE - patch // 2, step)
    rows += (SIDE - 1 - rows[0] - rows[-1]) // 2
    columns = np.arange(SIDE // 2 - 1 - step // 2, patch // 2 - 1, -step)[::-1]
    return rows, np.ascontiguousarray(columns)


def _blurred(image: Floats, deviation: float) -> Floats:
    weights = _gaussian(deviation)
    return np.asarray(weights @ image @ weights.T, np.float32)


@lru_cache
def _gaussian(deviation: float) -> Floats:
    """Blurring of a line as a matrix (float32, 112 x 112), whose rows add up to 1: what lies outside does not count."""
    # Weights that no sum of grey levels notices are 0: as denormal numbers they would make products ten times slower.
    distance = np.subtract.outer(np.arange(SIDE), np.arange(SIDE))
    weights = np.exp(-0.5 * (distance / deviation) ** 2)
    weights[weights < _LEAST] = 0
    return np.asarray(weights / weights.sum(axis=1, keepdims=True), np.float32)
