"""Products of permuted entries of a template, as IoM hashing takes them, and their gradient; compiled."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

from benchmark.template_schemes.inversion.prior import Matrix, Vector

Order = npt.NDArray[np.int64]


def products(x: Vector, order: Order) -> Matrix:
    """Products (float64, m x k) of the p entries of `x` (float64, D) at each place of `order` (m x p x k).

    >>> products(np.array([1.0, 3.0, 2.0]), np.array([[[0, 1, 2], [2, 1, 0]]])).tolist()
    [[2.0, 9.0, 2.0]]
    """
    m, _, k = order.shape
    out = np.ones((m, k))
    _multiply(x, order, out)
    return out


def products_gradient(x: Vector, order: Order, slope: Matrix) -> Vector:
    """Gradient (float64, D) in `x` of the sum of its products, each times its `slope` (float64, m x k).

    >>> products_gradient(np.array([1.0, 3.0]), np.array([[[0], [1]]]), np.array([[2.0]])).tolist()
    [6.0, 2.0]
    """
    gradient = np.zeros(len(x))
    _add_slopes(x, order, slope, gradient)
    return gradient


@njit(cache=True, nogil=True)
def _multiply(x, order, out):  # type: ignore[no-untyped-def]  # numba infers them
    for row in range(order.shape[0]):
        for number in range(order.shape[1]):
            for column in range(order.shape[2]):
                out[row, column] *= x[order[row, number, column]]


@njit(cache=True, nogil=True)
def _add_slopes(x, order, slope, gradient):  # type: ignore[no-untyped-def]  # numba infers them
    _, count, columns = order.shape
    change = np.empty(columns)
    for row in range(order.shape[0]):
        for number in range(count):
            change[:] = slope[row]
            for other in range(count):
                if other != number:
                    for column in range(columns):
                        change[column] *= x[order[row, other, column]]
            for column in range(columns):
                gradient[order[row, number, column]] += change[column]
