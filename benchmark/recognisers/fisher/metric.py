"""The product of a matrix of bytes with a vector: a quarter of the memory that float32 would have to be read."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
import numpy.typing as npt


def product(matrix: npt.NDArray[np.int8], vector: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """matrix (int8, T x P) @ vector (float32, P): float32, T.

    >>> product(np.array([[1, 2], [-3, 0], [0, 4]], np.int8), np.array([0.5, 0.25], np.float32)).tolist()
    [1.0, -1.5, 1.0]
    """
    out = np.empty(len(matrix), np.float32)
    _multiply(matrix, vector, out)
    return out


# Rounding may fall otherwise where sums are vectorised, but alike for every sample.
@numba.njit(cache=True, nogil=True, fastmath=True)
def _multiply(matrix: Any, vector: Any, out: Any) -> None:
    whole = len(matrix) // 4 * 4
    # Four rows at a time: an entry of the vector is read once for all of them.
    for t in range(0, whole, 4):
        a, b, c, d = np.float32(0), np.float32(0), np.float32(0), np.float32(0)
        first, second, third, fourth = matrix[t], matrix[t + 1], matrix[t + 2], matrix[t + 3]
        for p in range(len(vector)):
            a += np.float32(first[p]) * vector[p]
            b += np.float32(second[p]) * vector[p]
            c += np.float32(third[p]) * vector[p]
            d += np.float32(fourth[p]) * vector[p]
        out[t], out[t + 1], out[t + 2], out[t + 3] = a, b, c, d
    for t in range(whole, len(matrix)):
        total = np.float32(0)
        for p in range(len(vector)):
            total += np.float32(matrix[t, p]) * vector[p]
        out[t] = total
