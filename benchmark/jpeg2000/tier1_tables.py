"""Tables of tier-1 coding: contexts of the coding passes and states of the MQ decoder (ISO/IEC 15444-1 annexes C, D).

A sample's neighbourhood is nine bits, row by row from the north-west: 1 NW, 2 N, 4 NE, 8 W, 16 itself, 32 E, 64 SW,
128 S, 256 SE. One such field says who is significant, another one who is negative.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

#: Contexts: 0..8 zero coding, 9..13 sign coding, 14..16 magnitude refinement, run length, uniform (table D.1 on).
RUN_LENGTH, UNIFORM, CONTEXTS = 17, 18, 19
#: Where a state's word keeps the LPS probability: as high as the interval register, so that they subtract directly.
PROBABILITY = 40

# Table C.2: probability of the less probable symbol, next state after it and after the more probable one, switch.
_STATES = """
5601 1 1 1, 3401 2 6 0, 1801 3 9 0, 0AC1 4 12 0, 0521 5 29 0, 0221 38 33 0, 5601 7 6 1, 5401 8 14 0, 4801 9 14 0,
3801 10 14 0, 3001 11 17 0, 2401 12 18 0, 1C01 13 20 0, 1601 29 21 0, 5601 15 14 1, 5401 16 14 0, 5101 17 15 0,
4801 18 16 0, 3801 19 17 0, 3401 20 18 0, 3001 21 19 0, 2801 22 19 0, 2401 23 20 0, 2201 24 21 0, 1C01 25 22 0,
1801 26 23 0, 1601 27 24 0, 1401 28 25 0, 1201 29 26 0, 1101 30 27 0, 0AC1 31 28 0, 09C1 32 29 0, 08A1 33 30 0,
0521 34 31 0, 0441 35 32 0, 02A1 36 33 0, 0221 37 34 0, 0141 38 35 0, 0111 39 36 0, 0085 40 37 0, 0049 41 38 0,
0025 42 39 0, 0015 43 40 0, 0009 44 41 0, 0005 45 42 0, 0001 45 43 0, 5601 46 46 0
"""


def _state_words() -> npt.NDArray[np.int64]:
    """Twice the state and the more probable symbol index a word with all that decoding needs.

    Bit 0 the more probable symbol, 1..7 the next word after it, 8..14 the next after the other, 16..19 by how much the
    latter's interval must be shifted, PROBABILITY.. its probability.
    """
    words = np.zeros(94, dtype=np.int64)
    for state, line in enumerate(_STATES.split(",")):
        probability, after_more, after_less, switch = line.split()
        for symbol in (0, 1):
            words[2 * state + symbol] = (
                symbol
                | (2 * int(after_more) + symbol) << 1
                | (2 * int(after_less) + (symbol ^ int(switch))) << 8
                | (16 - int(probability, 16).bit_length()) << 16
                | int(probability, 16) << PROBABILITY
            )
    return words


def _zero_coding() -> npt.NDArray[np.uint8]:
    """Context by orientation (LL, HL, LH, HH) and significant neighbours (table D.1)."""
    table = np.zeros((4, 512), dtype=np.uint8)
    for index in range(512):
        bit = [(index >> place) & 1 for place in range(9)]
        vertical, horizontal, diagonal = bit[1] + bit[7], bit[3] + bit[5], bit[0] + bit[2] + bit[6] + bit[8]
        table[0, index] = table[2, index] = _along(horizontal, vertical, diagonal)
        table[1, index] = _along(vertical, horizontal, diagonal)
        table[3, index] = _diagonally(diagonal, horizontal + vertical)
    return table


def _along(first: int, second: int, diagonal: int) -> int:
    if first == 2:
        return 8
    if first == 1:
        return 7 if second else 6 if diagonal else 5
    return 2 + second if second else min(diagonal, 2)


def _diagonally(diagonal: int, others: int) -> int:
    if diagonal >= 3:
        return 8
    return (0, 3, 6)[diagonal] + min(others, 2 - (diagonal == 2))


def _sign_coding() -> npt.NDArray[np.uint8]:
    """Context, and 32 where the sign is to be inverted (tables D.2, D.3).

    Index: bits 1, 3, 5, 7 for significant neighbours N, W, E, S, and 0, 2, 4, 6 for the same where they are negative.
    """
    table = np.zeros(256, dtype=np.uint8)
    for index in range(256):
        north, west, east, south = (
            ((index >> (2 * place + 1)) & 1) * (1 - 2 * ((index >> (2 * place)) & 1)) for place in range(4)
        )
        horizontal, vertical = np.clip(west + east, -1, 1), np.clip(north + south, -1, 1)
        inverted = horizontal < 0 or (horizontal == 0 and vertical < 0)
        if inverted:
            horizontal, vertical = -horizontal, -vertical
        table[index] = 9 + (3 * horizontal + vertical if horizontal else vertical) + 32 * inverted
    return table


STATES = _state_words()
ZERO_CODING = _zero_coding()
SIGN_CODING = _sign_coding()
#: Table D.7: the contexts' first states.
FIRST_STATES = np.zeros(CONTEXTS, dtype=np.int64)
FIRST_STATES[:] = STATES[0]
FIRST_STATES[[0, RUN_LENGTH, UNIFORM]] = STATES[[2 * 4, 2 * 3, 2 * 46]]
