"""Compiled tier-1 decoding of code-blocks: the MQ decoder and the coding passes (ISO/IEC 15444-1 annexes C and D).

One 64-bit word of flags stands for a column of four samples (a stripe is four samples high) and says all that their
contexts depend on. Bits 0..17: who is significant in the six rows by three columns around them; 18..35: who of those is
negative; 36 + 3 r: row r was coded in a pass before the clean-up pass; 37 + 3 r: it was refined before. Shifted right by
3 r, bits 0..8 and 18..26 are row r's neighbourhood as `tier1_tables` describes it.

The MQ decoder is the software convention's (C.3, J.1): `interval` in bits 40..55 of a 64-bit register, `code` below it,
`left` bits of the code beyond bit 40 loaded, `position` the next byte. `floor` is the least interval with which a symbol
is the more probable one and needs nothing else. All of it is one file, since a compiled function is cached until its own
file changes, whatever it calls.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from benchmark.jpeg2000.tier1_tables import (
    FIRST_STATES,
    PROBABILITY,
    RUN_LENGTH,
    SIGN_CODING,
    STATES,
    UNIFORM,
    ZERO_CODING,
)

_LEAST = 0x8000 << PROBABILITY
_REGISTER = (1 << (PROBABILITY + 16)) - 1
_INTERVAL = 0xFFFF << PROBABILITY
#: Added to a position that met a marker: nothing is read from there on.
_FAR = 1 << 32
#: Thirty bit-planes and the half below them fill 31 bits.
MAX_PLANES = 30
#: What became of a code-block.
DECODED, CONCEALED, ERASED, TOO_MANY_PLANES = range(4)
_SIGNIFICANT, _NEIGHBOURS, _AROUND = 0x10, 0x1EF, 0x3FFFF
_NEGATIVE, _VISITED, _REFINED = 18, 36, 37
_COLUMN = 0x2490  # the column's own four samples among the significant
_ALL_VISITED = _COLUMN << 32


@njit(inline="always")
def _start(codeword, start, end):  # type: ignore[no-untyped-def]  # numba infers them
    """The MQ decoder's registers at the start of a codeword segment: interval, code, left, position (C.3.5)."""
    first = np.int64(codeword[np.uintp(start)]) if start < end else np.int64(0xFF)
    return np.int64(_LEAST), (0xFF - first) << (PROBABILITY + 7), np.int64(-7), start + 1


@njit(inline="always")
def _load(codeword, end, code, left, position):  # type: ignore[no-untyped-def]  # numba infers them
    """Loads bytes behind the code (C.3.4); past the end, or at a marker, there are bits 1, which are 0 here."""
    while left <= 32:
        if position < end:
            byte = np.int64(codeword[np.uintp(position)])
            if codeword[np.uintp(position - 1)] == 0xFF:
                if byte > 0x8F:
                    position += _FAR
                    continue
                # Such a byte carries into what was loaded before: no sooner than it is needed, as others do.
                if byte > 0x7F and left >= 0:
                    break
                left += 7
                code += (0x7F - byte) << (PROBABILITY - left)
            else:
                left += 8
                code += (0xFF - byte) << (PROBABILITY - left)
        else:
            left += 8
        position += 1
    return code, left, position


@njit(inline="always")
def _symbol(codeword, end, contexts, context, interval, floor, code, left, position):  # type: ignore[no-untyped-def]
    """Decodes one symbol: (symbol, interval, floor, code, left, position) (C.3.2)."""
    place = np.uintp(context)
    word = contexts[place]
    symbol = word & 1
    probability = word & _INTERVAL
    interval -= probability
    if interval < floor:
        less = code >= interval
        # Conditional exchange: the less probable symbol has the larger interval.
        swapped = less ^ (interval < probability)
        if less:
            code -= interval
            interval = probability
            shift = (word >> 16) & 15
        else:
            shift = 1 + (interval < _LEAST >> 1)
        if swapped:
            symbol ^= 1
            word >>= 7
        contexts[place] = STATES[np.uintp((word >> 1) & 127)]
        interval <<= shift
        code <<= shift
        left -= shift
        # A byte above 7F after FF, which no encoder writes, may carry out of the code register: it holds 32 bits.
        if code < 0:
            code = interval - 1 - ((interval - 1 - code) & _REGISTER)
        if left < 0:
            code, left, position = _load(codeword, end, code, left, position)
        floor = max(code + 1, _LEAST)
    return symbol, interval, floor, code, left, position


@njit(inline="always")
def _bit(codeword, end, byte, left, position):  # type: ignore[no-untyped-def]  # numba infers them
    """Reads one raw bit: (bit, byte, left, position) (D.6); past the end, or at a marker, there are bits 1."""
    if left == 0:
        left = np.int64(8)
        after = np.int64(codeword[np.uintp(position)]) if position < end else np.int64(0xFF)
        if byte == 0xFF and after > 0x8F:
            position += _FAR
        else:
            left -= byte == 0xFF
            byte = after
        position += 1
    left -= 1
    return (byte >> left) & 1, byte, left, position


@njit(cache=True, nogil=True)
def _bytes_needed(codeword, start, end, left, position):  # type: ignore[no-untyped-def]  # numba infers them
    """What the MQ decoder would have read had it loaded no byte sooner than needed: (position, bits left of it)."""
    while left >= 7:
        stuffed = start + 1 < position <= end and codeword[np.uintp(position - 2)] == 0xFF
        if left < 8 - stuffed:
            break
        left -= 8 - stuffed
        position -= 1
    return position, left


@njit(inline="always")
def _set_significant(flags, place, column, shift, sign, wide, causal):  # type: ignore[no-untyped-def]
    """Tells a sample's neighbours that it is significant; returns its own column's flags."""
    mark = 1 | (sign << _NEGATIVE)
    flags[place - np.uintp(1)] |= mark << (shift + 5)
    flags[place + np.uintp(1)] |= mark << (shift + 3)
    if shift == 0 and not causal:
        flags[place - wide - np.uintp(1)] |= mark << 17
        flags[place - wide] |= mark << 16
        flags[place - wide + np.uintp(1)] |= mark << 15
    if shift == 9:
        flags[place + wide - np.uintp(1)] |= mark << 2
        flags[place + wide] |= mark << 1
        flags[place + wide + np.uintp(1)] |= mark
    return column | (mark << (shift + 4))


@njit(cache=True, nogil=True)
def _significance_propagation(  # type: ignore[no-untyped-def]  # numba infers them
    codeword, end, contexts, zero_coding, flags, samples, block, causal, value, interval, code, left, position
):
    """Significance propagation pass (D.3.1): insignificant samples with a significant neighbour."""
    origin, stride, width, height = block
    wide, floor = np.uintp(width + 2), max(code + 1, _LEAST)
    for top in range(0, height, 4):
        place = np.uintp((top // 4 + 1) * (width + 2))
        for x in range(width):
            place += np.uintp(1)
            column = flags[place] & ~_ALL_VISITED
            if column & _AROUND == 0:
                continue
            for row in range(min(4, height - top)):
                shift = 3 * row
                near = column >> shift
                if near & _SIGNIFICANT != 0 or near & _NEIGHBOURS == 0:
                    continue
                column |= np.int64(1) << (shift + _VISITED)
                symbol, interval, floor, code, left, position = _symbol(
                    codeword,
                    end,
                    contexts,
                    zero_coding[np.uintp(near & 0x1FF)],
                    interval,
                    floor,
                    code,
                    left,
                    position,
                )
                if symbol:
                    guess = np.int64(SIGN_CODING[np.uintp((near & 0xAA) | ((near >> (_NEGATIVE + 1)) & 0x55))])
                    sign, interval, floor, code, left, position = _symbol(
                        codeword, end, contexts, guess & 31, interval, floor, code, left, position
                    )
                    sign ^= guess >> 5
                    samples[np.uintp(origin + (top + row) * stride + x)] = -value if sign else value
                    column = _set_significant(flags, place, column, shift, sign, wide, causal)
            flags[place] = column
    return interval, code, left, position


@njit(cache=True, nogil=True)
def _raw_significance_propagation(  # type: ignore[no-untyped-def]  # numba infers them
    codeword, end, flags, samples, block, causal, value, byte, left, position
):
    """Significance propagation pass that bypasses the MQ decoder (D.6)."""
    origin, stride, width, height = block
    wide = np.uintp(width + 2)
    for top in range(0, height, 4):
        place = np.uintp((top // 4 + 1) * (width + 2))
        for x in range(width):
            place += np.uintp(1)
            column = flags[place] & ~_ALL_VISITED
            if column & _AROUND == 0:
                continue
            for row in range(min(4, height - top)):
                shift = 3 * row
                near = column >> shift
                if near & _SIGNIFICANT != 0 or near & _NEIGHBOURS == 0:
                    continue
                column |= np.int64(1) << (shift + _VISITED)
                symbol, byte, left, position = _bit(codeword, end, byte, left, position)
                if symbol:
                    sign, byte, left, position = _bit(codeword, end, byte, left, position)
                    samples[np.uintp(origin + (top + row) * stride + x)] = -value if sign else value
                    column = _set_significant(flags, place, column, shift, sign, wide, causal)
            flags[place] = column
    return byte, left, position


@njit(cache=True, nogil=True)
def _magnitude_refinement(  # type: ignore[no-untyped-def]  # numba infers them
    codeword, end, contexts, flags, samples, block, half, interval, code, left, position
):
    """Magnitude refinement pass (D.3.3): samples that were significant before this bit-plane."""
    origin, stride, width, height = block
    floor = max(code + 1, _LEAST)
    for top in range(0, height, 4):
        place = np.uintp((top // 4 + 1) * (width + 2))
        for x in range(width):
            place += np.uintp(1)
            column = flags[place]
            due = column & ~(column >> 32) & _COLUMN
            if due == 0:
                continue
            for row in range(4):
                shift = 3 * row
                if (due >> shift) & _SIGNIFICANT == 0:
                    continue
                near = column >> shift
                context = 16 if (near >> _REFINED) & 1 else 14 + (near & _NEIGHBOURS != 0)
                symbol, interval, floor, code, left, position = _symbol(
                    codeword, end, contexts, context, interval, floor, code, left, position
                )
                index = np.uintp(origin + (top + row) * stride + x)
                sign = (near >> (_NEGATIVE + 4)) & 1
                samples[index] += half if symbol ^ sign else -half
            # Shifted from the samples' own places (4 + 3 r) to the flags'.
            flags[place] = column | (due << (_REFINED - 4))
    return interval, code, left, position


@njit(cache=True, nogil=True)
def _raw_magnitude_refinement(  # type: ignore[no-untyped-def]  # numba infers them
    codeword, end, flags, samples, block, half, byte, left, position
):
    """Magnitude refinement pass that bypasses the MQ decoder (D.6)."""
    origin, stride, width, height = block
    for top in range(0, height, 4):
        place = np.uintp((top // 4 + 1) * (width + 2))
        for x in range(width):
            place += np.uintp(1)
            column = flags[place]
            due = column & ~(column >> 32) & _COLUMN
            if due == 0:
                continue
            for row in range(4):
                if (due >> (3 * row)) & _SIGNIFICANT == 0:
                    continue
                symbol, byte, left, position = _bit(codeword, end, byte, left, position)
                index = np.uintp(origin + (top + row) * stride + x)
                sign = (column >> (3 * row + _NEGATIVE + 4)) & 1
                samples[index] += half if symbol ^ sign else -half
            flags[place] = column | (due << (_REFINED - 4))
    return byte, left, position


@njit(cache=True, nogil=True)
def _clean_up(  # type: ignore[no-untyped-def]  # numba infers them
    codeword, end, contexts, zero_coding, flags, samples, block, causal, value, interval, code, left, position
):
    """Clean-up pass (D.3.4): all samples that the two passes before left out, runs of zeros first."""
    origin, stride, width, height = block
    wide, floor = np.uintp(width + 2), max(code + 1, _LEAST)
    for top in range(0, height, 4):
        place = np.uintp((top // 4 + 1) * (width + 2))
        rows = min(4, height - top)
        for x in range(width):
            place += np.uintp(1)
            column = flags[place]
            due = ~(column | (column >> 32)) & _COLUMN
            if due == 0:
                continue
            row = 0
            found = False  # a run that ended in a significant sample
            if column & _AROUND == 0 and rows == 4:
                found, interval, floor, code, left, position = _symbol(
                    codeword, end, contexts, RUN_LENGTH, interval, floor, code, left, position
                )
                if not found:
                    continue
                high, interval, floor, code, left, position = _symbol(
                    codeword, end, contexts, UNIFORM, interval, floor, code, left, position
                )
                low, interval, floor, code, left, position = _symbol(
                    codeword, end, contexts, UNIFORM, interval, floor, code, left, position
                )
                row = 2 * high + low
            while row < rows:
                shift = 3 * row
                near = column >> shift
                if (due >> shift) & _SIGNIFICANT != 0:
                    symbol = np.int64(1)
                    if not found:
                        symbol, interval, floor, code, left, position = _symbol(
                            codeword,
                            end,
                            contexts,
                            zero_coding[np.uintp(near & 0x1FF)],
                            interval,
                            floor,
                            code,
                            left,
                            position,
                        )
                    found = False
                    if symbol:
                        guess = np.int64(SIGN_CODING[np.uintp((near & 0xAA) | ((near >> (_NEGATIVE + 1)) & 0x55))])
                        sign, interval, floor, code, left, position = _symbol(
                            codeword, end, contexts, guess & 31, interval, floor, code, left, position
                        )
                        sign ^= guess >> 5
                        samples[np.uintp(origin + (top + row) * stride + x)] = -value if sign else value
                        column = _set_significant(flags, place, column, shift, sign, wide, causal)
                row += 1
            flags[place] = column
    return interval, code, left, position


@njit(cache=True, nogil=True)
def _badly_terminated(codeword, start, end, interval, code, left, position):  # type: ignore[no-untyped-def]
    """Whether an MQ codeword segment does not end as predictable termination ends it (D.4.2), as far as can be told."""
    position, left = _bytes_needed(codeword, start, end, left, position)
    last_is_ff = end > start and codeword[np.uintp(end - 1)] == 0xFF
    # A decoder that has lost its way stops short of the end: all bytes and a first FF behind them must be read.
    if position <= end - last_is_ff:
        return True
    ended = position > end + 1 - last_is_ff
    if left > 0 and not ended:
        return True
    spare = (8 if left == 0 else left) - 1
    if spare == 0:
        return False
    # The encoder ends as if it coded a less probable symbol that shifts by the bits that are left.
    return code < interval - (_LEAST >> spare)


@njit(cache=True, nogil=True)
def _badly_padded(codeword, end, byte, left, position):  # type: ignore[no-untyped-def]  # numba infers them
    """Whether a raw codeword segment does not end in bits 0101.. up to its last byte, as predictable termination does."""
    if left == 0 and byte == 0xFF:
        left = np.int64(7)
        byte = np.int64(codeword[np.uintp(position)]) if position < end else np.int64(0xFF)
        position += 1
    return position < end or byte & ((1 << left) - 1) != 0x55 >> (8 - left)


@njit(cache=True, nogil=True)
def _segment_passes(style, done):  # type: ignore[no-untyped-def]  # numba infers them
    """How many passes the codeword segment holds that starts at pass number `done` (D.4, D.6)."""
    if style & 4:  # TERMALL
        return 1
    if style & 1:  # BYPASS: ten arithmetic passes, then two raw ones and one arithmetic one by turns
        return 10 if done == 0 else 2 if (done - 10) % 3 == 0 else 1
    return 1 << 20


@njit(cache=True, nogil=True)
def _decode_block(  # type: ignore[no-untyped-def]  # numba infers them
    codeword,
    stop,
    rows,
    first,
    last,
    planes,
    style,
    conceal,
    limit,
    zero_coding,
    contexts,
    flags,
    samples,
    block,
    consumed,
):
    """Decodes the first `limit` passes of one block from its codeword up to `stop`, and conceals if asked to.

    Returns (passes run, pass where an error was detected or -1, passes kept, read position when last known to be right,
    read position now).
    """
    _, _, width, height = block
    flags[: (width + 2) * ((height + 3) // 4 + 2)] = 0
    contexts[:] = FIRST_STATES
    causal = style & 8 != 0
    done = room = start = end = verified = sound = needed = np.int64(0)
    interval = code = left = position = byte = np.int64(0)
    raw = False
    for row in range(first, last):
        if room == 0:
            room = np.int64(_segment_passes(style, done))
            raw = style & 1 != 0 and done >= 10 and (done - 10) % 3 < 2
            start, passes = end, 0
            for later in range(row, last):
                if passes >= room:
                    break
                end += rows[later, 4]
                passes += rows[later, 2]
            if raw:
                byte, left, position = np.int64(0), np.int64(0), start
            else:
                interval, code, left, position = _start(codeword, start, min(end, stop))
                code, left, position = _load(codeword, min(end, stop), code, left, position)
        known = min(end, stop)
        for _ in range(rows[row, 2]):
            plane = planes - 1 - (done + 2) // 3
            if done == limit or plane < 0:
                return done, np.int64(-1), done, sound, needed
            value, half = np.int64(3) << plane, np.int64(1) << plane
            bad = False
            if done % 3 == 1 and raw:
                byte, left, position = _raw_significance_propagation(
                    codeword, known, flags, samples, block, causal, value, byte, left, position
                )
            elif done % 3 == 1:
                interval, code, left, position = _significance_propagation(
                    codeword,
                    known,
                    contexts,
                    zero_coding,
                    flags,
                    samples,
                    block,
                    causal,
                    value,
                    interval,
                    code,
                    left,
                    position,
                )
            elif done % 3 == 2 and raw:
                byte, left, position = _raw_magnitude_refinement(
                    codeword, known, flags, samples, block, half, byte, left, position
                )
            elif done % 3 == 2:
                interval, code, left, position = _magnitude_refinement(
                    codeword, known, contexts, flags, samples, block, half, interval, code, left, position
                )
            else:
                interval, code, left, position = _clean_up(
                    codeword,
                    known,
                    contexts,
                    zero_coding,
                    flags,
                    samples,
                    block,
                    causal,
                    value,
                    interval,
                    code,
                    left,
                    position,
                )
                if style & 32:  # SEGSYM
                    marks, interval, code, left, position = _segmentation_symbol(
                        codeword, known, contexts, interval, code, left, position
                    )
                    bad = marks != 0b1010
            done += 1
            room -= 1
            if style & 2 and not raw:  # RESET
                contexts[:] = FIRST_STATES
            needed = (
                min(position & (_FAR - 1), known) if raw else _bytes_needed(codeword, start, known, left, position)[0]
            )
            checked = style & 32 != 0 and done % 3 == 1
            if style & 16 and style & 5 and room == 0 and end <= stop:  # PTERM
                if raw:
                    broken = _badly_padded(codeword, end, byte, left, position)
                else:
                    broken = _badly_terminated(codeword, start, end, interval, code, left, position)
                # JJ2000 forgets what the segmentation symbol said.
                bad = broken or (bad and conceal == 2)
                checked = True
            if bad and conceal:
                failed = done - 1
                kept = _conceal(flags, samples, block, plane, failed, verified, conceal)
                return done, failed, kept, sound, needed
            if checked:
                verified, sound = done, needed
        consumed[row] = needed & (_FAR - 1)
    return done, np.int64(-1), done, sound, needed


@njit(cache=True, nogil=True)
def _segmentation_symbol(codeword, end, contexts, interval, code, left, position):  # type: ignore[no-untyped-def]
    """The four symbols at the end of a clean-up pass (D.5), 1010 if all is well, and the registers."""
    floor = max(code + 1, _LEAST)
    marks = np.int64(0)
    for _ in range(4):
        symbol, interval, floor, code, left, position = _symbol(
            codeword, end, contexts, UNIFORM, interval, floor, code, left, position
        )
        marks = 2 * marks + symbol
    return marks, interval, code, left, position


@njit(cache=True, nogil=True)
def _conceal(flags, samples, block, plane, failed, verified, conceal):  # type: ignore[no-untyped-def]
    """Forgets what a bit-plane with an error brought; returns how many passes are kept.

    With `conceal` 1 as JJ2000 does it: the plane's bit stays where it was set, and is set where a higher one was. With
    2: everything that was not verified is forgotten, and what was significant before gets the middle of its interval.
    """
    origin, stride, width, height = block
    first = 3 * ((failed + 2) // 3) - 2
    fresh = max(verified - first, 0) if conceal == 2 else np.int64(0)
    middle = np.int64(2) << plane
    for y in range(height):
        for x in range(width):
            index = np.uintp(origin + y * stride + x)
            sample = np.int64(samples[index])
            magnitude = abs(sample)
            if conceal == 1:
                known = magnitude & -middle
                magnitude = known | middle if known else known
            elif magnitude & (-2 * middle):
                if fresh < 2:
                    magnitude = (magnitude & (-2 * middle)) | middle
            elif (
                fresh == 0 or not (flags[np.uintp((y // 4 + 1) * (width + 2) + x + 1)] >> (_VISITED + 3 * (y % 4))) & 1
            ):
                magnitude = np.int64(0)
            samples[index] = -magnitude if sample < 0 else magnitude
    return max(first + fresh, 0)


@njit(cache=True, nogil=True)
def _offset(rows, first, last, place):  # type: ignore[no-untyped-def]  # numba infers them
    """Where byte number `place` of a block's codeword lies in the codestream; its end where there are fewer."""
    offset = np.int64(-1)
    for row in range(first, last):
        offset = rows[row, 3] + min(place, rows[row, 4])
        if place < rows[row, 4]:
            break
        place -= rows[row, 4]
    return offset


@njit(cache=True, nogil=True)
def _join(data, rows, first, last, codeword):  # type: ignore[no-untyped-def]  # numba infers them
    """Copies a block's bytes one after another; returns how many."""
    size = np.uintp(0)
    for row in range(first, last):
        start = np.uintp(rows[row, 3])
        for index in range(np.uintp(rows[row, 4])):
            codeword[size] = data[start + np.uintp(index)]
            size += np.uintp(1)
    return np.int64(size)


@njit(cache=True, nogil=True)
def _largest(rows, first_row, blocks):  # type: ignore[no-untyped-def]  # numba infers them
    """Room that the largest code-block needs: (codeword bytes, columns of flags, samples)."""
    bytes_, columns, samples = np.int64(1), np.int64(1), np.int64(1)
    for block in range(blocks.shape[0]):
        size = np.int64(0)
        for row in range(first_row[block], first_row[block + 1]):
            size += rows[row, 4]
        bytes_ = max(bytes_, size)
        width, height = np.int64(blocks[block, 2]), np.int64(blocks[block, 3])
        columns = max(columns, (width + 2) * ((height + 3) // 4 + 2))
        samples = max(samples, width * height)
    return bytes_, columns, samples


@njit(cache=True, nogil=True)
def decode_blocks(  # type: ignore[no-untyped-def]  # numba infers them
    data, rows, first_row, blocks, style, conceal, erase_start, erase_stop, coefficients, report, consumed
):
    """Decodes code-blocks; see `tier1`."""
    size, columns, area = _largest(rows, first_row, blocks)
    codeword, flags = np.empty(size, np.uint8), np.empty(columns, np.int64)
    contexts, trial = np.empty(FIRST_STATES.size, np.int64), np.empty(area, np.int32)
    other = np.empty(area, np.int32)
    consumed[:] = -1
    for number in range(blocks.shape[0]):
        first, last = np.int64(first_row[number]), np.int64(first_row[number + 1])
        total = np.int64(0)
        for row in range(first, last):
            total += rows[row, 2]
        report[number] = 0
        report[number, 2:6] = -1
        if first == last:
            continue
        planes = np.int64(blocks[number, 5]) - rows[first, 5]
        report[number, 7] = planes
        if planes > MAX_PLANES:
            report[number, 1], report[number, 6] = total, TOO_MANY_PLANES
            continue
        block = (
            np.int64(blocks[number, 0]),
            np.int64(blocks[number, 1]),
            np.int64(blocks[number, 2]),
            np.int64(blocks[number, 3]),
        )
        zero_coding = ZERO_CODING[blocks[number, 4]]
        length = _join(data, rows, first, last, codeword)
        limit, stop = total, length
        hit, intact, border, known = _erased(rows, first, last, erase_start, erase_stop)
        if hit < last:
            limit, stop = intact, border
            report[number, 4] = max(np.int64(rows[hit, 3]), np.int64(erase_start))
            report[number, 6] = ERASED
            while limit < total and known > border:
                small = (np.int64(0), block[2], block[2], block[3])
                trial[:] = 0
                other[:] = 0
                codeword[known:length] = 0
                _decode_block(
                    codeword,
                    length,
                    rows,
                    first,
                    last,
                    planes,
                    style,
                    0,
                    limit + 1,
                    zero_coding,
                    contexts,
                    flags,
                    trial,
                    small,
                    consumed,
                )
                codeword[known:length] = 0xFF
                codeword[known:length] = 0xFF
                for index in range(known + (known == 0 or codeword[known - 1] != 0xFF), length, 2):
                    codeword[index] = 0x8F
                _decode_block(
                    codeword,
                    length,
                    rows,
                    first,
                    last,
                    planes,
                    style,
                    0,
                    limit + 1,
                    zero_coding,
                    contexts,
                    flags,
                    other,
                    small,
                    consumed,
                )
                if (trial != other).any():
                    break
                limit, stop = limit + 1, length
        done, failed, kept, sound, needed = _decode_block(
            codeword,
            stop,
            rows,
            first,
            last,
            planes,
            style,
            conceal,
            limit,
            zero_coding,
            contexts,
            flags,
            coefficients,
            block,
            consumed,
        )
        report[number, 0], report[number, 1] = kept, total - kept
        if failed >= 0:
            report[number, 2], report[number, 3] = planes - 1 - (failed + 2) // 3, failed
            report[number, 4] = _offset(rows, first, last, sound)
            report[number, 5] = _offset(rows, first, last, needed)
            report[number, 6] = CONCEALED


@njit(cache=True, nogil=True)
def _erased(rows, first, last, erase_start, erase_stop):  # type: ignore[no-untyped-def]  # numba infers them
    """A block's first row that the erased range touches: (row or `last`, passes before it, bytes before it, and known)."""
    passes = size = np.int64(0)
    for row in range(first, last):
        start, stop = np.int64(rows[row, 3]), np.int64(rows[row, 3] + rows[row, 4])
        if start < stop and start < erase_stop and stop > erase_start:
            return row, passes, size, size + max(erase_start - start, 0)
        passes += rows[row, 2]
        size += rows[row, 4]
    return last, passes, size, size
