"""Random projections: Gaussian matrices, and products that are the same for a row alone or in a batch.

A BLAS sums in another order for another number of rows, so that the sign of a projection, or which is the largest,
could depend on what else is in the batch. The compiled loop sums over the dimensions in their order, for every row.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numba import njit

from benchmark.errors import InvalidInputError
from benchmark.interfaces import Templates
from benchmark.template_schemes.normals import standard_normals
from benchmark.template_schemes.reflections import Orthonormal

#: Columns worked on at a time: their part of a matrix of some hundred rows then stays in the cache.
COLUMNS = 1024
#: A projection's matrix: written out (float32, D x L), or as reflections.
Projection: TypeAlias = Templates | Orthonormal


def gaussian(rows: int, columns: int, random: np.random.Generator) -> Templates:
    """A matrix of independent N(0, 1) entries (float32, rows x columns)."""
    return standard_normals(rows * columns, random).reshape(rows, columns)


def project(templates: Templates, matrix: Projection) -> Templates:
    """Products (float32, N x L) of templates (float32, N x D) with a matrix (D x L), row by row.

    Raises InvalidInputError where shapes do not fit.

    >>> project(np.array([[1, 2]], np.float32), np.array([[1, 0, 1], [0, 1, 1]], np.float32)).tolist()
    [[1.0, 2.0, 3.0]]
    """
    if templates.ndim != 2 or len(matrix.shape) != 2 or templates.shape[1] != matrix.shape[0]:
        raise InvalidInputError(f"a projection takes N x D by D x L, not {templates.shape} by {matrix.shape}")
    if isinstance(matrix, Orthonormal):
        return (templates @ matrix).astype(np.float32)
    out = np.zeros((len(templates), matrix.shape[1]), np.float32)
    _product(np.ascontiguousarray(templates, np.float32), np.ascontiguousarray(matrix, np.float32), out)
    return out


@njit(cache=True, nogil=True)
def _product(x, matrix, out):  # type: ignore[no-untyped-def]  # numba infers them
    whole = x.shape[1] - x.shape[1] % 4
    for first in range(0, matrix.shape[1], COLUMNS):
        last = min(first + COLUMNS, matrix.shape[1])
        for row in range(x.shape[0]):
            sums = out[row, first:last]
            for d in range(0, whole, 4):
                w0, w1, w2, w3 = x[row, d], x[row, d + 1], x[row, d + 2], x[row, d + 3]
                m0, m1 = matrix[d, first:last], matrix[d + 1, first:last]
                m2, m3 = matrix[d + 2, first:last], matrix[d + 3, first:last]
                for column in range(len(sums)):
                    sums[column] = sums[column] + w0 * m0[column] + w1 * m1[column] + w2 * m2[column] + w3 * m3[column]
            for d in range(whole, x.shape[1]):
                for column in range(len(sums)):
                    sums[column] += x[row, d] * matrix[d, first + column]
