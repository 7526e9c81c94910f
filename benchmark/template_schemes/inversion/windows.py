"""PolyProtect's polynomial of each window of a template, its slopes, and what they make of a covariance; compiled.

A window touches m of D numbers, so slopes are kept by window (L x m) instead of as a matrix that is nearly all zeros.
Numbers past the template's end are zeros.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from numba import njit

from benchmark.template_schemes.inversion.prior import Matrix, Vector

#: Coefficients (float64, m), exponents (int64, m), and the step from one window to the next.
Polynomial: TypeAlias = tuple[Vector, npt.NDArray[np.int64], int]


def polynomials(
    x: Vector, coefficients: Vector, exponents: npt.NDArray[np.integer[Any]], step: int, count: int
) -> Vector:
    """As `benchmark.template_schemes.poly.polyprotect`, of one template (D) in double precision: `count` values.

    >>> polynomials(np.array([2.0, 3.0, 5.0]), np.array([1.0, -1.0]), np.array([2, 1]), 2, 2).tolist()
    [1.0, 25.0]
    """
    out = np.empty(count)
    _polynomials(x, coefficients, exponents, step, out)
    return out


def slopes(x: Vector, coefficients: Vector, exponents: npt.NDArray[np.integer[Any]], step: int, count: int) -> Matrix:
    """Slopes of each window's value in its m numbers (float64, count x m).

    >>> slopes(np.array([2.0, 3.0, 5.0]), np.array([1.0, -1.0]), np.array([2, 1]), 2, 2).tolist()
    [[4.0, -1.0], [10.0, 0.0]]
    """
    out = np.zeros((count, len(coefficients)))
    _slopes(x, coefficients, exponents, step, out)
    return out


def product(slope: Matrix, step: int, change: Vector) -> Vector:
    """What a `change` of the template (D) makes of the values, to first order (float64, L).

    >>> product(np.array([[4.0, -1.0], [10.0, 0.0]]), 2, np.array([1.0, 1.0, 1.0])).tolist()
    [3.0, 10.0]
    """
    out = np.zeros(len(slope))
    _product(slope, step, change, out)
    return out


def covariances(slope: Matrix, step: int, covariance: Matrix) -> tuple[Matrix, Matrix]:
    """Covariances of the values with the template (float64, L x D) and among themselves (L x L), to first order.

    Of the latter only the lower half is filled in.

    >>> both = covariances(np.array([[4.0, -1.0], [10.0, 0.0]]), 2, np.eye(3))
    >>> both[0].tolist(), both[1].tolist()
    ([[4.0, -1.0, 0.0], [0.0, 0.0, 10.0]], [[17.0, 0.0], [0.0, 100.0]])
    """
    spread, inner = np.zeros((len(slope), len(covariance))), np.zeros((len(slope), len(slope)))
    _covariances(slope, step, covariance, spread, inner)
    return spread, inner


def towards(values: Vector, x: Vector, target: Vector, key: Polynomial, error: float) -> tuple[Vector, Vector, float]:
    """From a template x (D) as far towards `target` (D) as helps: all the way, or halves, quarters, ... of it.

    The template reached, what its windows leave of `values` (L), and the sum of squares of that, against x's `error`.

    >>> key = np.array([1.0]), np.array([2]), 1  # a square: from 2 towards -6, a quarter of the way is best for 1
    >>> [one.tolist() for one in towards(np.array([1.0]), np.array([2.0]), np.array([-6.0]), key, 9.0)[:2]]
    [[0.0], [1.0]]
    """
    moved, left = np.empty(len(x)), np.empty(len(values))
    return moved, left, _towards(values, x, target, *key, error, moved, left)


@njit(cache=True, nogil=True)
def _power(base, exponent):  # type: ignore[no-untyped-def]  # numba infers them
    result = 1.0
    for _ in range(exponent):
        result *= base
    return result


@njit(cache=True, nogil=True)
def _polynomials(x, coefficients, exponents, step, out):  # type: ignore[no-untyped-def]
    out[:] = 0
    for window in range(len(out)):
        for number in range(min(len(coefficients), len(x) - window * step)):
            out[window] += coefficients[number] * _power(x[window * step + number], exponents[number])


@njit(cache=True, nogil=True)
def _slopes(x, coefficients, exponents, step, out):  # type: ignore[no-untyped-def]
    for window in range(len(out)):
        for number in range(min(len(coefficients), len(x) - window * step)):
            power = _power(x[window * step + number], exponents[number] - 1)
            out[window, number] = coefficients[number] * exponents[number] * power


@njit(cache=True, nogil=True)
def _product(slope, step, change, out):  # type: ignore[no-untyped-def]
    for window in range(len(slope)):
        for number in range(min(slope.shape[1], len(change) - window * step)):
            out[window] += slope[window, number] * change[window * step + number]


@njit(cache=True, nogil=True)
def _towards(values, x, target, coefficients, exponents, step, error, moved, left):  # type: ignore[no-untyped-def]
    share = 1.0
    while True:
        for place in range(len(x)):
            moved[place] = x[place] + share * (target[place] - x[place])
        _polynomials(moved, coefficients, exponents, step, left)
        after = 0.0
        for window in range(len(left)):
            left[window] = values[window] - left[window]
            after += left[window] * left[window]
        share /= 2
        if after <= error * (1 - 0.2 * share) or share <= 0.5e-2:
            return after


@njit(cache=True, nogil=True)
def _covariances(slope, step, covariance, spread, inner):  # type: ignore[no-untyped-def]
    count, m = slope.shape
    by_number = np.ascontiguousarray(slope.T)
    for window in range(count):
        own = spread[window]
        for number in range(min(m, len(covariance) - window * step)):
            weight, row = slope[window, number], covariance[window * step + number]
            for place in range(len(own)):
                own[place] += weight * row[place]
        among = inner[window, : window + 1]
        for number in range(m):
            weights = by_number[number, : window + 1]
            if window * step + number >= len(own):  # past the template's end
                weights = weights[:window]
            shifted = own[number::step]
            for other in range(len(weights)):
                among[other] += shifted[other] * weights[other]
