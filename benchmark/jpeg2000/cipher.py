"""Format-compliant encryption of a window of packet bodies: every standard decoder still decodes the result.

Main header, tile-part headers and packet headers stay in clear, and with them every length. The keystream is
AES-256-CTR under a key derived from the sample's key, the window, and a digest of all these headers: another window,
other coder settings or another version of a sample get another keystream even under one key. Only two codestreams that
agree in the length of every code-block in every layer would share one, so a key must still belong to one sample.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache

import numpy as np

from benchmark.crypto import keystream
from benchmark.errors import InvalidInputError, unknown
from benchmark.jpeg2000.cipher_loops import count_shifted, gather_headers, locate, shift
from benchmark.jpeg2000.codestream import Parsed, parse

#: What a window is a percentage of: the whole file, or its packet bodies one after another.
WINDOW_BASES = ("codestream", "packet-bodies")


def encrypt(codestream: bytes, *, key: bytes, offset: float, size: float, window_base: str) -> bytes:
    """Encrypt the packet bodies inside a window of a codestream; as long as before, and decodable.

    `key`: 32 bytes, of this sample alone. `offset`, `size`: percent of the codestream, or of its concatenated packet
    bodies, as `window_base` says (`codestream`, `packet-bodies`); a window's ends are rounded to whole bytes.

    Raises InvalidInputError on a wrong key or window, CodestreamError on a malformed codestream.

    >>> from benchmark.jpeg2000 import encode
    >>> plain = encode(np.arange(768, dtype=np.uint8).reshape(16, 16, 3), levels=2)
    >>> window = {"key": bytes(32), "offset": 0, "size": 50, "window_base": "packet-bodies"}
    >>> encrypted = encrypt(plain, **window)
    >>> encrypted != plain, decrypt(encrypted, **window) == plain
    (True, True)
    """
    return _transform(codestream, key, offset, size, window_base, 1)


def decrypt(codestream: bytes, *, key: bytes, offset: float, size: float, window_base: str) -> bytes:
    """The inverse of `encrypt` with the same arguments.

    A wrong key is not noticed: nothing is authenticated, and the result is a codestream that decodes to noise.
    """
    return _transform(codestream, key, offset, size, window_base, -1)


def encrypted_ranges(codestream: bytes, offset: float, size: float, window_base: str) -> tuple[int, int, int]:
    """What `encrypt` touches: first byte, end (exclusive), and how many bytes in between are really encrypted.

    Headers and bytes FF in between stay in clear and are not counted. The same for a codestream and its encrypted twin.
    A window that holds no body byte gives (0, 0, 0).
    """
    parsed = parse(codestream)
    begin, end = _window(parsed, offset, size, window_base)
    first, last, _ = locate(parsed.table, begin, end, window_base == "packet-bodies")
    return first, last, count_shifted(parsed.data, parsed.table, first, last)


def _transform(codestream: bytes, key: bytes, offset: float, size: float, window_base: str, sign: int) -> bytes:
    parsed = parse(codestream)
    begin, end = _window(parsed, offset, size, window_base)
    data, table = parsed.data, parsed.table
    headers = np.empty(len(codestream), dtype=np.uint8)
    outside = gather_headers(data, table, headers)
    first, last, inside = locate(table, begin, end, window_base == "packet-bodies")
    window, digest = _window_label(offset, size, window_base), hashlib.sha256(headers[:outside].data).hexdigest()
    # One keystream byte in 256 is passed over, and nearly half of the few for bytes after FF: seldom is more needed.
    length = inside + inside // 64 + 64
    while True:
        stream = np.frombuffer(
            bytearray(keystream(key, length, "jpeg2000 packet bodies", window, digest)), dtype=np.uint8
        )
        if shift(data, table, first, last, stream, sign):
            return data.tobytes()
        data[:] = np.frombuffer(codestream, dtype=np.uint8)
        length *= 2


def _window(parsed: Parsed, offset: float, size: float, window_base: str) -> tuple[int, int]:
    """First byte and end of a window, in bytes of its base."""
    _window_label(offset, size, window_base)
    total = len(parsed.data) if window_base == "codestream" else parsed.bodies
    return round(total * offset / 100), round(total * (offset + size) / 100)


@lru_cache(maxsize=256)
def _window_label(offset: float, size: float, window_base: str) -> str:
    """A window in words, checked."""
    check_window(offset, size, window_base)
    return f"{float(offset)!r} {float(size)!r} {window_base}"


def check_window(offset: float, size: float, window_base: str) -> None:
    """Raises InvalidInputError unless a window in percent lies within its base.

    >>> check_window(97, 4, "codestream")
    Traceback (most recent call last):
    benchmark.errors.InvalidInputError: the window reaches past the end: offset 97 % + size 4 % is over 100 %
    """
    if window_base not in WINDOW_BASES:
        raise unknown("window_base", window_base, WINDOW_BASES)
    if not (0 <= offset <= 100 and 0 <= size <= 100):
        raise InvalidInputError(f"a window's offset and size are 0 to 100 %, not {offset} and {size}")
    if offset + size > 100:
        raise InvalidInputError(f"the window reaches past the end: offset {offset:g} % + size {size:g} % is over 100 %")
