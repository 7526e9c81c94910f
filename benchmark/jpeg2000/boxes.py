"""The boxes of a JP2 file, and the codestream among them (ISO/IEC 15444-1 (T.800) annex I)."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from benchmark.errors import CodestreamError
from benchmark.jpeg2000.markers import JP2_SIGNATURE


def boxes(data: bytes, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Type, first byte and end of the contents of every box in data[start:end]; stops at an impossible length (I.4)."""
    while start + 8 <= end:
        length, kind = struct.unpack_from(">I4s", data, start)
        header = 8
        if length == 1 and start + 16 <= end:
            (length,), header = struct.unpack_from(">Q", data, start + 8), 16
        if 0 < length < header:
            return
        stop = min(start + length, end) if length else end
        yield kind, start + header, stop
        start = stop


def unwrapped(data: bytes) -> tuple[bytes, int]:
    """The codestream of a JP2 file, and at which of the file's bytes it begins; other bytes are their own codestream.

    Raises CodestreamError for a JP2 file without a codestream.

    >>> unwrapped(b"\\xff\\x4f")
    (b'\\xffO', 0)
    """
    if not data.startswith(JP2_SIGNATURE):
        return data, 0
    for kind, start, end in boxes(data, 0, len(data)):
        if kind == b"jp2c":
            return data[start:end], start
    raise CodestreamError("JP2 file without a codestream (jp2c box)")


def has_palette(data: bytes) -> bool:
    """Whether a JP2 file's header box holds a palette (I.5.3.4)."""
    return data.startswith(JP2_SIGNATURE) and any(
        inner == b"pclr"
        for kind, start, end in boxes(data, 0, len(data))
        if kind == b"jp2h"
        for inner, _, _ in boxes(data, start, end)
    )
