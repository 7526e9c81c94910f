"""Compiled loops that read the coefficients of progressive scans, up to erased bytes (T.81 annex G).

Names are those of scan_loops. `lost` (uint64, a block each) has bit k set where coefficient k of the zigzag order was
lost in an earlier scan: a scan that refines it cannot be told apart into codes from there to its segment's end.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from benchmark.jpeg.cipher_loops import BAD_CODE, DATA_ENDS, OK
from benchmark.jpeg.huffman import find_code
from benchmark.jpeg.resynchronisation import resynchronise
from benchmark.jpeg.scan_loops import ZIGZAG, block_number, extended, forty_bits, readable_end


@njit(cache=True, nogil=True)
def read_dc(  # type: ignore[no-untyped-def]  # numba infers them
    coded, segments, mcus, across, interval, places, components, tables, erased, erased_end, high, low,
    coefficients, groups
):  # fmt: skip
    """Reads a scan of DC coefficients, the first one (`high` 0) or one that adds bit `low`; see read_sequential.

    Blocks are not looked for behind erased bytes: their codes are too few to tell certainly which is whose, and what
    `completion` makes of the AC coefficients is nearer to the truth.
    """
    predicted = np.zeros(4, np.int64)
    rows = places.shape[0]
    for segment in range(segments.shape[0]):
        position, stop = 8 * segments[segment, 2], 8 * segments[segment, 3]
        limit = readable_end(position, stop, erased, erased_end)
        predicted[:] = 0
        blocks = (min((segment + 1) * interval, mcus) - segment * interval) * rows
        cut = False
        for index in range(blocks):
            row = index % rows
            block = np.uintp(block_number(places, row, across, segment * interval + index // rows))
            if cut:
                groups[block] = block + np.uintp(1)
                continue
            bits, inside = forty_bits(coded, position), position & 7
            if high > 0:
                # One bit a block, so the place of each is known; a bit for what was lost says nothing.
                if position >= stop:
                    return DATA_ENDS, position >> 3
                if (position < limit or position >= erased_end) and groups[block] == 0 and (bits >> (39 - inside)) & 1:
                    coefficients[block, 0] |= 1 << low
                position += 1
                continue
            found = find_code(tables, places[row, 6], (bits >> (24 - inside)) & 0xFFFF)
            length, size = found >> 8, found & 15
            if found == 0 or position + length + size > limit:
                if limit == stop:
                    return BAD_CODE if found == 0 and position + 16 <= stop else DATA_ENDS, position >> 3
                cut = True
                groups[block] = block + np.uintp(1)
                continue
            predicted[components[row]] += extended((bits >> (40 - inside - length - size)) & ((1 << size) - 1), size)
            coefficients[block, 0] = predicted[components[row]] << low
            position += length + size
    return OK, 0


@njit(cache=True, nogil=True)
def read_ac_first(  # type: ignore[no-untyped-def]  # numba infers them
    coded, segments, mcus, across, interval, places, tables, erased, erased_end, first, last, low, coefficients, lost
):
    """Reads the first scan of a band of AC coefficients of one component (G.1.2.2)."""
    band = (np.uint64(0xFFFFFFFFFFFFFFFF) << np.uint64(first)) & (np.uint64(0xFFFFFFFFFFFFFFFF) >> np.uint64(63 - last))
    for segment in range(segments.shape[0]):
        position, stop = 8 * segments[segment, 2], 8 * segments[segment, 3]
        limit = readable_end(position, stop, erased, erased_end)
        blocks_to_skip = 0
        blocks = min((segment + 1) * interval, mcus) - segment * interval
        resumed = 0
        for index in range(blocks):
            block = np.uintp(block_number(places, 0, across, segment * interval + index))
            if index < resumed:
                lost[block] |= band
                continue
            if blocks_to_skip > 0:
                blocks_to_skip -= 1
                continue
            k = first
            while k <= last:
                bits, inside = forty_bits(coded, position), position & 7
                found = find_code(tables, places[0, 7], (bits >> (24 - inside)) & 0xFFFF)
                length, run, size = found >> 8, (found >> 4) & 15, found & 15
                more = run if size == 0 and run < 15 else size
                if found == 0 or position + length + more > limit:
                    if limit == stop:
                        return BAD_CODE if found == 0 and position + 16 <= stop else DATA_ENDS, position >> 3
                    limit, left = stop, blocks - index - 1
                    position, left = resynchronise(
                        coded, min(erased_end, stop), stop, left, first, last, places, tables
                    )
                    resumed = blocks - left
                    lost[block] |= band
                    break
                read = (bits >> (40 - inside - length - more)) & ((1 << more) - 1)
                position += length + more
                if size > 0:
                    k += run
                    if k > last:
                        return BAD_CODE, position >> 3
                    coefficients[block, ZIGZAG[k]] = extended(read, size) << low
                elif run == 15:
                    k += 15
                else:  # the end of this block's band, and of as many after it
                    blocks_to_skip = (1 << run) + read - 1
                    break
                k += 1
    return OK, 0


@njit(cache=True, nogil=True)
def read_ac_more(  # type: ignore[no-untyped-def]  # numba infers them
    coded, segments, mcus, across, interval, places, tables, erased, erased_end, first, last, low, coefficients, lost
):
    """Reads a scan that adds bit `low` to a band of AC coefficients of one component (G.1.2.3)."""
    band = (np.uint64(0xFFFFFFFFFFFFFFFF) << np.uint64(first)) & (np.uint64(0xFFFFFFFFFFFFFFFF) >> np.uint64(63 - last))
    for segment in range(segments.shape[0]):
        position, stop = 8 * segments[segment, 2], 8 * segments[segment, 3]
        limit = readable_end(position, stop, erased, erased_end)
        blocks_left = 0
        cut = False
        for mcu in range(segment * interval, min((segment + 1) * interval, mcus)):
            block = np.uintp(block_number(places, 0, across, mcu))
            # Which bits follow depends on which coefficients are not zero yet.
            cut = cut or (lost[block] & band) != 0
            k = first
            while k <= last and not cut:
                zeros, fresh = 64, 0
                if blocks_left == 0:
                    bits = forty_bits(coded, position)
                    inside = position & 7
                    found = find_code(tables, places[0, 7], (bits >> (24 - inside)) & 0xFFFF)
                    length, run, size = found >> 8, (found >> 4) & 15, found & 15
                    more = run if size == 0 and run < 15 else size
                    if found == 0 or size > 1 or position + length + more > limit:
                        if limit == stop:
                            short = position + length + more > stop or position + 16 > stop
                            return DATA_ENDS if short else BAD_CODE, position >> 3
                        cut = True
                        break
                    read = (bits >> (40 - inside - length - more)) & ((1 << more) - 1)
                    position += length + more
                    if size == 1:
                        zeros, fresh = run, 2 * read - 1
                    elif run == 15:
                        zeros = 15
                    else:
                        blocks_left = (1 << run) + read
                # On to the coefficient that the code is about; those on the way that are not zero have a bit each.
                while k <= last:
                    place = ZIGZAG[k]
                    value = np.int64(coefficients[block, place])
                    if value == 0:
                        if zeros == 0:
                            break
                        zeros -= 1
                    else:
                        if position >= limit:
                            if limit == stop:
                                return DATA_ENDS, position >> 3
                            cut = True
                            break
                        at = np.uintp(position >> 3)
                        if (coded[at] >> (7 - (position & 7))) & 1 and not abs(value) & (1 << low):
                            coefficients[block, place] = value + (1 << low if value > 0 else -(1 << low))
                        position += 1
                    k += 1
                if fresh != 0 and not cut:
                    if k > last:
                        return BAD_CODE, position >> 3
                    coefficients[block, ZIGZAG[k]] = fresh << low
                k += 1
            if cut:
                lost[block] |= band
            elif blocks_left > 0:
                blocks_left -= 1
    return OK, 0
