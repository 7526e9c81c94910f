"""Templates from values that were not thresholded: linear projections and polynomials."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.linalg.lapack import dposv

from benchmark.template_schemes.inversion import windows
from benchmark.template_schemes.inversion.prior import Matrix, Prior, Vector, density

#: Standard deviation of what float32 has rounded, as a share of the values'.
ROUNDING = 1e-6
#: Gauss-Newton steps from each start.
STEPS = 25


def from_projection(values: Vector, matrix: Matrix, prior: Prior) -> Vector:
    """The most probable template (D) with `values` = template @ `matrix` (D x m): exact where m >= D.

    >>> prior = Prior(np.zeros(2), np.eye(2), np.eye(2))
    >>> from_projection(np.array([3.0]), np.array([[1.0], [0.0]]), prior).round(3).tolist()
    [3.0, 0.0]
    """
    if matrix.shape[1] == matrix.shape[0]:
        return np.asarray(np.linalg.solve(matrix.T, values), np.float64)
    if matrix.shape[1] > matrix.shape[0]:
        return np.asarray(np.linalg.lstsq(matrix.T, values, rcond=None)[0], np.float64)
    spread = matrix.T @ prior.covariance
    return _corrected(prior, spread, spread @ matrix, values - prior.mean @ matrix)


def from_polynomials(
    values: Vector,
    coefficients: Vector,
    exponents: npt.NDArray[np.integer[Any]],
    overlap: int,
    prior: Prior,
    starts: Sequence[Vector],
) -> Vector:
    """The most probable template (D) whose windows have these `values` (L) under the key's polynomial.

    Gauss-Newton steps, halved until they help, from each of `starts` (D); of what they reach the best fit that is most
    probable. Where windows share few numbers there are many solutions, and the prior chooses.
    """
    key = coefficients, exponents.astype(np.int64), len(coefficients) - overlap
    reached = [_newton(values, key, prior, start) for start in starts]
    scale = float(np.abs(values).mean()) + 1e-12

    def merit(x: Vector) -> float:
        error = np.abs(windows.polynomials(x, *key, len(values)) - values).mean() / scale
        return density(prior, x) - float(min(error, 1.0)) * 1e4

    return max(reached, key=merit)


def _newton(values: Vector, key: windows.Polynomial, prior: Prior, x: Vector) -> Vector:
    residual = values - windows.polynomials(x, *key, len(values))
    error = float(residual @ residual)
    # The rounding that `_corrected` allows for is about as close as steps come, more or less for one template.
    enough, near = (float(values @ values) * (share * ROUNDING) ** 2 for share in (2, 30))
    for _ in range(STEPS):
        slopes = windows.slopes(x, *key, len(values))
        spread, inner = windows.covariances(slopes, key[2], prior.covariance)
        # Towards the most probable solution of the linearised equations.
        target = _corrected(prior, spread, inner, residual + windows.product(slopes, key[2], x - prior.mean))
        moved, left, after = windows.towards(values, x, target, key, error)
        done = after > error or after < enough or 0.5 * error < after < near
        if after < error:
            x, residual, error = moved, left, after
        if done:
            break
    return x


def _corrected(prior: Prior, spread: Matrix, inner: Matrix, residual: Vector) -> Vector:
    """The prior's mean moved to where slopes (L x D) @ change = residual, as probably as can be.

    `spread` = slopes @ covariance (L x D), `inner` = spread @ slopes.T (L x L, of which the
    lower half is enough; its diagonal is added to).
    """
    diagonal = inner.reshape(-1)[:: len(inner) + 1]
    diagonal += ROUNDING * diagonal.mean() + 1e-30
    solution, failed = dposv(inner.T, residual)[1:]  # symmetric, and columns come first there
    if failed:  # not definite to rounding
        solution = np.linalg.lstsq(np.tril(inner) + np.tril(inner, -1).T, residual, rcond=None)[0]
    moved: Vector = prior.mean + spread.T @ solution
    return moved
