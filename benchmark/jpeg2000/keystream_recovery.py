"""The draws of a keystream that several files share, from these files and their plain twins.

The format-compliant cipher (`cipher_loops`) draws bytes below 255 (255 itself is passed over) and adds one to each
body byte modulo 255. Bytes FF draw nothing; for a byte after FF it passes over all draws from 0x90 on. Each plain twin
so gives the draws up to the first byte after FF, where nobody can say how many were passed over, but for another file
whose bytes FF lie elsewhere. So the files fill each other's gaps, in turns, until nothing new is learned.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

from benchmark.jpeg2000.codestream import parse

Bytes = npt.NDArray[np.uint8]
Draws = npt.NDArray[np.int16]
#: Plain and protected bytes, body ranges, first byte and end of what is encrypted.
Walk = tuple[Bytes, Bytes, npt.NDArray[np.int64], int, int]

UNKNOWN = -1
#: Draws that two files must have in common for their keystream to be one: by chance once in 255 to the 8th.
COMMON = 8


def learn_draws(files: list[tuple[bytes, bytes, int, int]]) -> Draws:
    """Draws (int16, UNKNOWN where nothing is known) from plain and protected files with first byte and end of each.

    Empty where fewer than two files agree from the first draw on.

    >>> learn_draws([]).tolist()
    []
    """
    walks = []
    for plain, hidden, start, end in files:
        bodies = parse(plain).table[:, 2:].astype(np.int64)
        walks.append((np.frombuffer(plain, np.uint8), np.frombuffer(hidden, np.uint8), bodies, start, end))
    longest = 2 * max((end - start for *_, start, end in walks), default=0)
    best = np.empty(0, np.int16)
    # Files of several keys may be among them: each key's are tried, from the first file that has not joined any.
    left = list(range(len(walks)))
    while left:
        draws = np.full(longest, UNKNOWN, np.int16)
        joined = [number for number in left if _joins(draws, walks[number])]
        if len(joined) > 1:
            while sum(_walk(draws, *walks[number])[0] for number in joined):
                pass
            if (draws >= 0).sum() > (best >= 0).sum():
                best = draws
        left = [number for number in left if number not in joined]
    return best


def _joins(draws: Draws, walk: Walk) -> bool:
    """Whether a file has these draws; if so, it has added those that only it knows."""
    trial = draws.copy()
    _, agreed, contradicted = _walk(trial, *walk)
    fresh = not (draws >= 0).any()
    if contradicted or not (fresh or agreed >= COMMON):
        return False
    draws[:] = trial
    return True


@njit(cache=True, nogil=True)
def _walk(draws, plain, hidden, bodies, start, end):  # type: ignore[no-untyped-def]  # numba infers them
    """Follows the cipher through one file: (draws learned, draws that agreed, whether one contradicts)."""
    used = learned = agreed = 0
    for packet in range(bodies.shape[0]):
        low, high = max(bodies[packet, 0], start), min(bodies[packet, 1], end)
        for place in range(low, high):
            value = np.int64(plain[place])
            after = place > bodies[packet, 0] and plain[place - 1] == 0xFF
            modulus = 0x90 if after else 0xFF
            if value >= modulus:
                if hidden[place] != value:
                    return learned, agreed, True
                continue
            drawn = (np.int64(hidden[place]) - value) % modulus
            while after and used < draws.size and draws[used] >= modulus:
                used += 1
            if used >= draws.size or (after and draws[used] < 0):
                return learned, agreed, False
            if draws[used] < 0:
                draws[used] = drawn
                learned += 1
            elif draws[used] != drawn:
                return learned, agreed, True
            else:
                agreed += 1
            used += 1
    return learned, agreed, False
