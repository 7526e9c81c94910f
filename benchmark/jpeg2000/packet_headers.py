"""Reads packet headers in compiled loops: tag trees, pass counts and segment lengths.

Every access is checked here, since compiled code does not: reading past a tile-part yields zeros and is reported when
the header ends. `read_packets` is one long function on purpose: numba counts references, atomically, for every array
that a function receives, and with the tag tree in a function of its own the same work took six times as long. Hot
indices are unsigned (`np.uintp`), since numba counts negative ones from the end: a fifth of the time.
Source: ISO/IEC 15444-1 (T.800) B.9 and B.10.
"""

from __future__ import annotations

import numpy as np
from numba import njit

OK, HEADER_CUT, BODY_CUT, NO_EPH, IMPOSSIBLE, LEFT_OVER, MISSING, BAD_SOP = range(8)
MESSAGES = {
    HEADER_CUT: "a packet header reaches past its tile-part",
    BODY_CUT: "a packet's data reaches past its tile-part",
    NO_EPH: "a packet header without the end marker (EPH) that COD announces",
    IMPOSSIBLE: "an impossible packet header",
    LEFT_OVER: "bytes after a tile's last packet",
    MISSING: "packets are missing",
    BAD_SOP: "an impossible start-of-packet marker (SOP)",
}
#: More zero bit-planes than 38-bit samples with 7 guard bits and every gain have.
_MAX_ZERO_PLANES = 74
_UNKNOWN = 1 << 30
#: Floor of the logarithm to base 2; a packet adds at most 164 passes to a code-block.
_LOG2 = np.array([0, *(number.bit_length() - 1 for number in range(1, 165))], dtype=np.int64)


@njit(cache=True, nogil=True)
def _refill(data, position, end, byte, bits, left, wanted):  # type: ignore[no-untyped-def]  # numba infers them
    """Tops the reader up to `wanted` bits (at most 48); after a byte FF only seven follow (bit stuffing, B.10.1)."""
    while left < wanted:
        width = 7 if byte == 0xFF else 8
        byte = np.int64(data[np.uintp(position)]) if position < end else np.int64(0)
        bits = (bits << width) | (byte & 0x7F if width == 7 else byte)
        position += 1
        left += width
    return position, byte, bits, left


@njit(cache=True, nogil=True)
def _passes(bits, left):  # type: ignore[no-untyped-def]  # numba infers them
    """Number of coding passes (table B.4), and how many bits say so, from at least 16 bits."""
    word = (bits >> (left - 16)) & 0xFFFF
    if word < 0x8000:
        return 1, 1
    if word < 0xC000:
        return 2, 2
    if word < 0xF000:
        return 3 + ((word >> 12) & 3), 4
    if word < 0xFF80:
        return 6 + ((word >> 7) & 31), 9
    return 37 + (word & 127), 16


@njit(cache=True, nogil=True)
def _segment_passes(style, done):  # type: ignore[no-untyped-def]  # numba infers them
    """How many passes the codeword segment may still take that pass number `done` falls into (D.4, D.6)."""
    if style & 4:  # TERMALL
        return 1
    if style & 1:  # BYPASS: ten arithmetic passes, then two raw ones and one arithmetic one by turns
        if done < 10:
            return 10 - done
        return 2 if (done - 10) % 3 == 0 else 1
    return 1 << 20


@njit(cache=True, nogil=True)
def read_packets(  # type: ignore[no-untyped-def]  # numba infers them
    data, parts, tile_packets, sequence, precincts, pieces, parents, flags, style, blocks, table, segments
):
    """Fills `table` and `segments`; returns (status, byte position, packets read, segments met, body bytes).

    - `data`: the codestream (uint8); `parts`: tile, first byte, end of every tile-part (int64, T x 3);
    - `tile_packets` .. `parents`: see `Layout`; `flags`: 2 SOP, 4 EPH; `style`, `blocks`: of code-blocks, and how many;
    - `table` (int32, packets x 4): number in `sequence`, first byte, first body byte, end;
    - `segments` (int32, any x 6): packet, code-block, passes, first byte, length, zero bit-planes. Rows beyond its
      capacity are counted only: call again with as many.
    """
    # Both tag trees of all pieces: first the layers in which blocks enter, then the missing bit-planes.
    nodes = np.uintp(parents.size)
    values = np.full(2 * parents.size, _UNKNOWN, np.int64)
    lows = np.zeros(2 * parents.size, np.int64)
    passes_done = np.zeros(blocks, np.int32)
    length_bits = np.full(blocks, 3, np.int32)
    path = np.empty(32, np.uintp)
    one = np.uintp(1)
    upcoming = tile_packets[:-1].copy()
    packets = met = bodies = 0

    for part in range(parts.shape[0]):
        tile, position, end = np.uintp(parts[part, 0]), parts[part, 1], parts[part, 2]
        number, stop = np.uintp(upcoming[tile]), np.uintp(tile_packets[tile + one])
        while number < stop and position < end:
            start = position
            if flags & 2 and position + 1 < end and data[position] == 0xFF and data[position + 1] == 0x91:
                if position + 6 > end or data[position + 2] != 0 or data[position + 3] != 4:
                    return BAD_SOP, position, packets, met, bodies
                position += 6
            precinct, layer = np.uintp(sequence[number, 0]), np.int64(sequence[number, 1])
            header = position
            byte = bits = left = np.int64(0)
            count = body = 0
            if position < end and data[np.uintp(position)] < 0x80:  # an empty packet: one bit 0
                left, position = np.int64(7), position + 1
                last_piece = 0
            else:
                position, byte, bits, left = _refill(data, position, end, byte, bits, left, 1)
                left -= 1
                last_piece = precincts[precinct + one, 4]
            for row in range(precincts[precinct, 4], last_piece):
                piece = np.uintp(row)
                first_block, first_node = pieces[piece, 2], pieces[piece, 3]
                for index in range(pieces[piece, 0] * pieces[piece, 1]):
                    block, leaf = np.uintp(first_block + index), np.uintp(first_node + index)
                    done = passes_done[block]
                    if done == 0:
                        path[0] = leaf
                        depth = 1
                        parent = parents[leaf]
                        while parent >= 0:
                            path[depth] = parent
                            depth += 1
                            parent = parents[parent]
                        # First whether the block is in this layer, then, if so, its missing bit-planes.
                        for tree in range(2):
                            threshold = layer + 1 if tree == 0 else _MAX_ZERO_PLANES
                            low = 0
                            for step in range(depth - 1, -1, -1):
                                node = path[step] + nodes if tree else path[step]
                                low = max(low, lows[node])
                                value = values[node]
                                while low < threshold and low < value:
                                    if left == 0:
                                        position, byte, bits, left = _refill(data, position, end, byte, bits, left, 1)
                                    left -= 1
                                    if (bits >> left) & 1:
                                        value = low
                                    else:
                                        low += 1
                                values[node], lows[node] = value, low
                            if value >= threshold:
                                break
                        if values[leaf] > layer:
                            continue
                        if values[leaf + nodes] >= _MAX_ZERO_PLANES:
                            return IMPOSSIBLE, start, packets, met, bodies
                    else:
                        if left == 0:
                            position, byte, bits, left = _refill(data, position, end, byte, bits, left, 1)
                        left -= 1
                        if not (bits >> left) & 1:
                            continue
                    if left < 18:
                        position, byte, bits, left = _refill(data, position, end, byte, bits, left, 18)
                    passes, used = _passes(bits, left)
                    left -= used
                    while (bits >> (left - 1)) & 1:
                        left -= 1
                        length_bits[block] += 1
                        if left == 1:
                            position, byte, bits, left = _refill(data, position, end, byte, bits, left, 2)
                    left -= 1
                    while passes > 0:
                        here = min(passes, _segment_passes(style, done))
                        wide = length_bits[block] + _LOG2[here]
                        if wide > 30 or done > 1000:
                            return IMPOSSIBLE, start, packets, met, bodies
                        if left < wide:
                            position, byte, bits, left = _refill(data, position, end, byte, bits, left, wide)
                        left -= wide
                        length = (bits >> left) & ((1 << wide) - 1)
                        body += length
                        if body > end - header:
                            return BODY_CUT, start, packets, met, bodies
                        row = met + count
                        if row < segments.shape[0]:
                            segments[row, 0], segments[row, 1], segments[row, 2] = packets, block, here
                            segments[row, 4], segments[row, 5] = length, values[leaf + nodes]
                        count += 1
                        passes -= here
                        done += here
                    passes_done[block] = done
            # Gives back the bytes that were read ahead; a header never ends in FF, a stuffed byte follows (B.10.1).
            while position > header + 1:
                width = 7 if position - 2 < end and data[position - 2] == 0xFF else 8
                if left < width:
                    break
                left -= width
                position -= 1
            if position <= end and data[position - 1] == 0xFF:
                position += 1
            if position > end:
                return HEADER_CUT, start, packets, met, bodies
            if flags & 4:
                if position + 2 > end or data[position] != 0xFF or data[position + 1] != 0x92:
                    return NO_EPH, position, packets, met, bodies
                position += 2
            if body > end - position:
                return BODY_CUT, start, packets, met, bodies
            entry = np.uintp(packets)
            table[entry, 0], table[entry, 1], table[entry, 2], table[entry, 3] = (
                number,
                start,
                position,
                position + body,
            )
            number += one
            for row in range(met, min(met + count, segments.shape[0])):
                segments[row, 3] = position
                position += segments[row, 4]
            position = np.int64(table[entry, 3])
            met += count
            bodies += body
            packets += 1
        upcoming[tile] = number
        if position < end:
            return LEFT_OVER, position, packets, met, bodies
    if packets < sequence.shape[0]:
        return MISSING, np.int64(data.size), packets, met, bodies
    return OK, np.int64(data.size), packets, met, bodies
