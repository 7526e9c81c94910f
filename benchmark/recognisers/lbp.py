"""Local binary patterns with a chi-square comparison: the classic texture baseline, without training.

Ahonen, Hadid, Pietikäinen, "Face Description with Local Binary Patterns" (IEEE TPAMI 28(12), 2006): uniform LBP(8,2),
one histogram of 59 bins for each of 8 x 8 cells of 14 x 14 pixels.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numba
import numpy as np
import numpy.typing as npt

from benchmark.interfaces import Recogniser, Samples, Templates

from .aligned import require_aligned
from .chi_square import chi_square, chi_square_all

SIDE, CELL, BINS = 112, 14, 59
DIMENSION = (SIDE // CELL) ** 2 * BINS

# The four diagonal neighbours lie between pixels, at 1.41421 = 1 + 0.41421 in both directions (rounded to five
# decimals as scikit-image does). Bilinear weights times 10^10 are whole numbers below 2^53, so that the comparison
# with the centre is exact in float64: equal values count as equal, whatever machine or compiler.
_INNER, _CROSS, _OUTER = 58579.0**2, 58579.0 * 41421.0, 41421.0**2


def _bin_table() -> npt.NDArray[np.uint8]:
    """The bin of each 8-bit pattern; bit k is the neighbour at k x 45 degrees, anticlockwise from the right.

    0 for no bit, 57 for all, 58 for patterns with more than two changes around the circle; else 1 + 8 (ones - 1) +
    the number of right shifts from the pattern whose ones come first (the order of scikit-image's `nri_uniform`).
    """
    table = np.full(256, 58, np.uint8)
    table[0], table[255] = 0, 57
    for ones in range(1, 8):
        for shift in range(8):
            pattern = sum(1 << (position - shift) % 8 for position in range(ones))
            table[pattern] = 1 + 8 * (ones - 1) + shift
    return table


_BIN = _bin_table()


def patterns(sample: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """The uniform LBP(8,2) labels (uint8, H x W, 0..58) of one grey image (uint8, H x W); outside is black.

    Equals scikit-image's `local_binary_pattern(image, 8, 2, "nri_uniform")` wherever no interpolated neighbour is
    exactly as bright as its centre. There this one sets the bit (as the definition has it); scikit-image does or
    does not, as its rounding falls.

    >>> patterns(np.full((5, 5), 9, np.uint8))[2, 2]
    np.uint8(57)
    """
    labels = np.empty(sample.shape, np.uint8)
    _label(np.pad(sample, 2).astype(np.float64), _BIN, labels)
    return labels


def grey(samples: Samples) -> npt.NDArray[np.uint8]:
    """Luma of ITU-R BT.601 in 16-bit fixed point, rounded: Pillow's `convert("L")`, on every machine alike.

    Takes uint8, ... x 3, RGB; gives uint8, ...

    >>> grey(np.array([[255, 255, 255], [255, 0, 0]], np.uint8))
    array([255,  76], dtype=uint8)
    """
    out = np.empty(samples.shape[:-1], np.uint8)
    _grey(np.ascontiguousarray(samples).reshape(-1, 3), out.reshape(-1))
    return out


def histograms(samples: Samples) -> Templates:
    """Counts of the 59 patterns in each of 64 cells: float32, N x 3776, cell by cell in rows, of 196 pixels each.

    Takes uint8, N x 112 x 112 x 3, RGB; raises InvalidInputError for anything else.

    >>> histograms(np.zeros((1, 112, 112, 3), np.uint8))[0, 57]
    np.float32(196.0)
    """
    require_aligned(samples)
    out = np.zeros((len(samples), DIMENSION), np.float32)
    _histograms(np.ascontiguousarray(samples), _BIN, out)
    return out


@numba.njit(cache=True, nogil=True)
def _grey(pixels: Any, out: Any) -> None:
    for i in range(len(pixels)):
        weighted = 19595 * np.int32(pixels[i, 0]) + 38470 * np.int32(pixels[i, 1]) + 7471 * np.int32(pixels[i, 2])
        out[i] = (weighted + 32768) >> 16


@numba.njit(cache=True, nogil=True)
def _label(padded: Any, table: Any, labels: Any) -> None:
    rows, columns = labels.shape
    for r in range(rows):
        _row(padded[r], padded[r + 1], padded[r + 2], padded[r + 3], padded[r + 4], labels[r])
        for c in range(columns):
            labels[r, c] = table[labels[r, c]]


@numba.njit(cache=True, nogil=True, inline="always")
def _sign(inner: Any, cross: Any, other: Any, outer: Any, centre: Any) -> Any:
    return _INNER * (inner - centre) + _CROSS * (cross + other - 2.0 * centre) + _OUTER * (outer - centre) >= 0.0


@numba.njit(cache=True, nogil=True)
def _row(far_up: Any, up: Any, middle: Any, down: Any, far_down: Any, out: Any) -> None:
    """The 8-bit patterns of one row; arguments are the five rows around it, padded by two columns."""
    for c in range(len(out)):
        x = middle[c + 2]
        code = np.uint8(middle[c + 4] >= x)
        code |= np.uint8(_sign(up[c + 3], up[c + 4], far_up[c + 3], far_up[c + 4], x)) << 1
        code |= np.uint8(far_up[c + 2] >= x) << 2
        code |= np.uint8(_sign(up[c + 1], up[c], far_up[c + 1], far_up[c], x)) << 3
        code |= np.uint8(middle[c] >= x) << 4
        code |= np.uint8(_sign(down[c + 1], down[c], far_down[c + 1], far_down[c], x)) << 5
        code |= np.uint8(far_down[c + 2] >= x) << 6
        code |= np.uint8(_sign(down[c + 3], down[c + 4], far_down[c + 3], far_down[c + 4], x)) << 7
        out[c] = code


@numba.njit(cache=True, nogil=True)
def _histograms(samples: Any, table: Any, out: Any) -> None:
    flat = np.empty(SIDE * SIDE, np.uint8)
    padded = np.zeros((SIDE + 4, SIDE + 4), np.float64)
    labels = np.empty((SIDE, SIDE), np.uint8)
    for n in range(len(samples)):
        _grey(samples[n].reshape(SIDE * SIDE, 3), flat)
        padded[2 : SIDE + 2, 2 : SIDE + 2] = flat.reshape(SIDE, SIDE)
        _label(padded, table, labels)
        for r in range(SIDE):
            first = r // CELL * (SIDE // CELL)
            for c in range(SIDE):
                out[n, (first + c // CELL) * BINS + labels[r, c]] += np.float32(1)


class LocalBinaryPatterns(Recogniser):
    """Uniform LBP(8,2) histograms compared by chi-square: score = -chi-square, at most 0.

    All counts are whole numbers and every comparison of grey levels is exact: templates are the same bits everywhere.
    """

    id = "lbp"
    dimension = DIMENSION
    weights: Mapping[str, str] = {}

    def __init__(self, *, digest: str) -> None:
        self.digest = digest

    def embed(self, samples: Samples) -> Templates:
        return histograms(samples)

    def compare(self, a: Templates, b: Templates) -> npt.NDArray[np.float32]:
        return -chi_square(a, b)

    def compare_all(self, a: Templates, b: Templates) -> npt.NDArray[np.float32]:
        return -chi_square_all(a, b)
