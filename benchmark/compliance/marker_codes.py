"""The rules that let a decoder find its way through compressed data: where marker codes may and may not stand.

They are read from the bytes alone; no decoder takes part.
"""

from __future__ import annotations

import numpy as np

from benchmark.errors import CodestreamError
from benchmark.jpeg2000 import packets
from benchmark.jpeg2000.markers import codestream_of

#: JPEG markers (ISO/IEC 10918-1 table B.1) that may follow entropy-coded data: DHT, EOI, SOS, DQT, DNL, DRI, APPn, COM.
_AFTER_A_SCAN = {0xC4, 0xD9, 0xDA, 0xDB, 0xDC, 0xDD, *range(0xE0, 0xF0), 0xFE}
_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
_SOI, _EOI, _SOS, _DRI = 0xD8, 0xD9, 0xDA, 0xDD


def jpeg2000_violations(stream: bytes) -> list[str]:
    """What in the packet bodies of a codestream or JP2 file a decoder could take for a marker, one line each.

    ISO/IEC 15444-1 B.10.1 and D.4: compressed data hold no two bytes above FF8F, and no packet body ends in FF.
    A stream whose packets cannot be found violates by that.

    >>> from benchmark.jpeg2000 import encode
    >>> jpeg2000_violations(encode(np.zeros((8, 8, 3), dtype=np.uint8), levels=1))
    []
    """
    try:
        codestream = codestream_of(stream)
        table = packets(codestream)
    except CodestreamError as error:
        return [str(error)]
    data = np.frombuffer(codestream, dtype=np.uint8)
    bodies = table[table["end"] > table["body"]]
    found = [f"packet body ends in FF at byte {end - 1}" for end in bodies["end"] if data[end - 1] == 0xFF]
    codes = np.flatnonzero((data[:-1] == 0xFF) & (data[1:] > 0x8F))
    body = np.searchsorted(bodies["body"], codes, side="right") - 1
    inside = (body >= 0) & (codes + 1 < bodies["end"][np.maximum(body, 0)]) if len(bodies) else np.zeros(0, bool)
    return found + [f"FF{data[at + 1]:02X} in a packet body at byte {at}" for at in codes[: len(inside)][inside]]


def jpeg_violations(stream: bytes) -> list[str]:
    """What in the scans of a JPEG file is no entropy-coded data, one line; the first only, since then the way is lost.

    ISO/IEC 10918-1 B.1.1.5 and E.1.4: in a scan every FF is followed by a stuffed 00 or is a restart marker, and these
    count from 0 to 7 and again, where a restart interval is defined; what ends a scan is a marker that may stand there.
    """
    try:
        _walk(stream)
    except _ViolationError as error:
        return [str(error)]
    return []


class _ViolationError(Exception):
    pass


def _walk(stream: bytes) -> None:
    """Go from marker segment to marker segment (B.1.1.4), through every scan, to the end of the image."""
    if stream[:2] != bytes((0xFF, _SOI)):
        raise _ViolationError("there is no start of image")
    position, interval, scans, frame = 2, 0, 0, False
    while True:
        if stream[position : position + 1] != b"\xff" or position + 2 > len(stream):
            raise _ViolationError(f"no marker at byte {position}")
        marker = stream[position + 1]
        if marker == _EOI:
            break
        length = int.from_bytes(stream[position + 2 : position + 4])
        if length < 2 or position + 2 + length > len(stream):
            raise _ViolationError(f"segment FF{marker:02X} at byte {position} reaches past the end")
        if marker == _DRI:
            interval = int.from_bytes(stream[position + 4 : position + 6])
        frame |= marker in _FRAMES
        position += 2 + length
        if marker == _SOS:
            if not frame:
                raise _ViolationError("a scan before the frame header")
            scans, position = scans + 1, _end_of_scan(stream, position, interval)
    if not scans:
        raise _ViolationError("there is no scan")
    if position + 2 != len(stream):
        raise _ViolationError(f"{len(stream) - position - 2} bytes after the end of the image")


def _end_of_scan(stream: bytes, position: int, interval: int) -> int:
    """Where the marker that ends a scan stands."""
    expected = 0
    while True:
        position = stream.find(b"\xff", position)
        if position < 0 or position + 1 >= len(stream):
            raise _ViolationError("a scan without an end")
        code = stream[position + 1]
        if 0xD0 <= code <= 0xD7:
            if not interval or code != 0xD0 + expected:
                raise _ViolationError(f"restart marker FF{code:02X} at byte {position} is out of turn")
            expected = (expected + 1) % 8
        elif code:
            if code not in _AFTER_A_SCAN:
                raise _ViolationError(f"FF{code:02X} in a scan at byte {position}")
            return position
        position += 2
