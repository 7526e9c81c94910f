"""Templates from values that were not thresholded: linear projections and polynomials."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from benchmark.template_schemes.inversion.prior import Matrix, Prior, Vector, density

#: Standard deviation of what float32 has rounded, as a share of the values'.
ROUNDING = 1e-6


def from_projection(values: Vector, matrix: Matrix, prior: Prior) -> Vector:
    """The most probable template (D) with `values` = template @ `matrix` (D x m): exact where m >= D.

    >>> prior = Prior(np.zeros(2), np.eye(2), np.eye(2))
    >>> from_projection(np.array([3.0]), np.array([[1.0], [0.0]]), prior).round(3).tolist()
    [3.0, 0.0]
    """
    if matrix.shape[1] >= matrix.shape[0]:
        return np.asarray(np.linalg.lstsq(matrix.T, values, rcond=None)[0], np.float64)
    return _corrected(prior, matrix.T, values - prior.mean @ matrix)


def from_polynomials(
    values: Vector, coefficients: Vector, exponents: Vector, overlap: int, prior: Prior, starts: Sequence[Vector]
) -> Vector:
    """The most probable template (D) whose windows have these `values` (L) under the key's polynomial.

    Gauss-Newton steps, halved until they help, from each of `starts` (D); of what they reach the best fit that is most
    probable. Where windows share few numbers there are many solutions, and the prior chooses.
    """
    reached = [_newton(values, coefficients, exponents, overlap, prior, start) for start in starts]
    scale = float(np.abs(values).mean()) + 1e-12

    def merit(x: Vector) -> float:
        error = np.abs(_polynomials(x, coefficients, exponents, overlap, len(values)) - values).mean() / scale
        return density(prior, x) - float(min(error, 1.0)) * 1e4

    return max(reached, key=merit)


def _newton(values: Vector, coefficients: Vector, exponents: Vector, overlap: int, prior: Prior, x: Vector) -> Vector:
    def error_of(x: Vector) -> float:
        return float(np.square(values - _polynomials(x, coefficients, exponents, overlap, len(values))).sum())

    error, scale = error_of(x), float(np.square(values).sum())
    for _ in range(25):
        slopes = _jacobian(x, coefficients, exponents, overlap, len(values))
        residual = values - _polynomials(x, coefficients, exponents, overlap, len(values))
        # Towards the most probable solution of the linearised equations.
        target = _corrected(prior, slopes, residual + slopes @ (x - prior.mean))
        share = 1.0
        while share > 1e-2 and error_of(x + share * (target - x)) > error * (1 - 0.1 * share):
            share /= 2
        moved = x + share * (target - x)
        after = error_of(moved)
        done = after > error or after < 1e-12 * scale
        x, error = (moved, after) if after < error else (x, error)
        if done:
            break
    return x


def _corrected(prior: Prior, slopes: Matrix, residual: Vector) -> Vector:
    """The prior's mean moved to where slopes (L x D) @ change = residual, as probably as can be."""
    spread = slopes @ prior.covariance
    inner = spread @ slopes.T
    inner[np.diag_indices(len(inner))] += ROUNDING * np.trace(inner) / len(inner) + 1e-30
    moved: Vector = prior.mean + spread.T @ np.linalg.solve(inner, residual)
    return moved


def _windows(length: int, m: int, overlap: int, count: int) -> tuple[npt.NDArray[np.intp], int]:
    step = m - overlap
    return np.arange(count)[:, None] * step + np.arange(m), (count - 1) * step + m


def _polynomials(x: Vector, coefficients: Vector, exponents: Vector, overlap: int, count: int) -> Vector:
    """As `benchmark.template_schemes.poly.polyprotect`, of one template in double precision."""
    places, filled = _windows(len(x), len(coefficients), overlap, count)
    padded = np.zeros(max(filled, len(x)))
    padded[: len(x)] = x
    values: Vector = (coefficients * padded[places] ** exponents).sum(axis=1)
    return values


def _jacobian(x: Vector, coefficients: Vector, exponents: Vector, overlap: int, count: int) -> Matrix:
    places, filled = _windows(len(x), len(coefficients), overlap, count)
    padded = np.zeros(max(filled, len(x)))
    padded[: len(x)] = x
    slopes = np.zeros((count, len(padded)))
    np.put_along_axis(slopes, places, coefficients * exponents * padded[places] ** (exponents - 1), axis=1)
    return slopes[:, : len(x)]
