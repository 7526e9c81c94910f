"""Compiled loops of the two ciphers: which bits of a window are encrypted, and shifting raw bytes by a keystream."""

from __future__ import annotations

import numpy as np
from numba import njit

from benchmark.jpeg.huffman import find_code

OK, BAD_CODE, DATA_ENDS = 0, 1, 2
MESSAGES = {
    BAD_CODE: "an impossible Huffman code",
    DATA_ENDS: "the entropy-coded data end before the last block",
}


@njit(cache=True, nogil=True)
def mark_amplitudes(  # type: ignore[no-untyped-def]  # numba infers them
    coded, segments, mcus, interval, rows, tables, begin, end, mask
):
    """Sets the bits of `mask` that are amplitude bits of a sequential scan and lie in bytes begin..end of `coded`.

    - `segments`: the scan's rows of Parsed.segments; `mcus`, `interval`: MCUs of the scan, and of a segment;
    - `rows` (int64, blocks of an MCU x 2): the rows of its DC and its AC table in `tables`.

    Amplitude bits follow the code of each DC difference and each AC coefficient that is not zero; they say sign and
    magnitude within the category that the code gives (T.81 F.1.2). Returns (status, byte of `coded`); it stops where
    the window ends.
    """
    one, seven = np.uintp(1), np.uintp(7)
    first, last = 8 * begin, 8 * end
    for segment in range(segments.shape[0]):
        stop = 8 * segments[segment, 3]
        position = 8 * segments[segment, 2]
        for _ in range(min(interval, mcus - segment * interval)):
            for block in range(rows.shape[0]):
                k = 0
                while k < 64:
                    if position >= last:
                        return OK, position >> 3
                    at = np.uintp(position >> 3)
                    word = (np.int64(coded[at]) << 16) | (np.int64(coded[at + one]) << 8) | coded[at + np.uintp(2)]
                    word = (word >> (8 - (position & 7))) & 0xFFFF
                    found = find_code(tables, rows[block, 0 if k == 0 else 1], word)
                    if found == 0:
                        return BAD_CODE, position >> 3
                    position += found >> 8
                    size = found & 15
                    if k > 0:
                        run = (found >> 4) & 15
                        # A run without an amplitude is sixteen zeros, or the end of the block.
                        k += run if size > 0 or run == 15 else 64
                        if size > 0 and k > 63:
                            return BAD_CODE, position >> 3
                    for bit in range(max(position, first), min(position + size, last)):
                        mask[np.uintp(bit) >> np.uintp(3)] |= np.uint8(0x80) >> (np.uintp(bit) & seven)
                    position += size
                    k += 1
                    if position > stop:
                        return DATA_ENDS, position >> 3
    return OK, end


@njit(cache=True, nogil=True)
def shift(coded, begin, end, stream, sign):  # type: ignore[no-untyped-def]  # numba infers them
    """Shifts the bytes in begin..end that are not FF by a keystream modulo 255, forwards (`sign` 1) or back (-1).

    Keystream bytes FF are passed over, so that the shift is uniform. Returns False where the keystream ran out.
    """
    used = 0
    for place in range(begin, end):
        position = np.uintp(place)
        value = np.int64(coded[position])
        if value == 0xFF:
            continue
        drawn = np.int64(0xFF)
        while drawn == 0xFF:
            if used == stream.size:
                return False
            drawn = np.int64(stream[used])
            used += 1
        moved = value + sign * drawn
        if moved >= 0xFF:
            moved -= 0xFF
        elif moved < 0:
            moved += 0xFF
        coded[position] = moved
    return True


@njit(cache=True, nogil=True)
def extent(mask):  # type: ignore[no-untyped-def]  # numba infers them
    """First byte with a set bit, the end of the last one, and how many there are; all 0 where there is none."""
    first = last = count = 0
    for place in range(mask.size):
        if mask[place]:
            if count == 0:
                first = place
            last = place + 1
            count += 1
    return first, last, count
