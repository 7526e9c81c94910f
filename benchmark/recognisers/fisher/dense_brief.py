"""Dense BRIEF: comparisons of grey levels between fixed pairs of points, on a grid.

Calonder et al., "BRIEF: Binary Robust Independent Elementary Features" (ECCV 2010), with both points of a pair drawn
from one isotropic Gaussian (their variant G II); the pairs grow with the patch.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numba
import numpy as np
import numpy.typing as npt

from benchmark.digest import generator

#: Comparisons in a descriptor.
DIMENSION = 256


@lru_cache
def point_pairs(patch: int) -> npt.NDArray[np.int64]:
    """Rows and columns of 256 pairs of points, from the middle of a patch of this side: int64, 256 x 2 x 2.

    Their deviation is a fifth of the patch.

    >>> point_pairs(32).shape, int(abs(point_pairs(32)).max()) <= 16
    ((256, 2, 2), True)
    """
    draw = generator("dense BRIEF", "pairs").normal(0, 1 / 5, (DIMENSION, 2, 2))
    return np.rint(np.clip(draw, -0.5, 0.5) * patch).astype(np.int64)


def dense_brief(
    image: npt.NDArray[np.float32], rows: npt.NDArray[np.int64], columns: npt.NDArray[np.int64], patch: int
) -> npt.NDArray[np.float32]:
    """Descriptors (float32, R x C x 256; 0 or 1) around every pair of `rows` (R) and `columns` (C) of an image.

    A number is 1 where the first point of its pair is darker than the second. The image (float32, H x W) is a smoothed
    one; beyond its border it goes on as at the border.

    >>> ramp = np.tile(np.arange(64, dtype=np.float32), (64, 1))
    >>> found = dense_brief(ramp, np.array([32]), np.array([32]), 32)[0, 0]
    >>> bool(np.array_equal(found, np.diff(point_pairs(32)[..., 1])[:, 0] > 0))
    True
    """
    out = np.empty((len(rows), len(columns), DIMENSION), np.float32)
    pad = patch // 2
    _describe(np.pad(image, pad, mode="edge"), rows + pad, columns + pad, point_pairs(patch), out)
    return out


@numba.njit(cache=True, nogil=True)
def _describe(image: Any, rows: Any, columns: Any, pairs: Any, out: Any) -> None:
    width = image.shape[1]
    flat = image.reshape(-1)
    # From the first point that any pair reaches: unsigned numbers of 32 bits, more of which fit a register.
    places = pairs[:, :, 0] * width + pairs[:, :, 1]
    corner = -places.min()
    first = (places[:, 0] + corner).astype(np.uint32)
    second = (places[:, 1] + corner).astype(np.uint32)
    for r in range(len(rows)):
        for c in range(len(columns)):
            around = flat[rows[r] * width + columns[c] - corner :]
            for t in range(DIMENSION):
                out[r, c, t] = np.float32(around[first[t]] < around[second[t]])
