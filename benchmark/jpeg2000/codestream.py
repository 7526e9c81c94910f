"""The packet table of a codestream (tier-2): where every packet's header and body lie, and what it belongs to.

Supported: all five progressions, layers, precincts, several tiles and tile-parts, SOP and EPH, every code-block style
of T.800. Refused by name: COC, POC, PPM, PPT, coding changes in tile-part headers, HTJ2K.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from benchmark.errors import CodestreamError
from benchmark.jpeg2000.layout import Layout, layout
from benchmark.jpeg2000.markers import main_header_bytes, tile_parts
from benchmark.jpeg2000.packet_headers import MESSAGES, read_packets

PACKET = np.dtype(
    [
        ("tile", np.int32),
        ("layer", np.int32),
        ("resolution", np.int32),
        ("component", np.int32),
        ("precinct", np.int32),
        ("start", np.int32),
        ("body", np.int32),
        ("end", np.int32),
    ]
)
SEGMENT = np.dtype(
    [
        ("packet", np.int32),
        ("code_block", np.int32),
        ("passes", np.int32),
        ("start", np.int32),
        ("length", np.int32),
        ("zero_planes", np.int32),
    ]
)
_NO_SEGMENTS = np.empty((0, 6), dtype=np.int32)


class Parsed(NamedTuple):
    """A codestream as the cipher needs it: its bytes, layout, and packets (int32, N x 4: number, start, body, end)."""

    data: npt.NDArray[np.uint8]
    layout: Layout
    table: npt.NDArray[np.int32]
    #: Bytes in all packet bodies.
    bodies: int
    #: Codeword segments (int32, any x 6, see SEGMENT); empty where none were asked for.
    segments: npt.NDArray[np.int32]


def parse(codestream: bytes, *, capacity: int = 0) -> Parsed:
    """Parse main header, tile-parts and packet headers.

    `capacity`: room for codeword segments; where there are more, the caller's table is made anew, large enough.
    Raises CodestreamError.
    """
    if len(codestream) >= 1 << 31:
        raise CodestreamError("codestreams of 2 GiB and more are not supported")
    main = main_header_bytes(codestream)
    found = layout(main)
    parts = tile_parts(codestream, len(main), len(found.tile_packets) - 1)
    header = found.header
    data = np.frombuffer(bytearray(codestream), dtype=np.uint8)
    table = np.empty((len(found.sequence), 4), dtype=np.int32)
    segments = np.empty((capacity, 6), dtype=np.int32) if capacity else _NO_SEGMENTS
    status, position, packets, met, bodies = read_packets(
        data,
        np.array(parts, dtype=np.int64),
        found.tile_packets,
        found.sequence,
        found.precincts,
        found.pieces,
        found.parents,
        2 * header.sop + 4 * header.eph,
        header.style,
        found.code_blocks,
        table,
        segments,
    )
    if status:
        raise CodestreamError(f"codestream at byte {position}: {MESSAGES[status]}")
    if capacity and met > capacity:
        return parse(codestream, capacity=met)
    return Parsed(data, found, table[:packets], bodies, segments[:met] if capacity else segments)


def packets(codestream: bytes) -> npt.NDArray[np.void]:
    """All packets in codestream order, as a structured array of dtype PACKET.

    Fields: tile, layer, resolution, component, precinct (its number within the resolution); `start` (first byte, with
    SOP where there is one), `body` (first body byte, after EPH where there is one), `end` (exclusive), as offsets into
    the codestream. Raises CodestreamError on a truncated or malformed stream, and by name on what is not supported.

    >>> from benchmark.jpeg2000 import encode
    >>> table = packets(encode(np.zeros((8, 8, 3), dtype=np.uint8), levels=1, layers=2))
    >>> len(table), table[["layer", "resolution", "component"]][4].tolist()
    (12, (0, 1, 1))
    """
    parsed = parse(codestream)
    precinct, layer = parsed.layout.sequence[parsed.table[:, 0]].T
    table = np.empty(len(parsed.table), dtype=PACKET)
    for name, column in (("tile", 0), ("component", 1), ("resolution", 2), ("precinct", 3)):
        table[name] = parsed.layout.precincts[precinct, column]
    table["layer"] = layer
    table["start"], table["body"], table["end"] = parsed.table[:, 1:].T
    return table


def segments(codestream: bytes) -> npt.NDArray[np.void]:
    """All codeword segments in codestream order, as a structured array of dtype SEGMENT.

    Fields: packet (row of `packets`), code_block (number: by tile, component, resolution, precinct, band, raster),
    passes, start, length, zero_planes (missing most significant bit-planes of the code-block). A segment that several
    layers share has a row in each. Raises CodestreamError.
    """
    return parse(codestream, capacity=4096).segments.view(SEGMENT).reshape(-1)
