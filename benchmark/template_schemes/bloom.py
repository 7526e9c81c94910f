"""Bloom filters of a binarised template: which words occur in each block of columns, in no order.

Rathgeb, Breitinger and Busch, Alignment-free cancelable iris biometric templates based on adaptive Bloom filters, ICB
2013; Rathgeb, Breitinger, Busch and Baier, On application of Bloom filters to iris biometrics, IET Biometrics 3(4),
2014. Keyed rearrangement: after Gomez-Barrero, Rathgeb, Galbally, Busch and Fierrez, Unlinkable and irreversible
biometric template protection based on Bloom filters, Information Sciences 370-371, 2016.
"""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import numpy.typing as npt
from numba import njit

from benchmark.errors import InvalidInputError
from benchmark.interfaces import Templates
from benchmark.template_schemes.comparison import equal_entries
from benchmark.template_schemes.keyed import keyed_generator

#: Comparisons of blocks in memory at once.
_AT_ONCE = 1 << 22
Bits = npt.NDArray[np.int64]


def binarise(templates: Templates, intervals: int) -> Bits:
    """Bits (int64 0 or 1, N x D (intervals - 1)) of templates (N x D): each number's interval as a unary code.

    The intervals are equally probable for a normal distribution of the template's own root mean square about 0; two of
    them keep the signs. Unary codes of neighbouring intervals differ in one bit.

    >>> binarise(np.array([[-2, 0.1, 0.2, 2]], np.float32), 2).tolist()
    [[0, 1, 1, 1]]
    """
    if intervals < 2:
        raise InvalidInputError(f"a number falls into one of at least 2 intervals, not {intervals}")
    edges = np.array([NormalDist().inv_cdf(number / intervals) for number in range(1, intervals)])
    spread = np.sqrt(np.square(templates, dtype=np.float64).mean(axis=1))[:, None, None]
    bits: Bits = (templates[:, :, None] > edges * spread).astype(np.int64)
    return bits.reshape(len(templates), -1)


def blocks_of(bits: int, height: int, width: int) -> tuple[int, int]:
    """(columns of `height` bits, blocks of `width` columns) that so many bits fill; the last of each may not be full.

    Raises InvalidInputError for no height or width, and for words of more than 12 bits: 2^12 values a block.

    >>> blocks_of(512, 4, 8)
    (128, 16)
    """
    if not 1 <= height <= 12 or width < 1:
        raise InvalidInputError(f"blocks are 1 to 12 bits high and at least 1 column wide, not {height} x {width}")
    columns = -(-bits // height)
    return columns, -(-columns // width)


def secret(key: bytes, bits: int, height: int, width: int) -> tuple[Bits, Bits]:
    """The key's (order, words): a permutation of the bits, and what the words of each block are XORed with."""
    random = keyed_generator(key, "rearrangement and words")
    return random.permutation(bits), random.integers(1 << height, size=blocks_of(bits, height, width)[1])


def bloom_filters(bits: Bits, order: Bits, words: Bits, height: int, width: int) -> Templates:
    """Filters (float32 0 or 1, N x K 2^height) of bits (N x B), rearranged by `order` (B), XORed with `words` (K).

    Column j of the rearranged bits holds those at j, j + columns, ...; its first bit is the word's highest. Bits that
    are missing to a full column are 0.

    >>> bits = np.array([[0, 1, 1, 1]])  # columns 01 and 11: words 1 and 3, XORed with 1: 0 and 2
    >>> bloom_filters(bits, np.arange(4), np.array([1]), 2, 2).tolist()
    [[1.0, 0.0, 1.0, 0.0]]
    """
    columns, blocks = blocks_of(bits.shape[1], height, width)
    filled = np.zeros((len(bits), height * columns), np.int64)
    filled[:, : bits.shape[1]] = bits[:, order]
    powers = 1 << np.arange(height)[::-1, None]
    found = (filled.reshape(len(bits), height, columns) * powers).sum(axis=1)
    block = np.arange(columns) // width
    out = np.zeros((len(bits), blocks << height), np.float32)
    np.put_along_axis(out, (block << height) + (found ^ words[block]), 1, axis=1)
    return out


def filter_similarity(a: Templates, b: Templates, height: int) -> npt.NDArray[np.float32]:
    """1 - mean over blocks of |a xor b| / (|a| + |b|) (float32, N; 0..1) of N pairs of rows of filters.

    >>> filter_similarity(np.array([[1, 0, 1, 0]], np.float32), np.array([[1, 0, 0, 0]], np.float32), 2).tolist()
    [0.6666666865348816]
    """
    if a.shape != b.shape or a.ndim != 2 or a.shape[1] % (1 << height):
        raise InvalidInputError(f"filters of {1 << height} values a block do not come as {a.shape} and {b.shape}")
    one, other = (x.reshape(len(x), -1, 1 << height) for x in (a, b))
    apart = (one != other).sum(axis=2) / (one.sum(axis=2) + other.sum(axis=2))
    return np.asarray(1 - apart.mean(axis=1), np.float32)


def filter_similarity_all(a: Templates, b: Templates, height: int) -> npt.NDArray[np.float32]:
    """As `filter_similarity`, of every row of a (N) with every one of b (M): float32, N x M.

    >>> filter_similarity_all(np.array([[1, 0, 1, 0]], np.float32), np.array([[1, 0, 0, 0]], np.float32), 2).tolist()
    [[0.6666666865348816]]
    """
    if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[1] or a.shape[1] % (1 << height):
        raise InvalidInputError(f"filters of {1 << height} values a block do not come as {a.shape} and {b.shape}")
    size = 1 << height
    blocks = a.shape[1] // size
    one, other = (x.reshape(len(x), blocks, size).sum(axis=2) for x in (a, b))
    out = np.empty((len(a), len(b)), np.float32)
    step = max(1, _AT_ONCE // max(1, blocks * len(b)))
    for first in range(0, len(a), step):
        rows = slice(first, first + step)
        _similarities(equal_entries(a[rows], b, blocks), one[rows], np.ascontiguousarray(other.T), size, out[rows])
    return out


# `error_model="numpy"` drops Python's check for a zero divisor, which would keep the loop from being vectorised.
@njit(cache=True, nogil=True, error_model="numpy")
def _similarities(equal, one, other, size, out):  # type: ignore[no-untyped-def]  # numba infers them
    rows, blocks, columns = equal.shape
    apart = np.empty(columns)
    for row in range(rows):
        apart[:] = 0
        for block in range(blocks):
            for column in range(columns):
                different = np.float64(size) - equal[row, block, column]
                apart[column] += different / np.float64(one[row, block] + other[block, column])
        for column in range(columns):
            out[row, column] = 1 - apart[column] / blocks
