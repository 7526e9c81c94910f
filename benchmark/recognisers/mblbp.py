"""Multi-block local binary patterns with a chi-square comparison: means of blocks in the place of single pixels.

Zhang, Chu, Xiang, Liao, Li, "Face Detection Based on Multi-Block LBP Representation" (ICB 2007); for recognition Liao,
Zhu, Lei, Zhang, Li, "Learning Multi-scale Block Local Binary Patterns for Face Recognition" (ICB 2007). Uniform
patterns, one histogram of 59 bins for each of 8 x 8 cells of 14 x 14 pixels, as in `lbp`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numba
import numpy as np
import numpy.typing as npt

from benchmark.errors import InvalidInputError
from benchmark.interfaces import Recogniser, Samples, Templates

from .aligned import require_aligned
from .chi_square import chi_square, chi_square_all
from .lbp import _BIN, BINS, CELL, DIMENSION, SIDE, grey

#: Side of a block in pixels. It and the treatment of the border were chosen on subjects outside View 2, by
#: tools/choose_mblbp.py.
BOX = 5


def patterns(image: npt.NDArray[np.uint8], *, box: int = BOX) -> npt.NDArray[np.uint8]:
    """The uniform labels (uint8, 0..58) of one grey image (uint8, H x W), wherever all nine blocks lie inside it.

    `box` is the side of a block (odd). The result is (H - 3 box + 1) x (W - 3 box + 1); its first label belongs to the
    pixel at row and column (3 box - 1) / 2, the middle of the middle block. A bit is set where a block is at least as
    bright as the middle one, which is decided on sums of whole numbers: scikit-image's `multiblock_lbp` with its bits
    in the order of `lbp.patterns`. Raises InvalidInputError for an even box, and for an image that is too small.

    >>> patterns(np.full((15, 16), 9, np.uint8))
    array([[57, 57]], dtype=uint8)
    """
    if box < 1 or box % 2 == 0:
        raise InvalidInputError(f"blocks have a middle pixel: their side must be odd and positive, not {box}")
    rows, columns = (side - 3 * box + 1 for side in image.shape)
    if min(rows, columns) < 1:
        raise InvalidInputError(f"three blocks of {box} pixels do not fit into an image of {image.shape}")
    labels = np.empty((rows, columns), np.uint8)
    _label(image, box, _BIN, np.empty((rows + 2 * box, columns + 2 * box), np.int32), labels)
    return labels


def histograms(samples: Samples) -> Templates:
    """Counts of the 59 patterns in each of 64 cells: float32, N x 3776, cell by cell in rows; whole numbers, 0..196.

    Pixels less than 7 from the edge have no label, as their blocks would reach outside: cells at the edge count 98
    pixels, those in the corners 49, all others 196. Takes uint8, N x 112 x 112 x 3, RGB; raises InvalidInputError for
    anything else.

    >>> histograms(np.zeros((1, 112, 112, 3), np.uint8))[0, [57, 9 * 59 + 57]]
    array([ 49., 196.], dtype=float32)
    """
    require_aligned(samples)
    out = np.zeros((len(samples), DIMENSION), np.float32)
    _histograms(grey(samples), _BIN, out)
    return out


@numba.njit(cache=True, nogil=True)
def _block_sums(image: Any, box: Any, out: Any) -> None:
    """Sums of all box x box blocks of an image (uint8, H x W): int32, H - box + 1 x W - box + 1."""
    columns = out.shape[1]
    down = np.zeros(image.shape[1], np.int32)  # the sum of `box` pixels in each column
    for r in range(image.shape[0]):
        for c in range(len(down)):
            down[c] += image[r, c]
        if r < box - 1:
            continue
        first = r - box + 1
        out[first] = down[:columns]
        for k in range(1, box):
            for c in range(columns):
                out[first, c] += down[c + k]
        for c in range(len(down)):
            down[c] -= image[first, c]


@numba.njit(cache=True, nogil=True)
def _label(image: Any, box: Any, table: Any, sums: Any, labels: Any) -> None:
    _block_sums(image, box, sums)
    for r in range(labels.shape[0]):
        _row(sums[r], sums[r + box], sums[r + 2 * box], box, labels[r])
        for c in range(labels.shape[1]):
            labels[r, c] = table[labels[r, c]]


@numba.njit(cache=True, nogil=True)
def _row(above: Any, middle: Any, below: Any, box: Any, out: Any) -> None:
    """The 8-bit patterns of one row, from three rows of sums; bit k is the block at k x 45 degrees, as in `lbp`."""
    centre, right = box, 2 * box  # where the middle and the right block begin; the left one begins at 0
    for c in range(len(out)):
        x = middle[c + centre]
        code = np.uint8(middle[c + right] >= x)
        code |= np.uint8(above[c + right] >= x) << 1
        code |= np.uint8(above[c + centre] >= x) << 2
        code |= np.uint8(above[c] >= x) << 3
        code |= np.uint8(middle[c] >= x) << 4
        code |= np.uint8(below[c] >= x) << 5
        code |= np.uint8(below[c + centre] >= x) << 6
        code |= np.uint8(below[c + right] >= x) << 7
        out[c] = code


@numba.njit(cache=True, nogil=True)
def _histograms(images: Any, table: Any, out: Any) -> None:
    margin = (3 * BOX - 1) // 2
    inner = SIDE - 2 * margin
    sums = np.empty((SIDE - BOX + 1, SIDE - BOX + 1), np.int32)
    labels = np.empty((inner, inner), np.uint8)
    for n in range(len(images)):
        _label(images[n], BOX, table, sums, labels)
        for r in range(inner):
            first = (r + margin) // CELL * (SIDE // CELL)
            for c in range(inner):
                out[n, (first + (c + margin) // CELL) * BINS + labels[r, c]] += np.float32(1)


class MultiBlockLocalBinaryPatterns(Recogniser):
    """Histograms of uniform patterns of 5 x 5 blocks compared by chi-square: score = -chi-square, at most 0.

    Sums of blocks and counts are whole numbers: templates are the same bits everywhere.
    """

    id = "mblbp"
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
