"""The packet table against what encoders wrote down themselves: packet lengths (PLT) and start-of-packet markers."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from pictures import make_picture
from raw_openjpeg import encoded_components

from benchmark.errors import CodestreamError
from benchmark.jpeg2000 import decode, encode, packets, segments
from benchmark.jpeg2000.encoder import BYPASS, PTERM, RESET, SEGSYM, TERMALL, VSC
from benchmark.jpeg2000.markers import main_header_bytes

PROGRESSIONS = ["LRCP", "RLCP", "RPCL", "PCRL", "CPRL"]
SETTINGS: list[dict[str, Any]] = [
    {},
    {"layers": 16, "code_block": 32, "segmentation_symbols": True},
    {"layers": 5, "code_block": (4, 64), "precincts": [(32, 64), (16, 16), (8, 16)]},
    {"layers": "jj2000", "code_block": 16, "precincts": [(128, 128)]},
    {"layers": 3, "tile": (40, 56), "precincts": [(32, 32)], "levels": 3},
    {"layers": 8, "style": TERMALL, "code_block": 8},
    {"layers": 4, "style": BYPASS},
    {"layers": 4, "style": BYPASS | TERMALL | RESET | VSC | PTERM | SEGSYM, "code_block": 16},
]


def packet_lengths(codestream: bytes) -> list[int]:
    """Packet lengths out of all PLT segments (T.800 A.7.3), in codestream order."""
    lengths: list[int] = []
    position = len(main_header_bytes(codestream))
    while codestream[position : position + 2] == b"\xff\x90":
        (size,) = struct.unpack_from(">I", codestream, position + 6)
        header = position + 12
        while codestream[header : header + 2] != b"\xff\x93":
            marker, length = struct.unpack_from(">2H", codestream, header)
            if marker == 0xFF58:
                value = 0
                for byte in codestream[header + 5 : header + 2 + length]:
                    value = value << 7 | byte & 0x7F
                    if byte < 0x80:
                        lengths.append(value)
                        value = 0
            header += 2 + length
        position += size
    return lengths


def start_markers(codestream: bytes) -> list[int]:
    """Positions of all SOP segments (T.800 A.8.1); FF91 occurs nowhere else but inside a packet number 255."""
    found, position = [], len(main_header_bytes(codestream))
    while (position := codestream.find(b"\xff\x91\x00\x04", position)) >= 0:
        found.append(position)
        position += 6
    return found


@pytest.mark.parametrize("progression", PROGRESSIONS)
@pytest.mark.parametrize("settings", SETTINGS, ids=lambda s: ",".join(s) or "default")
@pytest.mark.parametrize("size", [(112, 112), (61, 97)])
def test_table_equals_packet_lengths_and_start_markers(
    progression: str, settings: dict[str, Any], size: tuple[int, int]
) -> None:
    sample = make_picture(*size)
    stated = encode(sample, progression=progression, plt=True, **settings)
    table = packets(stated)
    assert (table["end"] - table["start"]).tolist() == packet_lengths(stated)
    marked = encode(sample, progression=progression, sop=True, eph=True, **settings)
    other = packets(marked)
    assert other["start"].tolist() == start_markers(marked)
    assert all(marked[body - 2 : body] == b"\xff\x92" for body in other["body"])
    # Markers move the layers' ends, since they count against the rate, but not the order of packets.
    names = ["tile", "layer", "resolution", "component", "precinct"]
    assert np.array_equal(table[names], other[names])


@pytest.mark.parametrize("progression", PROGRESSIONS)
def test_progressions_order_packets_as_their_letters_say(progression: str) -> None:
    table = packets(encode(make_picture(112, 112), progression=progression, layers=4))
    names = {"L": "layer", "R": "resolution", "C": "component", "P": "precinct"}
    assert len(table) == 4 * 6 * 3
    order = np.lexsort([table[names[letter]] for letter in reversed(progression)])
    if progression not in ("PCRL",):  # with one precinct a resolution, position comes to nothing
        assert np.array_equal(order, np.arange(len(table)))
    assert {tuple(row) for row in table[["layer", "resolution", "component"]].tolist()} == {
        (layer, resolution, component) for layer in range(4) for resolution in range(6) for component in range(3)
    }


@pytest.mark.parametrize("settings", SETTINGS, ids=lambda s: ",".join(s) or "default")
def test_segments_fill_every_body(settings: dict[str, Any]) -> None:
    codestream = encode(make_picture(112, 112), **settings)
    table, parts = packets(codestream), segments(codestream)
    starts = np.concatenate([[0], np.cumsum(parts["length"])[:-1]])
    bodies = table["end"] - table["body"]
    assert parts["length"].sum() == bodies.sum()
    within = starts - np.concatenate([[0], np.cumsum(bodies)[:-1]])[parts["packet"]]
    assert np.array_equal(parts["start"], table["body"][parts["packet"]] + within)
    assert np.bincount(parts["packet"], weights=parts["length"], minlength=len(table)).tolist() == bodies.tolist()
    if settings.get("style", 0) & TERMALL:
        assert (parts["passes"] == 1).all()
    # Passes of a block with p bit-planes: 3 p - 2 (D.4); 8-bit samples have at most 8 + guard and gain bits.
    passes = np.bincount(parts["code_block"], weights=parts["passes"])
    assert ((passes[passes > 0] + 2) % 3 == 0).all()


def test_oracles_of_jj2000_parse(shared_oracles: Path) -> None:
    streams = sorted((shared_oracles / "j2k_concealment").glob("*.j2k"))
    assert len(streams) >= 20
    for path in streams:
        codestream = path.read_bytes()
        table = packets(codestream)
        assert table["start"].tolist() == start_markers(codestream), path.name
        assert table["end"][-1] == len(codestream) - 2


def test_packet_number_255_is_no_marker() -> None:
    codestream = encode(make_picture(112, 112), layers=32, sop=True)
    table = packets(codestream)
    assert len(table) > 512
    assert codestream[table["start"][255] :][:6] == b"\xff\x91\x00\x04\x00\xff"
    assert table["start"].tolist() == start_markers(codestream)


def split_tile_part(codestream: bytes, table: npt.NDArray[np.void], packet: int) -> bytes:
    """The same packets in two tile-parts (T.800 A.4.2)."""
    main = len(main_header_bytes(codestream))
    cut, end = int(table["start"][packet]), len(codestream) - 2
    first = struct.pack(">HHHIBB", 0xFF90, 10, 0, 14 + cut - (main + 14), 0, 2) + b"\xff\x93"
    second = struct.pack(">HHHIBB", 0xFF90, 10, 0, 14 + end - cut, 1, 2) + b"\xff\x93"
    return codestream[:main] + first + codestream[main + 14 : cut] + second + codestream[cut:]


def test_tile_parts_continue_each_other() -> None:
    sample = make_picture(64, 64)
    whole = encode(sample, layers=4)
    table = packets(whole)
    parted = split_tile_part(whole, table, 31)
    assert np.array_equal(decode(parted), sample)
    again = packets(parted)
    names = ["tile", "layer", "resolution", "component", "precinct"]
    assert np.array_equal(again[names], table[names])
    assert (again["start"] - table["start"]).tolist() == [0] * 31 + [14] * (len(table) - 31)
    # Psot = 0 in the last tile-part: it reaches to the end marker.
    position = len(main_header_bytes(whole)) + 6
    assert np.array_equal(packets(whole[:position] + bytes(4) + whole[position + 4 :]), table)


def insert_marker(codestream: bytes, marker: int) -> bytes:
    header = len(main_header_bytes(codestream))
    return codestream[:header] + struct.pack(">HH", marker, 4) + b"\0\0" + codestream[header:]


@pytest.mark.parametrize(
    ("marker", "name"), [(0xFF5F, "POC"), (0xFF60, "PPM"), (0xFF53, "COC"), (0xFF50, "CAP"), (0xFF30, "marker FF30")]
)
def test_unsupported_segments_are_refused_by_name(marker: int, name: str) -> None:
    codestream = encode(make_picture(32, 32), levels=2)
    with pytest.raises(CodestreamError, match=name):
        packets(insert_marker(codestream, marker))
    tile_header = len(main_header_bytes(codestream)) + 12
    for in_tile, what in ((0xFF61, "PPT"), (0xFF52, "COD in a tile-part header")):
        changed = codestream[:tile_header] + struct.pack(">HH", in_tile, 4) + b"\0\0" + codestream[tile_header:]
        with pytest.raises(CodestreamError, match=what):
            packets(changed)


def test_comments_and_the_like_are_passed_over() -> None:
    codestream = encode(make_picture(32, 32), levels=2)
    assert len(packets(insert_marker(codestream, 0xFF64))) == len(packets(codestream))


@pytest.mark.parametrize("cut", [1, 2, 3, 50, 400])
def test_truncated_streams_are_named(cut: int) -> None:
    codestream = encode(make_picture(32, 32), levels=2)
    with pytest.raises(CodestreamError, match=r"^codestream"):
        packets(codestream[:-cut])


def test_missing_and_left_over_packets_are_named() -> None:
    codestream = encode(make_picture(32, 32), levels=2, layers=2)
    table = packets(codestream)
    position = len(main_header_bytes(codestream)) + 6

    def with_body(end: int, extra: bytes) -> bytes:
        body = codestream[position + 4 : end] + extra
        return codestream[:position] + struct.pack(">I", 10 + len(body)) + body + b"\xff\xd9"

    with pytest.raises(CodestreamError, match="packets are missing"):
        packets(with_body(int(table["end"][-2]), b""))
    with pytest.raises(CodestreamError, match="bytes after a tile's last packet"):
        packets(with_body(int(table["end"][-1]), b"\0"))
    with pytest.raises(CodestreamError, match=r"packet's data reaches past|header reaches past"):
        packets(with_body(int(table["end"][-1]) - 3, b""))


@pytest.mark.parametrize("seed", [10, 13, 26])
def test_many_passes_and_long_segments_leave_the_header_in_step(seed: int) -> None:
    """37 passes or more are told in 16 bits, after which the length's indicator may begin with the last bit read."""
    random = np.random.default_rng(seed)
    span, side = 1 << int(random.integers(11, 16)), int(random.integers(100, 200))
    plane = (32768 + random.integers(1 - span, span, (side, side))).astype(np.int32)
    data = encoded_components([plane], 16, levels=0, code_block=(32, 32))
    assert packets(data)["end"][-1] == len(data) - 2  # before EOC
    assert segments(data)["passes"].max() >= 37
