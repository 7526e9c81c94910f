"""JP2 files written by hand around a codestream (ISO/IEC 15444-1 (T.800) annex I)."""

from __future__ import annotations

import struct


def box(kind: bytes, contents: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(contents), kind) + contents


def boxed(codestream: bytes, *before: bytes, header: bytes = b"", side: int = 112) -> bytes:
    """A JP2 file of a square RGB codestream; `before`: boxes ahead of it, `header`: boxes in the header box."""
    image = box(b"ihdr", struct.pack(">IIHBBBB", side, side, 3, 7, 7, 0, 0))
    colour = box(b"colr", struct.pack(">BBBI", 1, 0, 0, 16))
    parts = [
        box(b"jP  ", b"\r\n\x87\n"),
        box(b"ftyp", b"jp2 \0\0\0\0jp2 "),
        box(b"jp2h", image + header + colour),
        *before,
        box(b"jp2c", codestream),
    ]
    return b"".join(parts)
