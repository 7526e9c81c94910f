"""How probable it is that given entries are the largest of their rows, after softmax; compiled."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from benchmark.template_schemes.inversion.prior import Matrix


def softmax(values: Matrix, indices: npt.NDArray[np.integer[Any]]) -> tuple[float, Matrix]:
    """Log-probability that in each row (of m x k) the entry at its index (m) is the largest; its slope in the values.

    `values` (float64) are written over.

    >>> value, slope = softmax(np.array([[0.0, 0.0]]), np.array([1]))
    >>> round(value, 3), slope.tolist()  # log 1/2
    (-0.693, [[-0.5, 0.5]])
    """
    sure = _below_largest(values, indices)
    np.exp(values, out=values)
    return float(sure - _slopes(values, indices)), values


# Largest values and sums may be found several at a time; nothing here is NaN.
@njit(cache=True, nogil=True, fastmath={"reassoc", "nnan", "nsz"})
def _below_largest(values, indices):  # type: ignore[no-untyped-def]  # numba infers them
    """Each row less its largest; the sum of the entries at the indices."""
    total = 0.0
    for number in range(len(values)):
        row = values[number]
        largest = row[0]
        for column in range(len(row)):
            largest = max(largest, row[column])
        for column in range(len(row)):
            row[column] -= largest
        total += row[indices[number]]
    return total


@njit(cache=True, nogil=True, fastmath={"reassoc"}, error_model="numpy")
def _slopes(exponentials, indices):  # type: ignore[no-untyped-def]
    """Exponentials become slopes in their place; the sum of the logarithms of the rows' sums."""
    total = 0.0
    for number in range(len(exponentials)):
        row = exponentials[number]
        summed = 0.0
        for column in range(len(row)):
            summed += row[column]
        share = -1 / summed
        for column in range(len(row)):
            row[column] *= share
        row[indices[number]] += 1
        total += np.log(summed)
    return total
