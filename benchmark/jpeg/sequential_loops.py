"""Compiled loop that reads the coefficients of sequential scans, up to erased bytes or around them (T.81 F.2.2)."""

from __future__ import annotations

import numpy as np
from numba import njit

from benchmark.jpeg.cipher_loops import BAD_CODE, DATA_ENDS, OK
from benchmark.jpeg.huffman import find_code
from benchmark.jpeg.resynchronisation import resynchronise
from benchmark.jpeg.scan_loops import ZIGZAG, block_number, extended, forty_bits, readable_end


@njit(cache=True, nogil=True)
def read_sequential(  # type: ignore[no-untyped-def]  # numba infers them
    coded, segments, mcus, across, interval, places, components, tables, erased, erased_end, codes_erased,
    coefficients, groups
):  # fmt: skip
    """Reads a sequential scan; returns (status, byte of `coded`). Names are those of scan_loops.

    Bits erased..erased_end are not looked at. With `codes_erased`, Huffman codes in there are lost, and blocks are lost
    from there to where they are found again (see resynchronisation); without, only coefficients are that have amplitude
    bits in there. A lost coefficient is 0; after a lost DC difference the prediction starts at 0 in a group of its own.
    `components` (int64): the number in the scan of the component that each block of an MCU belongs to.
    """
    predicted = np.zeros(4, np.int64)
    group = np.zeros(4, np.int64)
    rows = places.shape[0]
    for segment in range(segments.shape[0]):
        position, stop = 8 * segments[segment, 2], 8 * segments[segment, 3]
        limit = readable_end(position, stop, erased, erased_end) if codes_erased else stop
        predicted[:] = 0
        group[:] = 0
        blocks = (min((segment + 1) * interval, mcus) - segment * interval) * rows
        resumed = blocks
        lost = False
        for index in range(blocks):
            row = index % rows
            block = np.uintp(block_number(places, row, across, segment * interval + index // rows))
            component = components[row]
            if lost and index == resumed:
                lost = False
            if lost:
                groups[block] = block + np.uintp(1)
                continue
            k = 0
            while k < 64:
                bits = forty_bits(coded, position)
                inside = position & 7
                found = find_code(tables, places[row, 6 if k == 0 else 7], (bits >> (24 - inside)) & 0xFFFF)
                length, size = found >> 8, found & 15
                if found == 0 or position + length + size > limit:
                    if limit == stop:
                        return BAD_CODE if found == 0 and position + 16 <= stop else DATA_ENDS, position >> 3
                    lost, limit = True, stop
                    if k == 0:
                        groups[block] = block + np.uintp(1)
                    left = blocks - index - 1
                    position, left = resynchronise(coded, min(erased_end, stop), stop, left, 0, 63, places, tables)
                    resumed = blocks - left
                    # What comes then has DC differences to something lost.
                    group[:] = -1
                    break
                value = extended((bits >> (40 - inside - length - size)) & ((1 << size) - 1), size)
                known = size == 0 or position + length >= erased_end or position + length + size <= erased
                position += length + size
                if k == 0:
                    if not known or group[component] < 0:
                        group[component] = block + np.uintp(1)
                        predicted[component] = 0
                    else:
                        predicted[component] += value
                    coefficients[block, 0] = predicted[component]
                    groups[block] = group[component]
                else:
                    run = (found >> 4) & 15
                    k += run if size > 0 or run == 15 else 64
                    if size > 0:
                        if k > 63:
                            return BAD_CODE, position >> 3
                        if known:
                            coefficients[block, ZIGZAG[k]] = value
                k += 1
    return OK, 0
