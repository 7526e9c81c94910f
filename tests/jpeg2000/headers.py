"""Main headers written by hand (T.800 annex A), to say what no encoder here would."""

from __future__ import annotations

import struct
from collections.abc import Sequence


def marker_segment(marker: int, contents: bytes) -> bytes:
    return struct.pack(">HH", marker, len(contents) + 2) + contents


def main_header(
    area: tuple[int, int, int, int],
    *,
    tile: tuple[int, int, int, int] | None = None,
    steps: Sequence[tuple[int, int]] = ((1, 1),),
    levels: int = 1,
    code_block: tuple[int, int] = (6, 6),
    precincts: Sequence[tuple[int, int]] = (),
    quantisation: Sequence[tuple[int, bytes]] = (),
) -> bytes:
    """SOC to the last segment. `area`: x0, y0, x1, y1; `tile`: x0, y0, width, height; exponents of block and precincts.

    `quantisation`: (marker, contents) of QCD, QCC or RGN; by default a reversible QCD.
    """
    x0, y0, x1, y1 = area
    tile_x0, tile_y0, width, height = tile or (x0, y0, x1 - x0, y1 - y0)
    size = struct.pack(">H8IH", 0, x1, y1, x0, y0, width, height, tile_x0, tile_y0, len(steps))
    size += b"".join(bytes((7, dx, dy)) for dx, dy in steps)
    coding = struct.pack(
        ">BBHBBBBBB", bool(precincts), 0, 1, 0, levels, code_block[0] - 2, code_block[1] - 2, 0, 1
    ) + bytes(across | down << 4 for across, down in precincts)
    default = [(0xFF5C, bytes([0x40] + [10 << 3] * (3 * levels + 1)))]
    segments = [(0xFF51, size), (0xFF52, coding), *(quantisation or default)]
    return b"\xff\x4f" + b"".join(marker_segment(*segment) for segment in segments)
