"""Random orthonormal matrices as products of reflections: drawn and applied without a matrix ever being made.

Householder's way to orthonormalise a Gaussian matrix reflects its first column onto an axis, which turns the others
into columns that are as Gaussian and as independent; of them, without their first entries, the next is reflected, and
so on. So the columns may as well be drawn one number shorter each, when their turn comes (Stewart, The efficient
generation of random orthogonal matrices with an application to condition estimators, SIAM J. Numerical Analysis
17(3), 1980). The matrix is the one that Gram-Schmidt makes of the Gaussian matrix, at the cost of a product with it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from numba import njit

from benchmark.errors import InvalidInputError
from benchmark.template_schemes.normals import standard_normals

Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Orthonormal:
    """A matrix (rows x columns) with orthonormal columns, or orthonormal rows where there are more columns.

    `x @ q` and `q @ x` are products in double precision, of each vector by itself: they do not depend on what else is
    in a batch. `reflectors` are vectors u of I - u u', the first as long as the longer side, each a number shorter than
    the former, one behind the other; `signs` (float64, the shorter side) make columns point as Gram-Schmidt's do.
    """

    reflectors: Doubles
    signs: Doubles
    longer: int
    wide: bool
    __array_ufunc__ = None  # numpy leaves `x @ q` to this class

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, columns)."""
        shorter = len(self.signs)
        return (shorter, self.longer) if self.wide else (self.longer, shorter)

    @property
    def T(self) -> Orthonormal:  # noqa: N802  # as numpy says it
        """The transpose."""
        return replace(self, wide=not self.wide)

    def __rmatmul__(self, left: npt.NDArray[np.floating]) -> Doubles:
        """Products (float64, N x columns) of vectors (N x rows, or one of `rows` numbers)."""
        rows, columns = self.shape
        if left.ndim not in (1, 2) or left.shape[-1] != rows:
            raise InvalidInputError(f"vectors of {rows} numbers are multiplied, not an array of shape {left.shape}")
        shorter = len(self.signs)
        x = np.zeros((left.size // rows, self.longer))
        x[:, :rows] = left
        if self.wide:
            x[:, :shorter] *= self.signs
            _reflect_back(self.reflectors, np.full(len(x), shorter), x)
        else:
            _reflect(self.reflectors, shorter, x)
            x = x[:, :shorter] * self.signs
        return x.reshape(*left.shape[:-1], columns)

    def __matmul__(self, right: npt.NDArray[np.floating]) -> Doubles:
        """Products (float64, rows, or rows x N) with a vector of `columns` numbers, or with N as columns."""
        return (right.T @ self.T).T

    def explicit(self) -> Doubles:
        """The matrix itself (float64, rows x columns)."""
        shorter = len(self.signs)
        vectors = np.zeros((shorter, self.longer))
        vectors[:, :shorter] = np.diag(self.signs)
        _reflect_back(self.reflectors, np.arange(1, shorter + 1), vectors)  # later ones leave an axis where it is
        return vectors if self.wide else np.ascontiguousarray(vectors.T)


def orthonormal(rows: int, columns: int, random: np.random.Generator) -> Orthonormal:
    """What Gram-Schmidt makes of the columns of a Gaussian matrix (of its rows where there are more columns).

    >>> q = orthonormal(5, 3, np.random.default_rng(0))
    >>> bool(np.allclose(q.explicit().T @ q.explicit(), np.eye(3)))
    True
    >>> bool(np.allclose(np.ones(5) @ q, np.ones(5) @ q.explicit()))
    True
    """
    longer, shorter = max(rows, columns), min(rows, columns)
    drawn = standard_normals(shorter * longer - shorter * (shorter - 1) // 2, random)
    reflectors, signs = drawn.astype(np.float64), np.empty(shorter)
    _make_reflectors(reflectors, longer, signs)
    return Orthonormal(reflectors, signs, longer, columns > rows)


# Sums may be taken in another order, several numbers at a time; in the same one for every vector.
@njit(cache=True, nogil=True, fastmath={"reassoc"})
def _product(one, other):  # type: ignore[no-untyped-def]  # numba infers them
    total = 0.0
    for i in range(len(one)):
        total += one[i] * other[i]
    return total


@njit(cache=True, nogil=True)
def _make_reflectors(drawn, longer, signs):  # type: ignore[no-untyped-def]
    """Vectors become reflectors in their place, and the signs of what they are reflected onto are filled in."""
    start = 0
    for number in range(len(signs)):
        vector = drawn[start : start + longer - number]
        length = np.sqrt(_product(vector, vector))
        signs[number] = 1.0 if vector[0] < 0 else -1.0
        vector[0] -= signs[number] * length  # away from 0
        vector *= np.sqrt(2.0 / _product(vector, vector))
        start += longer - number


@njit(cache=True, nogil=True)
def _reflect_one(vector, x):  # type: ignore[no-untyped-def]
    along = _product(vector, x)
    for i in range(len(x)):
        x[i] -= along * vector[i]


@njit(cache=True, nogil=True)
def _reflect(reflectors, count, x):  # type: ignore[no-untyped-def]
    """Each row of x, the first reflection first."""
    longer = x.shape[1]
    for row in range(len(x)):
        start = 0
        for number in range(count):
            _reflect_one(reflectors[start : start + longer - number], x[row, number:])
            start += longer - number


@njit(cache=True, nogil=True)
def _reflect_back(reflectors, counts, x):  # type: ignore[no-untyped-def]
    """Each row of x in so many of the first reflections, the first last."""
    longer = x.shape[1]
    for row in range(len(x)):
        start = counts[row] * longer - counts[row] * (counts[row] - 1) // 2
        for number in range(counts[row] - 1, -1, -1):
            start -= longer - number
            _reflect_one(reflectors[start : start + longer - number], x[row, number:])
