"""Tier-1 decoding: code-blocks from their codeword segments, with error concealment and erasure, and what was found.

All code-block styles of ISO/IEC 15444-1 (T.800) table A.19: selective bypass, context reset, termination on each pass,
vertically causal contexts, predictable termination, segmentation symbols.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from benchmark.jpeg2000.coding_passes import (
    FAR,
    UNCOUNTED,
    badly_terminated,
    bytes_needed,
    clean_up,
    magnitude_refinement,
    reset,
    segmentation_symbol,
    significance_propagation,
    start,
)
from benchmark.jpeg2000.tier1_tables import CONTEXTS, ZERO_CODING

#: Of the files that are compiled into `decode_blocks`, SHA-256 of one after another: numba compiles anew when this file
#: changes, and looks at no other, so this must change with them (a test says to what).
COMPILED_IN = "e001aadbb90ae0acae8208eb0c7447b1ee66e0d78a7b0c3607e447526740dbbb"

#: The numbers that `decode_blocks` knows the rules of concealment by. All stop a code-block at an error. "jj2000" and
#: "forget-plane" look at segmentation symbols and predictable termination: JJ2000 keeps the magnitudes down to the
#: bit-plane of the error, the other forgets that plane, and reconstructs as if it had never been coded. "layer-ends"
#: also compares what the decoder has read at the end of each layer with what the packet header says (see LEAD), and
#: forgets all passes since the last check that held: it needs no segmentation symbols, but layers.
CONCEALMENT = {"off": 0, "jj2000": 1, "forget-plane": 2, "layer-ends": 3}
#: By how many bytes a decoder that is on the right way has read ahead at the end of a layer, or of a codeword segment:
#: at least (in segments that end in each pass one less) and at most. So do OpenJPEG and JJ2000 cut their layers; a
#: decoder that reads encrypted bytes meets it by chance once in twenty times, and once in six where only 4 to 8 bytes
#: are (measured: `window_search.TOUCHED`).
LEAD = 1, 3

#: A row of the report (int32, blocks x 8): one code-block.
BLOCK_REPORT = np.dtype(
    [
        ("passes", np.int32),  # coding passes kept
        ("dropped", np.int32),  # passes that the packet headers announce and that were not kept
        ("plane", np.int32),  # bit-plane in which an error was detected, 0 the least significant; -1 for none
        ("pass", np.int32),  # pass after which it was detected, 0 the first; -1 for none
        ("first_byte", np.int32),  # the error lies here or later (offset into the codestream); or the first erased byte
        ("last_byte", np.int32),  # the error lies before this byte; -1 for none
        ("status", np.int32),  # DECODED, CONCEALED (an error was detected), ERASED or TOO_MANY_PLANES (not decoded)
        ("planes", np.int32),  # magnitude bit-planes that the block has
    ]
)
DECODED, CONCEALED, ERASED, TOO_MANY_PLANES = range(4)
#: Thirty bit-planes, the half below them and the sign fill 32 bits; OpenJPEG takes no more either.
MAX_PLANES = 30
_JJ2000, _FORGET_PLANE, _LAYER_ENDS = 1, 2, 3
_BYPASS, _RESET, _TERMALL, _VSC, _PTERM, _SEGSYM = 1, 2, 4, 8, 16, 32


@njit(cache=True, nogil=True)
def decode_blocks(  # type: ignore[no-untyped-def]  # numba infers them
    data, rows, first_row, blocks, style, conceal, erase_start, erase_stop, coefficients, report, consumed
):
    """Decodes code-blocks into `coefficients`, which must be 0 before.

    - `data`: the codestream (uint8); `rows`: its codeword segments (int32, N x 6, see `codestream.SEGMENT`) sorted by
      code-block; `first_row`: where each block's begin, and their end (int32, B + 1);
    - `blocks` (int32, B x 6): first coefficient, row stride, width, height, orientation (0 LL, 1 HL, 2 LH, 3 HH),
      magnitude bit-planes of its band;
    - `style`: COD's code-block style; `conceal`: see CONCEALMENT; `erase_start`, `erase_stop`: the bytes of `data` that
      are not to be believed, -1 for none: not one of them is read;
    - `coefficients` (int32): twice the value, whose last bit is the half that reconstruction adds;
    - `report` (int32, B x 8, see BLOCK_REPORT); `consumed` (int32, N): bytes of the block's codeword, all segments
      joined, that had been needed after each row's passes, more than there are where the decoder ran past the end of a
      segment; -1 where the row's passes were not all run.

    An erased block keeps each pass whose result the erased bytes cannot change: those of the rows before them, since a
    layer must be decodable without the next one, and those of the first row that they touch, as long as the least and
    the greatest code that the missing bytes could make decode alike, as then does all between.
    """
    size, columns, area = _room(rows, first_row, blocks)
    scratch = np.empty(size, np.uint8), np.empty(CONTEXTS, np.int64), np.empty(columns, np.int64)
    trials = np.empty((2, area), np.int32)
    for number in range(blocks.shape[0]):
        segments = rows[first_row[number] : first_row[number + 1]]
        read = consumed[first_row[number] : first_row[number + 1]]
        read[:] = -1
        found = report[number]
        found[:] = 0
        found[2:6] = -1
        if segments.shape[0] == 0:
            continue
        found[1] = segments[:, 2].sum()
        found[7] = planes = blocks[number, 5] - segments[0, 5]
        if planes > MAX_PLANES:
            found[6] = TOO_MANY_PLANES
            continue
        origin, stride = np.int64(blocks[number, 0]), np.int64(blocks[number, 1])
        width, height = np.int64(blocks[number, 2]), np.int64(blocks[number, 3])
        zero_coding = ZERO_CODING[blocks[number, 4]]
        limit, stop = np.int64(found[1]), _join(data, segments, scratch[0])
        hit = _first_erased(segments, erase_start, erase_stop)
        if hit < segments.shape[0]:
            found[4], found[6] = max(segments[hit, 3], erase_start), ERASED
            limit, stop = _certain_passes(
                scratch, stop, segments, hit, erase_start, planes, style, zero_coding, trials, width, height, read
            )
        block = origin, stride, width, height
        failed, kept, sound, checked = _decode_block(
            scratch, stop, segments, planes, style, conceal, limit, zero_coding, coefficients, block, read
        )
        found[0], found[1] = kept, found[1] - kept
        if failed >= 0:
            found[2], found[3], found[6] = planes - 1 - (failed + 2) // 3, failed, CONCEALED
            found[4], found[5] = _offset(segments, sound), _offset(segments, checked)
            if conceal != _JJ2000:
                _forget(coefficients, block)
                _decode_block(scratch, stop, segments, planes, style, 0, kept, zero_coding, coefficients, block, read)


@njit(**UNCOUNTED)
def _decode_block(  # type: ignore[no-untyped-def]  # numba infers them
    scratch, stop, segments, planes, style, conceal, limit, zero_coding, samples, block, consumed
):
    """Decodes the first `limit` passes of one block from its codeword up to `stop`; ends at an error as `conceal` says.

    Returns the pass where an error was detected or -1, passes kept, and how many bytes had been checked when all was
    well for the last time and then.
    """
    codeword, contexts, flags = scratch
    for place in range((block[2] + 2) * ((block[3] + 3) // 4 + 2)):
        flags[place] = 0
    reset(contexts)
    coder = start(codeword, np.int64(0), np.int64(0), False)
    done = room = begin = end = verified = sound = needed = stated = np.int64(0)
    raw = False
    for row in range(segments.shape[0]):
        if room == 0:
            room, begin, end = _next_segment(segments, row, style, done, end)
            raw = bool(style & _BYPASS and done >= 10 and (done - 10) % 3 < 2)
            coder = start(codeword, begin, min(end, stop), raw)
        known = min(end, stop)
        for _ in range(segments[row, 2]):
            plane, kind = planes - 1 - (done + 2) // 3, done % 3
            if done == limit or plane < 0:
                return np.int64(-1), done, sound, needed
            marks = np.int64(0b1010)
            if kind == 1:
                coder = significance_propagation(
                    codeword, known, contexts, zero_coding, flags, samples, block, style & _VSC != 0, plane, raw, coder
                )
            elif kind == 2:
                coder = magnitude_refinement(codeword, known, contexts, flags, samples, block, plane, raw, coder)
            else:
                coder = clean_up(
                    codeword, known, contexts, zero_coding, flags, samples, block, style & _VSC != 0, plane, coder
                )
                if style & _SEGSYM:
                    marks, coder = segmentation_symbol(codeword, known, contexts, coder)
            done += 1
            room -= 1
            if style & _RESET and not raw:
                reset(contexts)
            needed = bytes_needed(codeword, begin, known, raw, coder)[0] & (FAR - 1)
            terminated = style & _PTERM and style & (_TERMALL | _BYPASS) and room == 0 and end <= stop
            bad = marks != 0b1010
            if terminated:
                # JJ2000 forgets what the segmentation symbol said.
                bad = badly_terminated(codeword, begin, end, raw, coder) or (bad and conceal != _JJ2000)
            checked = end if terminated else needed
            if bad and conceal:
                if conceal == _JJ2000:
                    _cut(samples, block, plane)
                # The first pass of this bit-plane.
                first = np.int64(0) if conceal == _LAYER_ENDS else 3 * ((done + 1) // 3) - 2
                return done - 1, max(first, 0 if conceal == _JJ2000 else verified), sound, checked
            if terminated or (kind == 0 and style & _SEGSYM):
                verified, sound = done, checked
        consumed[row] = needed
        stated += segments[row, 4]
        if conceal == _LAYER_ENDS and not raw:
            least = LEAD[0] - (style & (_TERMALL | _BYPASS) != 0)
            if not least <= needed - stated <= LEAD[1]:
                return done - 1, verified, sound, needed
            verified, sound = done, needed
    return np.int64(-1), done, sound, needed


@njit(**UNCOUNTED)
def _next_segment(segments, row, style, done, end):  # type: ignore[no-untyped-def]  # numba infers them
    """Passes, begin and end in the joined codeword of the codeword segment that starts with pass `done` (D.4, D.6)."""
    room = np.int64(1 << 20)
    if style & _TERMALL:
        room = np.int64(1)
    elif style & _BYPASS:  # ten arithmetic passes, then two raw ones and one arithmetic one by turns
        room = np.int64(10 if done == 0 else 2 if (done - 10) % 3 == 0 else 1)
    begin, passes = end, 0
    while row < segments.shape[0] and passes < room:
        end += segments[row, 4]
        passes += segments[row, 2]
        row += 1
    return room, begin, end


@njit(**UNCOUNTED)
def _cut(samples, block, plane):  # type: ignore[no-untyped-def]  # numba infers them
    """What JJ2000 makes of an error in a bit-plane: this plane's bits stay, and are set below higher ones."""
    origin, stride, width, height = block
    bit = np.int64(2) << plane
    for y in range(height):
        for x in range(width):
            index = np.uintp(origin + y * stride + x)
            magnitude = abs(np.int64(samples[index])) & -bit
            magnitude |= bit if magnitude else 0
            samples[index] = -magnitude if samples[index] < 0 else magnitude


@njit(**UNCOUNTED)
def _forget(samples, block):  # type: ignore[no-untyped-def]  # numba infers them
    origin, stride, width, height = block
    for y in range(height):
        for x in range(width):
            samples[np.uintp(origin + y * stride + x)] = 0


@njit(**UNCOUNTED)
def _first_erased(segments, erase_start, erase_stop):  # type: ignore[no-untyped-def]  # numba infers them
    """The first row that the erased bytes touch; the number of rows where they touch none."""
    for row in range(segments.shape[0]):
        begin, end = segments[row, 3], segments[row, 3] + segments[row, 4]
        if begin < end and begin < erase_stop and end > erase_start:
            return row
    return segments.shape[0]


@njit
def _certain_passes(  # type: ignore[no-untyped-def]  # numba infers them
    scratch, length, segments, hit, erase_start, planes, style, zero_coding, trials, width, height, consumed
):
    """How many passes erased bytes from row `hit` on cannot change, and where in the codeword to stop for them.

    Overwrites the erased bytes in the codeword.
    """
    codeword, _, _ = scratch
    limit, stop = segments[:hit, 2].sum(), segments[:hit, 4].sum()
    known = stop + max(erase_start - segments[hit, 3], 0)
    turn = (limit - 10) % 3 if style & _BYPASS and limit >= 10 else 3
    begins = known == stop and (hit == 0 or style & _TERMALL != 0 or turn == 0 or turn == 2)
    greatest_after_ff = 0x7F if turn < 2 else 0x8F
    block = np.int64(0), width, width, height
    # After a row without bytes it is not plain where the codeword segment began: none is tried.
    last = limit if hit > 0 and segments[hit - 1, 4] == 0 else segments[: hit + 1, 2].sum()
    while limit < last:
        for trial in range(2):
            for place in range(known, length):
                after_ff = codeword[place - 1] == 0xFF if place > known or not begins else False
                codeword[place] = 0 if trial == 0 else greatest_after_ff if after_ff else 0xFF
            trials[trial] = 0
            _decode_block(
                scratch, length, segments, planes, style, 0, limit + 1, zero_coding, trials[trial], block, consumed
            )
        if (trials[0] != trials[1]).any():
            break
        limit, stop = limit + 1, length
    consumed[:] = -1
    return limit, stop


@njit(**UNCOUNTED)
def _join(data, segments, codeword):  # type: ignore[no-untyped-def]  # numba infers them
    """Copies a block's bytes one after another; returns how many."""
    size = np.uintp(0)
    for row in range(segments.shape[0]):
        begin, length = np.uintp(segments[row, 3]), np.uintp(segments[row, 4])
        for index in range(length):
            codeword[size + index] = data[begin + index]
        size += length
    return np.int64(size)


@njit(**UNCOUNTED)
def _offset(segments, place):  # type: ignore[no-untyped-def]  # numba infers them
    """Where byte number `place` of a block's codeword lies in the codestream; its end where there are fewer."""
    offset = np.int64(-1)
    for row in range(segments.shape[0]):
        offset = segments[row, 3] + min(place, segments[row, 4])
        if place < segments[row, 4]:
            break
        place -= segments[row, 4]
    return offset


@njit(**UNCOUNTED)
def _room(rows, first_row, blocks):  # type: ignore[no-untyped-def]  # numba infers them
    """What the largest code-block takes: codeword bytes, columns of flags with a margin, samples."""
    size = columns = area = np.int64(1)
    for block in range(blocks.shape[0]):
        width, height = np.int64(blocks[block, 2]), np.int64(blocks[block, 3])
        columns = max(columns, (width + 2) * ((height + 3) // 4 + 2))
        area = max(area, width * height)
        length = np.int64(0)
        for row in range(first_row[block], first_row[block + 1]):
            length += rows[row, 4]
        size = max(size, length)
    return size, columns, area
