"""Finds the blocks after erased bytes again, in a segment whose Huffman codes were lost for a while.

Huffman codes synchronise themselves: whoever starts to read at a wrong bit, or takes a block for another one of its
MCU, soon reads what is really there. How many blocks were lost is not known, but how the segment ends is: with the last
block of an MCU, and fewer than eight bits 1 to fill a byte (T.81 F.1.2.3). So blocks are counted from the end. Reading
is tried from many places behind the erased bytes; where half of all attempts that end well have come together, the
blocks are taken to be right. Of progressive scans this is done for the first one of a band of AC coefficients; the
codes of those that refine a band depend on what was lost.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from benchmark.jpeg.huffman import find_code
from benchmark.jpeg.scan_loops import forty_bits

#: Reading is tried from every bit this far behind the erased ones.
_REACH = 192
#: Longer segments (128 KiB) are not searched: face samples are far shorter, and it takes up to 200 bytes a bit.
_LONGEST = 1 << 20
_UNSEEN, _FAILS, _ENDS = 0, -1, -2


@njit(cache=True, nogil=True)
def resynchronise(  # type: ignore[no-untyped-def]  # numba infers them
    coded, start, stop, most, band_first, band_last, places, tables
):
    """The first bit of `coded` behind `start` where a block certainly begins, and how many blocks follow up to `stop`.

    `most`: how many may follow, those before being known; `band_first`, `band_last`: the scan's spectral selection (0
    to 63 in a sequential scan); `places`, `tables`: see scan_loops. Returns (bit, blocks); 0 blocks where there are
    none to be found.
    """
    width, rows = stop - start, places.shape[0]
    if width < 8 or width > _LONGEST:
        return start, 0
    # A state is a bit and the block of an MCU that begins there; `onward` says where the next block begins.
    onward = np.zeros((width + 1) * rows, np.int32)
    taken = np.zeros((width + 1) * rows, np.int32)
    blocks = np.full((width + 1) * rows, -1, np.int32)
    seen = np.empty((width + 1) * rows, np.int64)
    met = 0
    attempts = min(_REACH, width) * rows
    for first in range(attempts):
        state, path = first, met
        while onward[state] == _UNSEEN:
            seen[met] = state
            met += 1
            following, taken[state] = _next_block(
                coded, start + state // rows, stop, state % rows, band_first, band_last, places, tables
            )
            onward[state] = following
            if following > 0:
                onward[state] = (following - start) * rows + (state % rows + 1) % rows
                state = onward[state]
        # Back along what this attempt was the first to see: how many blocks there are from there to a good end.
        count = np.int64(0) if onward[state] == _ENDS else np.int64(blocks[state])
        for place in range(met - 1, path - 1, -1):
            if seen[place] != state and count >= 0:
                count += taken[seen[place]]
            blocks[seen[place]] = count
    return _agreed(start, rows, seen[:met], onward, blocks, attempts, most)


@njit(cache=True, nogil=True)
def _agreed(start, rows, seen, onward, blocks, attempts, most):  # type: ignore[no-untyped-def]  # numba infers them
    """Where half of the attempts that end well have come together, and how many blocks follow."""
    votes = np.zeros(onward.size, np.int32)
    well = 0
    for state in range(attempts):
        if blocks[state] > 0:
            votes[state] = 1
            well += 1
    for state in np.sort(seen):
        if blocks[state] > 0:
            if 2 * votes[state] >= well and blocks[state] <= most:
                return start + state // rows, np.int64(blocks[state])
            votes[onward[state]] += votes[state]
    return start, 0


@njit(cache=True, nogil=True)
def _next_block(  # type: ignore[no-untyped-def]  # numba infers them
    coded, position, stop, row, band_first, band_last, places, tables
):
    """Where the next code of a block begins, and how many blocks are passed until then.

    Instead of a place, _ENDS where the segment ends well, _FAILS where there is no block.
    """
    if row == 0 and stop - position < 8:
        rest = np.int64(1) << (stop - position)
        if (np.int64(coded[np.uintp((stop - 1) >> 3)]) & (rest - 1)) == rest - 1:
            return _ENDS, 0
    k = band_first
    while k <= band_last:
        bits, inside = forty_bits(coded, position), position & 7
        found = find_code(tables, places[row, 6 if k == 0 else 7], (bits >> (24 - inside)) & 0xFFFF)
        length, size, run = found >> 8, found & 15, (found >> 4) & 15
        if k == 0:
            run = 0
        ends = k > 0 and size == 0 and run < 15
        more = run if ends and band_first > 0 else size
        if found == 0 or position + length + more > stop:
            return _FAILS, 0
        position += length + more
        if ends:
            # In a progressive scan, of as many blocks as the bits say.
            read = (bits >> (40 - inside - length - more)) & ((1 << more) - 1)
            return position, (1 << more) + read
        k += run
        if k > band_last:
            return _FAILS, 0
        k += 1
    return position, 1
