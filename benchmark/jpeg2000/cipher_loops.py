"""Compiled loops of the format-compliant cipher: where a window's bytes lie, and shifting them by a keystream.

A packet body may hold no two bytes above FF8F and may not end in FF. So bytes FF stay; a byte after FF is shifted
modulo 0x90, every other byte modulo 0xFF, which yields neither a new FF nor a pair above FF8F. Which byte is which kind
can be told from the encrypted bytes too, so this can be undone. Source: Wu & Ma, "Efficient and secure encryption
schemes for JPEG2000", ICASSP 2004.
"""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def locate(table, begin, end, of_bodies):  # type: ignore[no-untyped-def]  # numba infers them
    """A window's extent in the file: (first body byte, end, body bytes in between); all 0 where it holds none.

    `begin` and `end` count bytes of the codestream, or of its concatenated bodies (`of_bodies`).
    """
    first = last = inside = passed = 0
    for packet in range(table.shape[0]):
        body, stop = table[packet, 2], table[packet, 3]
        # The window's ends in the file, were all bodies from here on contiguous.
        shifted = body - passed if of_bodies else 0
        low, high = max(begin + shifted, body), min(end + shifted, stop)
        passed += stop - body
        if low < high:
            if inside == 0:
                first = low
            last = high
            inside += high - low
        elif inside > 0 and high < stop:
            break
    return first, last, inside


@njit(cache=True, nogil=True)
def gather_headers(data, table, headers):  # type: ignore[no-untyped-def]  # numba infers them
    """Copies everything outside packet bodies into `headers`, as long as the codestream; returns how many bytes."""
    # Unsigned, since numba counts negative indices from the end, which takes longer than the copying.
    one, count, position = np.uintp(1), np.uintp(0), np.uintp(0)
    for packet in range(table.shape[0] + 1):
        body = np.uintp(table[packet, 2] if packet < table.shape[0] else data.size)
        while position < body:
            headers[count] = data[position]
            count += one
            position += one
        if packet < table.shape[0]:
            position = np.uintp(table[packet, 3])
    return count


@njit(cache=True, nogil=True)
def count_shifted(data, table, first, last):  # type: ignore[no-untyped-def]  # numba infers them
    """How many bytes `shift` changes in first..last: all body bytes but FF (and what may not follow FF)."""
    count = 0
    for packet in range(table.shape[0]):
        body, stop = table[packet, 2], table[packet, 3]
        for position in range(max(first, body), min(last, stop)):
            after_ff = position > body and data[position - 1] == 0xFF
            count += data[position] < (0x90 if after_ff else 0xFF)
    return count


@njit(cache=True, nogil=True)
def shift(data, table, first, last, stream, sign):  # type: ignore[no-untyped-def]  # numba infers them
    """Shifts the body bytes in first..last by a keystream, forwards (`sign` 1) or back (-1), in place.

    Keystream bytes that are not below the modulus are passed over, so that the shift is uniform. Returns False where
    the keystream ran out.
    """
    used = 0
    for packet in range(table.shape[0]):
        body, stop = table[packet, 2], table[packet, 3]
        low, high = max(first, body), min(last, stop)
        if low >= high:
            continue
        modulus = 0x90 if low > body and data[low - 1] == 0xFF else 0xFF
        for place in range(low, high):
            position = np.uintp(place)
            value = np.int64(data[position])
            # A byte above 8F after FF does not occur in a conforming body; it stays, so that all can be undone.
            if value < modulus:
                drawn = np.int64(0xFF)
                while drawn >= modulus:
                    if used == stream.size:
                        return False
                    drawn = np.int64(stream[used])
                    used += 1
                moved = value + sign * drawn
                if moved >= modulus:
                    moved -= modulus
                elif moved < 0:
                    moved += modulus
                data[position] = moved
            modulus = 0x90 if value == 0xFF else 0xFF
    return True
