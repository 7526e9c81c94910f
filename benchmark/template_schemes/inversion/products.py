"""Products of permuted entries of a template, as IoM hashing takes them, and their gradient; compiled."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from benchmark.template_schemes.inversion.prior import Matrix, Vector

#: Places in a template (m x p x k); unsigned ones are the faster, since they cannot count from the end.
Order = npt.NDArray[np.integer[Any]]


def products(x: Vector, order: Order) -> Matrix:
    """Products (float64, m x k) of the p entries of `x` (float64, D) at each place of `order` (m x p x k).

    >>> products(np.array([1.0, 3.0, 2.0]), np.array([[[0, 1, 2], [2, 1, 0]]])).tolist()
    [[2.0, 9.0, 2.0]]
    """
    m, _, k = order.shape
    out = np.empty((m, k))
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


def together(won: Order, order: Order, dimension: int) -> Matrix:
    """How often two entries win together (D x D, symmetric), less how often they would if the winner were any of k.

    `won` (m x p) are the entries whose product was the largest, of those in `order` (m x p x k).

    >>> together(np.array([[0, 1]]), np.array([[[0, 1], [1, 0]]]), 2).tolist()  # sure to win
    [[0.0, 0.0], [0.0, 0.0]]
    """
    counts = np.zeros((dimension, dimension))
    _count_together(won, order, counts)
    return np.asarray(counts + counts.T, np.float64)


@njit(cache=True, nogil=True)
def _multiply(x, order, out):  # type: ignore[no-untyped-def]  # numba infers them
    for row in range(order.shape[0]):
        found, first = out[row], order[row, 0]
        for column in range(len(found)):
            found[column] = x[first[column]]
        for number in range(1, order.shape[1]):
            other = order[row, number]
            for column in range(len(found)):
                found[column] *= x[other[column]]


@njit(cache=True, nogil=True)
def _add_slopes(x, order, slope, gradient):  # type: ignore[no-untyped-def]  # numba infers them
    _, count, columns = order.shape
    change = np.empty(columns)
    for row in range(order.shape[0]):
        for number in range(count):
            change[:] = slope[row]
            for other in range(count):
                if other != number:
                    places = order[row, other]
                    for column in range(columns):
                        change[column] *= x[places[column]]
            places = order[row, number]
            for column in range(columns):
                gradient[places[column]] += change[column]


@njit(cache=True, nogil=True)
def _count_together(won, order, counts):  # type: ignore[no-untyped-def]
    rows, count, columns = order.shape
    chance = 1 / columns
    for row in range(rows):
        for one in range(count):
            for other in range(one + 1, count):
                counts[won[row, one], won[row, other]] += 1
                first, second = order[row, one], order[row, other]
                for column in range(columns):
                    counts[first[column], second[column]] -= chance
