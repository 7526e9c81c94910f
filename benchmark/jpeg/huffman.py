"""Huffman tables as arrays that compiled loops look codes up in."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt
from numba import njit

from benchmark.errors import CodestreamError

#: Codes of up to this many bits are looked up at once; longer ones are searched by length.
LOOK = 9
#: Places in a row: the lookup (length << 8 | value, 0 where no short code begins so), then for each length the end of
#: its codes (left-aligned to 16 bits) and the number of its first value less its first code, then the values.
LIMITS, SHIFTS, VALUES = 1 << LOOK, (1 << LOOK) + 17, (1 << LOOK) + 34
WIDTH = VALUES + 256


@lru_cache(maxsize=64)
def lookup_tables(tables: tuple[bytes | None, ...]) -> npt.NDArray[np.int32]:
    """Rows (int32, 8 x WIDTH) for DC tables 0..3 and AC tables 0..3, each 16 counts and the values as DHT has them.

    In the row of a table that is missing no code is valid. Raises CodestreamError on tables that no codes fit.
    """
    rows = np.zeros((len(tables), WIDTH), dtype=np.int32)
    for number, table in enumerate(tables):
        if table is not None:
            if number < 4 and max(table[16:], default=0) > 15:
                raise CodestreamError("JPEG: a DC Huffman table with a category above 15")
            if not _fill(rows[number], np.frombuffer(table, dtype=np.uint8)):
                raise CodestreamError("JPEG: a Huffman table with more codes than their lengths allow")
    rows.setflags(write=False)
    return rows


@njit(cache=True, nogil=True)
def _fill(row, table):  # type: ignore[no-untyped-def]  # numba infers them
    """Codes in order of their length, each one more than the one before it (T.81 annex C); False if they run out."""
    code = met = 0
    for length in range(1, 17):
        if code + table[length - 1] > 1 << length:
            return False
        row[SHIFTS + length] = met - code
        for _ in range(table[length - 1]):
            value = np.int64(table[16 + met])
            row[VALUES + met] = value
            if length <= LOOK:
                for rest in range(1 << (LOOK - length)):
                    row[(code << (LOOK - length)) + rest] = length << 8 | value
            code += 1
            met += 1
        row[LIMITS + length] = code << (16 - length)
        code <<= 1
    return True


@njit(cache=True, nogil=True, inline="always")
def find_code(tables, row, word):  # type: ignore[no-untyped-def]  # numba infers them
    """Length << 8 | value of the code that 16 bits begin with; 0 where it is none."""
    found = np.int64(tables[row, np.uintp(word >> (16 - LOOK))])
    if found == 0:
        for length in range(LOOK + 1, 17):
            if word < tables[row, LIMITS + length]:
                number = (word >> (16 - length)) + tables[row, SHIFTS + length]
                if 0 <= number < 256:
                    found = (np.int64(length) << 8) | np.int64(tables[row, VALUES + number])
                break
    return found
