"""The MQ decoder and the coding passes of one code-block, compiled (ISO/IEC 15444-1 annexes C and D).

One 64-bit word of flags stands for a column of four samples (a stripe is four samples high) and says all that their
contexts depend on. Bits 0..17: who is significant in the six rows by three columns around them; 18..35: who of those
is negative; 36 + 3 r: row r was coded in this bit-plane's first pass; 37 + 3 r: it was refined before. Shifted right
by 3 r, bits 0..8 and 18..26 are row r's neighbourhood as `tier1_tables` describes it.

A coder is (interval, floor, code, left, position). The MQ decoder is the software convention's: the interval in bits
40..55 of a 64-bit register, the code below it, `left` bits of it loaded beyond bit 40, `position` of the next byte;
a symbol is the more probable one, and nothing else happens, while the interval stays above `floor`. For raw bits, code
is the last byte and `left` says how many of its bits were not read.

After a change here, `tier1.COMPILED_IN` changes too, lest numba keep what it compiled before.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numba.cpython.unsafe.numbers import trailing_zeros

from benchmark.jpeg2000.tier1_tables import FIRST_STATES, PROBABILITY, RUN_LENGTH, SIGN_CODING, STATES, UNIFORM

#: Options of `njit` for functions that make no arrays: no counting of references to those handed on, which took half of
#: the time. numba has no public name for it.
UNCOUNTED: dict[str, Any] = {"_nrt": False}

_trailing_zeros: Any = trailing_zeros  # an intrinsic, whose type says nothing of how it is called
_LEAST = 0x8000 << PROBABILITY
_INTERVAL = 0xFFFF << PROBABILITY
_REGISTER = (1 << (PROBABILITY + 16)) - 1
#: Added to a position that met a marker: nothing is read from there on.
FAR = 1 << 32
_SIGNIFICANT, _NEIGHBOURS, _AROUND = 0x10, 0x1EF, 0x3FFFF
_NEGATIVE, _VISITED, _REFINED = 18, 36, 37
_COLUMN = 0x2490  # the column's own four samples among the significant
_ALL_VISITED = _COLUMN << 32


@njit(**UNCOUNTED, inline="always")
def _load(codeword, end, code, left, position):  # type: ignore[no-untyped-def]  # numba infers them
    """Loads bytes behind the code (C.3.4); past the end, or at a marker, there are bits 1, which are 0 here."""
    while left <= 32:
        if position < end:
            byte = np.int64(codeword[np.uintp(position)])
            if codeword[np.uintp(position - 1)] == 0xFF:
                if byte > 0x8F:
                    position += FAR
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


@njit(**UNCOUNTED)
def start(codeword, begin, end, raw):  # type: ignore[no-untyped-def]  # numba infers them
    """The coder at the start of a codeword segment (C.3.5)."""
    if raw:
        return np.int64(0), np.int64(0), np.int64(0), np.int64(0), begin
    first = np.int64(codeword[np.uintp(begin)]) if begin < end else np.int64(0xFF)
    code, left, position = _load(codeword, end, (0xFF - first) << (PROBABILITY + 7), np.int64(-7), begin + 1)
    return np.int64(_LEAST), max(code, _LEAST - 1), code, left, position


@njit(**UNCOUNTED, inline="always")
def _symbol(codeword, end, contexts, context, coder):  # type: ignore[no-untyped-def]  # numba infers them
    """Decodes one symbol (C.3.2): the symbol, and the coder after it."""
    interval, floor, code, left, position = coder
    place = np.uintp(context)
    word = contexts[place]
    symbol = word & 1
    probability = word & _INTERVAL
    interval -= probability
    if interval <= floor:
        # In masks rather than branches, since which way it goes can hardly be predicted.
        less = code >= interval
        swapped = np.int64(less ^ (interval < probability))  # conditional exchange: it has the larger interval
        mask = -np.int64(less)
        shift = 1 + (interval < _LEAST >> 1)
        shift ^= (shift ^ (word >> 16)) & mask & 15
        code -= interval & mask
        interval ^= (interval ^ probability) & mask
        symbol ^= swapped
        contexts[place] = STATES[np.uintp((word >> (1 + 7 * swapped)) & 127)]
        interval <<= shift
        code <<= shift
        left -= shift
        if code | left < 0:
            if left < 0:
                code, left, position = _load(codeword, end, code, left, position)
            # A byte above 7F after FF, which no encoder writes, may carry out of the code register: it holds 32 bits.
            if code < 0:
                code = interval - 1 - ((interval - 1 - code) & _REGISTER)
        floor = max(code, _LEAST - 1)
    return symbol, (interval, floor, code, left, position)


@njit(**UNCOUNTED, inline="always")
def _bit(codeword, end, coder):  # type: ignore[no-untyped-def]  # numba infers them
    """Reads one raw bit (D.6), and the coder after it; past the end, or at a marker, there are bits 1."""
    interval, floor, byte, left, position = coder
    if left == 0:
        left = np.int64(8)
        after = np.int64(codeword[np.uintp(position)]) if position < end else np.int64(0xFF)
        if byte == 0xFF and after > 0x8F:
            position += FAR
        else:
            left -= byte == 0xFF
            byte = after
        position += 1
    left -= 1
    return (byte >> left) & 1, (interval, floor, byte, left, position)


@njit(**UNCOUNTED, inline="always")
def _sign(codeword, end, contexts, near, raw, coder):  # type: ignore[no-untyped-def]  # numba infers them
    """A sample's sign from its neighbourhood (D.3.2), 1 for negative, and the coder after it."""
    if raw:
        return _bit(codeword, end, coder)
    guess = np.int64(SIGN_CODING[np.uintp((near & 0xAA) | ((near >> (_NEGATIVE + 1)) & 0x55))])
    symbol, coder = _symbol(codeword, end, contexts, guess & 31, coder)
    return symbol ^ (guess >> 5), coder


@njit(**UNCOUNTED, inline="always")
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


@njit(**UNCOUNTED)
def significance_propagation(  # type: ignore[no-untyped-def]  # numba infers them
    codeword, end, contexts, zero_coding, flags, samples, block, causal, plane, raw, coder
):
    """Significance propagation pass (D.3.1): insignificant samples with a significant neighbour; returns the coder."""
    origin, stride, width, height = block
    wide, value = np.uintp(width + 2), np.int64(3) << plane
    for top in range(0, height, 4):
        place = np.uintp((top // 4 + 1) * (width + 2))
        own = _COLUMN & ((1 << (3 * min(4, height - top) + 2)) - 1)
        for x in range(width):
            place += np.uintp(1)
            column = flags[place] & ~_ALL_VISITED
            if column & _AROUND == 0:
                continue
            # Bits 0, 3, 6, 9: whether anyone is significant in the three rows around.
            some = column | (column >> 1) | (column >> 2)
            some = (some | (some >> 3) | (some >> 6)) & 0x249
            due = (some << 4) & ~column & own
            while due != 0:
                shift = np.int64(_trailing_zeros(due)) - 4
                due &= due - 1
                near = column >> shift
                column |= np.int64(1) << (shift + _VISITED)
                if raw:
                    symbol, coder = _bit(codeword, end, coder)
                else:
                    symbol, coder = _symbol(codeword, end, contexts, zero_coding[np.uintp(near & 0x1FF)], coder)
                if symbol:
                    sign, coder = _sign(codeword, end, contexts, near, raw, coder)
                    samples[np.uintp(origin + (top + ((shift * 11) >> 5)) * stride + x)] = -value if sign else value
                    column = _set_significant(flags, place, column, shift, sign, wide, causal)
                    due |= (np.int64(0x80) << shift) & ~column & own
            flags[place] = column
    return coder


@njit(**UNCOUNTED)
def magnitude_refinement(  # type: ignore[no-untyped-def]  # numba infers them
    codeword, end, contexts, flags, samples, block, plane, raw, coder
):
    """Magnitude refinement pass (D.3.3): samples that were significant before this bit-plane; returns the coder."""
    origin, stride, width, height = block
    half = np.int64(1) << plane
    for top in range(0, height, 4):
        place = np.uintp((top // 4 + 1) * (width + 2))
        for x in range(width):
            place += np.uintp(1)
            column = flags[place]
            due = column & ~(column >> 32) & _COLUMN
            if due == 0:
                continue
            # Shifted from the samples' own places (4 + 3 r) to the flags'.
            flags[place] = column | (due << (_REFINED - 4))
            while due != 0:
                shift = np.int64(_trailing_zeros(due)) - 4
                due &= due - 1
                near = column >> shift
                if raw:
                    symbol, coder = _bit(codeword, end, coder)
                else:
                    context = 16 if (near >> _REFINED) & 1 else 14 + (near & _NEIGHBOURS != 0)
                    symbol, coder = _symbol(codeword, end, contexts, context, coder)
                negative = (near >> (_NEGATIVE + 4)) & 1
                samples[np.uintp(origin + (top + ((shift * 11) >> 5)) * stride + x)] += (
                    half if symbol ^ negative else -half
                )
    return coder


@njit(**UNCOUNTED)
def clean_up(  # type: ignore[no-untyped-def]  # numba infers them
    codeword, end, contexts, zero_coding, flags, samples, block, causal, plane, coder
):
    """Clean-up pass (D.3.4): all samples that the two passes before left out, runs of zeros first."""
    origin, stride, width, height = block
    wide, value = np.uintp(width + 2), np.int64(3) << plane
    for top in range(0, height, 4):
        place = np.uintp((top // 4 + 1) * (width + 2))
        own = _COLUMN & ((1 << (3 * min(4, height - top) + 2)) - 1)
        for x in range(width):
            place += np.uintp(1)
            column = flags[place]
            due = ~(column | (column >> 32)) & own
            found = np.int64(0)  # a run that ended in a significant sample
            if column & _AROUND == 0 and own == _COLUMN:
                found, coder = _symbol(codeword, end, contexts, RUN_LENGTH, coder)
                if not found:
                    continue
                high, coder = _symbol(codeword, end, contexts, UNIFORM, coder)
                low, coder = _symbol(codeword, end, contexts, UNIFORM, coder)
                due &= -np.int64(_SIGNIFICANT) << (6 * high + 3 * low)
            while due != 0:
                shift = np.int64(_trailing_zeros(due)) - 4
                due &= due - 1
                near = column >> shift
                symbol = found
                if not found:
                    symbol, coder = _symbol(codeword, end, contexts, zero_coding[np.uintp(near & 0x1FF)], coder)
                found = np.int64(0)
                if symbol:
                    sign, coder = _sign(codeword, end, contexts, near, False, coder)
                    samples[np.uintp(origin + (top + ((shift * 11) >> 5)) * stride + x)] = -value if sign else value
                    column = _set_significant(flags, place, column, shift, sign, wide, causal)
            flags[place] = column
    return coder


@njit(**UNCOUNTED)
def segmentation_symbol(codeword, end, contexts, coder):  # type: ignore[no-untyped-def]  # numba infers them
    """The four symbols at the end of a clean-up pass (D.5), 1010 if all is well, and the coder after them."""
    marks = np.int64(0)
    for _ in range(4):
        symbol, coder = _symbol(codeword, end, contexts, UNIFORM, coder)
        marks = 2 * marks + symbol
    return marks, coder


@njit(**UNCOUNTED)
def reset(contexts):  # type: ignore[no-untyped-def]  # numba infers them
    """Puts all contexts into their first states (table D.7)."""
    for context in range(FIRST_STATES.size):
        contexts[context] = FIRST_STATES[context]


@njit(**UNCOUNTED)
def bytes_needed(codeword, begin, end, raw, coder):  # type: ignore[no-untyped-def]  # numba infers them
    """Where the coder would have come had it loaded no byte sooner than needed, and the bits of the last one left."""
    _, _, _, left, position = coder
    while not raw and left >= 7:
        stuffed = begin + 1 < position <= end and codeword[np.uintp(position - 2)] == 0xFF
        if left < 8 - stuffed:
            break
        left -= 8 - stuffed
        position -= 1
    return position, left


@njit(**UNCOUNTED)
def badly_terminated(codeword, begin, end, raw, coder):  # type: ignore[no-untyped-def]  # numba infers them
    """Whether a codeword segment does not end as predictable termination ends it (D.4.2), as far as can be told."""
    interval, _, code, _, _ = coder
    position, left = bytes_needed(codeword, begin, end, raw, coder)
    if raw:
        byte = code
        if left == 0 and byte == 0xFF:
            byte, left = (np.int64(codeword[np.uintp(position)]) if position < end else np.int64(0xFF)), np.int64(7)
            position += 1
        # Bits that are left are 0101.. in the last byte.
        return position < end or byte & ((1 << left) - 1) != 0x55 >> (8 - left)
    # All bytes and a first FF behind them must have been read; a decoder that has lost its way stops short of them.
    after = end if end > begin and codeword[np.uintp(end - 1)] == 0xFF else end + 1
    if position < after or (left > 0 and position == after):
        return True
    # The encoder ends as if it coded a less probable symbol that shifts by the bits that are left but one.
    spare = (left if left > 0 else 8) - 1
    return spare > 0 and code < interval - (_LEAST >> spare)
