"""Compiled loops that read the coefficients of sequential scans, up to erased bytes or around them.

Blocks have one row each in `coefficients` (int16, blocks x 64, natural order). `places` (int64, blocks of an MCU x 8)
says where a scan's blocks go: the component's first block, its blocks across, its blocks of an MCU across and down, the
block's place in them across and down, the rows of its DC and AC table.

`groups` (int32, a block each) says what is known of a block's DC coefficient: 0, all; else it is known up to a constant
that all blocks of its group share, and a group is named by its first block plus one.
"""

from __future__ import annotations

import numpy as np
from numba import njit

#: Where in a block (row by row) the coefficients of the zigzag order stand (T.81 figure A.6).
ZIGZAG = np.array(
    [
        0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14,
        21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60,
        61, 54, 47, 55, 62, 63,
    ],
    dtype=np.int64,
)  # fmt: skip


@njit(cache=True, nogil=True, inline="always")
def forty_bits(coded, position):  # type: ignore[no-untyped-def]  # numba infers them
    """The five bytes of `coded` that the bit at `position` begins in: a code of 16 bits and 15 more, at any place."""
    at = np.uintp(position >> 3)
    high = (np.int64(coded[at]) << 32) | (np.int64(coded[at + np.uintp(1)]) << 24)
    middle = (np.int64(coded[at + np.uintp(2)]) << 16) | (np.int64(coded[at + np.uintp(3)]) << 8)
    return high | middle | np.int64(coded[at + np.uintp(4)])


@njit(cache=True, nogil=True, inline="always")
def extended(bits, size):  # type: ignore[no-untyped-def]  # numba infers them
    """The value that amplitude bits of a category stand for (T.81 F.2.2.1, EXTEND)."""
    return bits if size == 0 or bits >> (size - 1) else bits - (1 << size) + 1


@njit(cache=True, nogil=True, inline="always")
def readable_end(start, stop, erased, erased_end):  # type: ignore[no-untyped-def]  # numba infers them
    """How far a segment can be read: to its end, or to the first erased bit in it."""
    return max(start, erased) if erased < stop and erased_end > start else stop


@njit(cache=True, nogil=True, inline="always")
def block_number(places, row, across, mcu):  # type: ignore[no-untyped-def]  # numba infers them
    """The block that stands in row `row` of `places`, in MCU number `mcu` of a scan that has `across` side by side."""
    down = (mcu // across) * places[row, 3] + places[row, 5]
    return places[row, 0] + down * places[row, 1] + (mcu % across) * places[row, 2] + places[row, 4]
