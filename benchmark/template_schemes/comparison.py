"""Scores of protected templates, row by row and all against all: higher = more alike."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

from benchmark.errors import InvalidInputError
from benchmark.interfaces import Templates

#: What 16 bits count to.
_MOST = (1 << 16) - 1


def share_of_equal(a: Templates, b: Templates) -> npt.NDArray[np.float32]:
    """Share (float32, N; 0..1) of equal entries of N pairs of rows (N x L): 1 - normalised Hamming distance.

    Raises InvalidInputError where shapes do not fit.

    >>> share_of_equal(np.array([[1, 0, 1, 0]], np.float32), np.array([[1, 1, 1, 0]], np.float32)).tolist()
    [0.75]
    """
    if a.shape != b.shape or a.ndim != 2:
        raise InvalidInputError(f"pairs of templates need two arrays of one shape N x L, not {a.shape} and {b.shape}")
    return np.asarray((a == b).mean(axis=1), np.float32)


def share_of_equal_all(a: Templates, b: Templates) -> npt.NDArray[np.float32]:
    """Share (float32, N x M; 0..1) of equal entries of every row of a (N x L) and every one of b (M x L).

    As `share_of_equal`, to the last bit. Raises InvalidInputError where shapes do not fit.

    >>> share_of_equal_all(np.array([[1, 0, 1, 0]], np.float32), np.eye(2, 4, dtype=np.float32)).tolist()
    [[0.75, 0.25]]
    """
    equal = equal_entries(a, b, 1)[:, 0]
    return np.asarray(equal / np.float64(a.shape[1]), np.float32)


def equal_entries(a: Templates, b: Templates, blocks: int) -> npt.NDArray[np.uint16]:
    """How many entries of each of `blocks` parts are equal (uint16, N x blocks x M) in rows of a (N x L) and b (M x L).

    Small whole numbers are compared as bytes. Raises InvalidInputError where shapes do not fit.

    >>> equal_entries(np.array([[1, 0, 1, 0]], np.float32), np.eye(2, 4, dtype=np.float32), 2).tolist()
    [[[2, 0], [1, 1]]]
    """
    if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[1] or a.shape[1] % blocks or a.shape[1] > _MOST * blocks:
        raise InvalidInputError(
            f"{blocks} blocks of templates of one width cannot be compared: {a.shape} and {b.shape}"
        )
    one, other = _small(a), _small(b)
    if one.dtype != other.dtype:
        one, other = np.asarray(a, np.float32), np.asarray(b, np.float32)
    out = np.zeros((len(a), blocks, len(b)), np.uint16)
    # The entries of all rows of b side by side: as many are compared with one of a as the processor takes at a time.
    _count_equal(np.ascontiguousarray(one), np.ascontiguousarray(other.T), out, np.zeros(len(b), np.uint8))
    return out


def _small(x: Templates) -> npt.NDArray[np.uint8] | npt.NDArray[np.float32]:
    """Whole numbers 0..255 as bytes, others as they are."""
    with np.errstate(invalid="ignore"):
        bytes_ = x.astype(np.uint8)
    return bytes_ if np.array_equal(bytes_, x) else np.asarray(x, np.float32)


@njit(cache=True, nogil=True)
def _count_equal(a, b, out, few):  # type: ignore[no-untyped-def]  # numba infers them
    rows, blocks, columns = out.shape
    size = a.shape[1] // blocks
    for row in range(rows):
        for block in range(blocks):
            # Bytes count to 255.
            for first in range(block * size, (block + 1) * size, 255):
                few[:] = 0
                for entry in range(first, min(first + 255, (block + 1) * size)):
                    own = a[row, entry]
                    for column in range(columns):
                        few[column] += own == b[entry, column]
                for column in range(columns):
                    out[row, block, column] += few[column]
