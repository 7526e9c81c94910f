"""Chi-square distance of histograms, compiled: sum of (a - b)^2 / (a + b), where 0/0 counts as 0.

Sums run over 64 interleaved partial sums, added up in one fixed order and without fused multiplications, so that a pair
has the same distance on every machine, alone or in a block; vector units take the 64 at once.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
import numpy.typing as npt

from benchmark.errors import InvalidInputError
from benchmark.interfaces import Templates

#: 59 bins x 64 cells of LBP need no padding.
LANES = 64


def chi_square(a: Templates, b: Templates) -> npt.NDArray[np.float32]:
    """Distances (float32, N) of N pairs of histograms (float32, N x D, not negative), row by row.

    Raises InvalidInputError where shapes do not fit.

    >>> chi_square(np.array([[1, 0, 3]], np.float32), np.array([[0, 0, 1]], np.float32))
    array([2.], dtype=float32)
    """
    if a.shape != b.shape or a.ndim != 2:
        raise InvalidInputError(f"pairs of templates need two arrays of one shape N x D, not {a.shape} and {b.shape}")
    out = np.empty(len(a), np.float32)
    _rows(_lanes(a), _lanes(b), out)
    return out


def chi_square_all(a: Templates, b: Templates) -> npt.NDArray[np.float32]:
    """Distances (float32, N x M) of every histogram of a (float32, N x D) to every one of b (float32, M x D).

    >>> chi_square_all(np.eye(2, dtype=np.float32), np.eye(2, dtype=np.float32))
    array([[0., 2.],
           [2., 0.]], dtype=float32)
    """
    if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[1]:
        raise InvalidInputError(f"templates to compare need one width, not {a.shape} and {b.shape}")
    out = np.empty((len(a), len(b)), np.float32)
    _all(_lanes(a), _lanes(b), out)
    return out


def _lanes(x: Templates) -> Templates:
    """Rows as N x D/64 x 64, in memory order; D is padded with zeros, which add nothing.

    (The third axis lets the compiler see that no index is negative: without it the kernel is eight times slower.)
    """
    surplus = -x.shape[1] % LANES
    padded = np.pad(x, ((0, 0), (0, surplus))) if surplus else x
    return np.ascontiguousarray(padded, np.float32).reshape(len(x), padded.shape[1] // LANES, LANES)


# `error_model="numpy"` drops Python's check for a zero divisor, which would keep the loop from being vectorised.
@numba.njit(cache=True, nogil=True, error_model="numpy")
def _pair(a: Any, b: Any, sums: Any) -> Any:
    sums[:] = 0
    for row in range(a.shape[0]):
        for lane in range(LANES):
            x, y = a[row, lane], b[row, lane]
            total = x + y
            sums[lane] += (x - y) * (x - y) / (total if total > 0 else np.float32(1))
    distance = np.float32(0)
    for lane in range(LANES):
        distance += sums[lane]
    return distance


@numba.njit(cache=True, nogil=True)
def _rows(a: Any, b: Any, out: Any) -> None:
    sums = np.empty(LANES, np.float32)
    for i in range(len(a)):
        out[i] = _pair(a[i], b[i], sums)


@numba.njit(cache=True, nogil=True)
def _all(a: Any, b: Any, out: Any) -> None:
    sums = np.empty(LANES, np.float32)
    for i in range(len(a)):
        for j in range(len(b)):
            out[i, j] = _pair(a[i], b[j], sums)
