"""Random projections: Gaussian and orthonormal matrices, and products that are the same for a row alone or in a batch.

A BLAS sums in another order for another number of rows, so that the sign of a projection, or which is the largest,
could depend on what else is in the batch. The compiled loop sums over the dimensions in their order, for every row.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit
from scipy.linalg.lapack import dgeqrf, dorgqr
from threadpoolctl import threadpool_limits

from benchmark.errors import InvalidInputError
from benchmark.interfaces import Templates

#: Columns worked on at a time: their part of a matrix of 512 rows then stays in the cache.
COLUMNS = 256
#: Columns that LAPACK reflects at a time.
_BLOCK = 64


def gaussian(rows: int, columns: int, random: np.random.Generator) -> Templates:
    """A matrix of independent N(0, 1) entries (float32, rows x columns)."""
    return random.standard_normal((rows, columns), dtype=np.float32)


def orthonormal(rows: int, columns: int, random: np.random.Generator) -> Templates:
    """A Gaussian matrix whose columns Gram-Schmidt made orthonormal (float32, rows x columns).

    Where there are more columns than rows, it is the rows that are orthonormal.

    >>> q = orthonormal(5, 3, np.random.default_rng(0))
    >>> bool(np.allclose(q.T @ q, np.eye(3), atol=1e-6))
    True
    """
    if columns > rows:
        return np.ascontiguousarray(orthonormal(columns, rows, random).T)
    return gram_schmidt(random.standard_normal((rows, columns)))


def gram_schmidt(matrix: npt.NDArray[np.float64]) -> Templates:
    """The columns of a matrix (rows x columns, at least as many rows) orthonormalised one after another (float32).

    Householder's QR with the signs that Gram-Schmidt gives: each column points along what the former ones leave of it.
    LAPACK's own routines with room for its blocks take two thirds of `np.linalg.qr`'s time.
    """
    columns = matrix.shape[1]
    with threadpool_limits(1, user_api="blas"):  # several threads would round otherwise
        reflected, scales, _, failed = dgeqrf(matrix, lwork=_BLOCK * columns)
        signs = np.where(np.diag(reflected) < 0, -1.0, 1.0)
        q, _, failed_too = dorgqr(reflected, scales, lwork=_BLOCK * columns, overwrite_a=True)
    if failed or failed_too:
        raise ValueError(f"LAPACK refuses its argument {failed or failed_too}")
    return np.ascontiguousarray(q * signs, np.float32)


def project(templates: Templates, matrix: Templates) -> Templates:
    """Products (float32, N x L) of templates (float32, N x D) with a matrix (float32, D x L), row by row.

    Raises InvalidInputError where shapes do not fit.

    >>> project(np.array([[1, 2]], np.float32), np.array([[1, 0, 1], [0, 1, 1]], np.float32)).tolist()
    [[1.0, 2.0, 3.0]]
    """
    if templates.ndim != 2 or matrix.ndim != 2 or templates.shape[1] != matrix.shape[0]:
        raise InvalidInputError(f"a projection takes N x D by D x L, not {templates.shape} by {matrix.shape}")
    out = np.zeros((len(templates), matrix.shape[1]), np.float32)
    _product(np.ascontiguousarray(templates, np.float32), np.ascontiguousarray(matrix, np.float32), out)
    return out


@njit(cache=True, nogil=True)
def _product(x, matrix, out):  # type: ignore[no-untyped-def]  # numba infers them
    for first in range(0, matrix.shape[1], COLUMNS):
        last = min(first + COLUMNS, matrix.shape[1])
        for row in range(x.shape[0]):
            for dimension in range(x.shape[1]):
                weight = x[row, dimension]
                for column in range(first, last):
                    out[row, column] += weight * matrix[dimension, column]
