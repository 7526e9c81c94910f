"""Marker segments of a codestream: what the main header says, and where each tile-part's packets lie.

Everything is read from the bytes themselves, before any memory is taken for an image. Source: ISO/IEC 15444-1 (T.800)
annex A.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from functools import lru_cache

from benchmark.errors import CodestreamError

SOT, SOD, COD, COC = 0xFF90, 0xFF93, 0xFF52, 0xFF53
#: Segments that do not change where packets lie: COM, CRG, PLM, PLT, QCC, QCD, RGN, TLM.
_PASSED_OVER = {0xFF64, 0xFF63, 0xFF57, 0xFF58, 0xFF5D, 0xFF5C, 0xFF5E, 0xFF55}
#: Segments that would, and that the packet parser does not support.
_REFUSED = {
    0xFF50: "CAP (extended capabilities, such as HTJ2K)",
    0xFF53: "COC (coding style of one component)",
    0xFF5F: "POC (progression order changes)",
    0xFF60: "PPM (packet headers in the main header)",
    0xFF61: "PPT (packet headers in a tile-part header)",
}
SIGNATURE = b"\xff\x4f\xff\x51"
JP2_SIGNATURE = b"\x00\x00\x00\x0cjP  \r\n\x87\n"
MAX_PIXELS = 1 << 22  # a face sample is far smaller; decoding takes 24 bytes a pixel
MAX_PACKETS = 1 << 18
MAX_TILES = 1024


@dataclass(frozen=True)
class Component:
    """One component: depth in bits, signedness, subsampling."""

    depth: int
    signed: bool
    dx: int
    dy: int


@dataclass(frozen=True)
class Size:
    """Image area and tile grid, in coordinates of the reference grid, and the components."""

    x0: int
    y0: int
    x1: int
    y1: int
    tile_x0: int
    tile_y0: int
    tile_width: int
    tile_height: int
    components: tuple[Component, ...]

    @property
    def tiles(self) -> tuple[int, int]:
        """Number of tiles across and down."""
        return (
            -(-(self.x1 - self.tile_x0) // self.tile_width),
            -(-(self.y1 - self.tile_y0) // self.tile_height),
        )


@dataclass(frozen=True)
class MainHeader:
    """What SIZ and COD say (T.800 A.5.1, A.6.1)."""

    size: Size
    sop: bool
    eph: bool
    progression: int
    layers: int
    levels: int
    #: Exponents of a code-block's width and height.
    code_block: tuple[int, int]
    #: Code-block style bits (table A.19).
    style: int
    #: Exponents of precinct width and height, by resolution, from the lowest up.
    precincts: tuple[tuple[int, int], ...]
    #: Multiple component transformation: 1 on the first three components, 0 none (table A.17).
    colour_transform: int
    #: Wavelet transformation: 0 for 9/7 irreversible, 1 for 5/3 reversible (table A.20).
    wavelet: int


def find_marker(data: bytes, position: int, stop: int) -> tuple[int, int]:
    """Walks marker segments from `position` on; returns the position of the marker `stop`, and where COD was met.

    Raises CodestreamError on truncation and on a marker that is not supported, by its name.
    """
    coding = -1
    limit = len(data)
    while position + 2 <= limit:
        marker = data[position] << 8 | data[position + 1]
        if marker == stop:
            return position, coding
        if marker == COD:
            coding = position
        elif marker not in _PASSED_OVER:
            what = _REFUSED.get(marker, f"marker {marker:04X}")
            raise CodestreamError(f"codestream at byte {position}: {what} is not supported here")
        length = int.from_bytes(data[position + 2 : position + 4], "big")
        if length < 2:
            raise CodestreamError(f"codestream at byte {position}: a marker segment of length {length}")
        position += 2 + length
    raise CodestreamError(f"codestream is truncated in a header (it has {limit} bytes)")


def main_header_bytes(data: bytes) -> bytes:
    """The main header of a codestream, from SOC to the first SOT.

    >>> main_header_bytes(b"GIF89a")
    Traceback (most recent call last):
    benchmark.errors.CodestreamError: not a JPEG 2000 codestream: it begins with 47494638, not FF4FFF51
    >>> main_header_bytes(b"")
    Traceback (most recent call last):
    benchmark.errors.CodestreamError: not a JPEG 2000 codestream: it is empty
    """
    _check_signature(data)
    size = int.from_bytes(data[4:6], "big")
    return data[: find_marker(data, 4 + max(size, 2), SOT)[0]]


def _check_signature(data: bytes) -> None:
    if data[:4] != SIGNATURE:
        found = f"begins with {data[:4].hex().upper()}, not FF4FFF51" if data else "is empty"
        raise CodestreamError(f"not a JPEG 2000 codestream: it {found}")


@lru_cache(maxsize=64)
def main_header(header: bytes) -> MainHeader:
    """Parses a main header (`main_header_bytes`); refuses absurd sizes and what is not supported, by name."""
    _, position = find_marker(header + b"\xff\x90\x00\x0a", 4 + max(int.from_bytes(header[4:6], "big"), 2), SOT)
    if position < 0:
        raise CodestreamError("codestream has no COD marker in its main header")
    try:
        return _sized(header, header[position + 4 :])
    except struct.error:
        raise CodestreamError("codestream is truncated in a header segment") from None


def _sized(header: bytes, coding: bytes) -> MainHeader:
    size = image_size(header)
    flags, progression, layers, colour_transform, levels, block_width, block_height, style, wavelet = (
        struct.unpack_from(">BBHBBBBBB", coding)
    )
    block = block_width + 2, block_height + 2
    if progression > 4 or not layers or levels > 32 or max(block) > 10 or sum(block) > 12:
        raise CodestreamError("codestream has an impossible coding style (COD)")
    if style & 0xC0:
        raise CodestreamError(f"codestream uses code-block style {style:#x} (HTJ2K), which is not supported")
    sizes = coding[10 : 11 + levels] if flags & 1 else b"\xff" * (levels + 1)
    if len(sizes) < levels + 1:
        raise CodestreamError("codestream is truncated in COD")
    precincts = tuple((size & 15, size >> 4) for size in sizes)
    if any(0 in pair for pair in precincts[1:]):
        raise CodestreamError("codestream has precincts of width or height 1 above the lowest resolution")
    return MainHeader(
        size=size,
        sop=bool(flags & 2),
        eph=bool(flags & 4),
        progression=progression,
        layers=layers,
        levels=levels,
        code_block=block,
        style=style,
        precincts=precincts,
        colour_transform=colour_transform,
        wavelet=wavelet,
    )


def image_size(header: bytes) -> Size:
    """What SIZ says (T.800 A.5.1), at the beginning of a codestream; refuses absurd sizes."""
    _check_signature(header)
    if len(header) < 42:
        raise CodestreamError(f"codestream is truncated in a header (it has {len(header)} bytes)")
    _, x1, y1, x0, y0, width, height, tile_x0, tile_y0, count = struct.unpack_from(">H8IH", header, 6)
    if not (x0 < x1 and y0 < y1 and tile_x0 <= x0 < tile_x0 + width and tile_y0 <= y0 < tile_y0 + height):
        raise CodestreamError(f"codestream states an impossible image area: {x0}, {y0} to {x1}, {y1}")
    if (x1 - x0) * (y1 - y0) > MAX_PIXELS:
        raise CodestreamError(f"codestream states {x1 - x0} x {y1 - y0} pixels; at most {MAX_PIXELS} are supported")
    if not 1 <= count <= 16 or len(header) < 42 + 3 * count:
        raise CodestreamError(f"codestream states {count} components; 1 to 16 are supported")
    components = []
    for index in range(count):
        depth, dx, dy = header[42 + 3 * index : 45 + 3 * index]
        if not dx or not dy or depth & 0x7F > 37:
            raise CodestreamError(f"codestream states an impossible component {index}")
        components.append(Component((depth & 0x7F) + 1, bool(depth & 0x80), dx, dy))
    size = Size(x0, y0, x1, y1, tile_x0, tile_y0, width, height, tuple(components))
    across, down = size.tiles
    if across * down > MAX_TILES:
        raise CodestreamError(f"codestream states {across * down} tiles; at most {MAX_TILES} are supported")
    return size


def tile_parts(data: bytes, position: int, tiles: int) -> list[tuple[int, int, int]]:
    """Tile index, first byte and end of the packets of every tile-part, from the first SOT at `position` on.

    Raises CodestreamError where a tile-part or the end marker is missing, and on a tile-part that changes the coding.
    """
    parts = []
    limit = len(data)
    while position + 12 <= limit and data[position] == 0xFF and data[position + 1] == SOT & 0xFF:
        size, tile, length = struct.unpack_from(">HHI", data, position + 2)
        # Psot = 0: the tile-part reaches to the end marker.
        end = position + length if length else limit - 2
        if size != 10 or tile >= tiles or end > limit or (length and length < 14):
            raise CodestreamError(f"codestream at byte {position}: impossible or truncated tile-part (SOT)")
        body, coding = find_marker(data, position + 12, SOD)
        if coding >= 0:
            raise CodestreamError(f"codestream at byte {coding}: COD in a tile-part header is not supported here")
        if body + 2 > end:
            raise CodestreamError(f"codestream at byte {position}: a tile-part shorter than its header")
        parts.append((tile, body + 2, end))
        position = end
    if not parts or data[position : position + 2] != b"\xff\xd9":
        raise CodestreamError(f"codestream at byte {position}: neither a tile-part (SOT) nor the end (EOC)")
    return parts


def codestream_of(data: bytes) -> bytes:
    """The contiguous codestream of a JP2 file (T.800 annex I), or the bytes themselves where they are one."""
    if not data.startswith(JP2_SIGNATURE):
        return data
    position = 0
    while position + 8 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, position)
        start = 8
        if length == 1 and position + 16 <= len(data):
            (length,), start = struct.unpack_from(">Q", data, position + 8), 16
        if kind == b"jp2c":
            return data[position + start : position + length if length else len(data)]
        if length < start:
            break
        position += length
    raise CodestreamError("JP2 file without a codestream (jp2c box)")


def promised_packets(data: bytes) -> int:
    """At most how many packets the main header promises, whatever else it uses: what a decoder takes memory for.

    Reads SIZ and every COD and COC that it comes across, and does not mind what this package's parser refuses.
    """
    size = image_size(data)
    width, height = size.x1 - size.x0, size.y1 - size.y0
    across, down = size.tiles
    position, layers, most = 4 + int.from_bytes(data[4:6], "big"), 1, 0
    while position + 4 <= len(data) and data[position] == 0xFF and data[position + 1] != SOT & 0xFF:
        marker, length = struct.unpack_from(">HH", data, position)
        segment = data[position + 4 : position + 2 + length]
        if marker == COD and len(segment) >= 10:
            layers = max(layers, int.from_bytes(segment[2:4], "big"))
        explicit = segment[10:] if marker == COD else segment[7:] if marker == COC else b""
        # Edges of tiles cut precincts: one more in each direction.
        per_tile = sum(
            ((width // across >> (byte & 15)) + 2) * ((height // down >> (byte >> 4)) + 2) for byte in explicit
        )
        most = max(most, per_tile)
        position += 2 + max(length, 2)
    return max(most, 33) * layers * across * down * len(size.components)
