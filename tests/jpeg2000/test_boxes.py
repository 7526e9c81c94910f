"""Boxes of JP2 files: where the codestream lies, and whether there is a palette."""

from __future__ import annotations

import struct

import pytest
from jp2_files import box, boxed

from benchmark.errors import CodestreamError
from benchmark.jpeg2000.boxes import has_palette, unwrapped
from benchmark.jpeg2000.markers import codestream_of

CODESTREAM = b"\xff\x4f\xff\x51 and more \xff\xd9"


def test_the_codestream_and_where_it_begins() -> None:
    for before in ((), (box(b"xml ", b"<x/>"),), (box(b"uuid", CODESTREAM),)):
        data = boxed(CODESTREAM, *before)
        assert unwrapped(data) == (CODESTREAM, len(data) - len(CODESTREAM))
        assert unwrapped(data)[0] == codestream_of(data)
    assert unwrapped(CODESTREAM) == (CODESTREAM, 0)


@pytest.mark.parametrize(
    "header", [struct.pack(">I4sQ", 1, b"jp2c", 16 + len(CODESTREAM)), struct.pack(">I4s", 0, b"jp2c")]
)
def test_long_and_open_boxes(header: bytes) -> None:
    data = boxed(b"")[:-8] + header + CODESTREAM
    assert unwrapped(data) == (CODESTREAM, len(data) - len(CODESTREAM))
    assert unwrapped(data)[0] == codestream_of(data)


def test_a_palette_is_a_box_of_the_header_and_no_text() -> None:
    assert has_palette(boxed(CODESTREAM, header=box(b"pclr", b"")))
    for data in (
        boxed(CODESTREAM),
        boxed(CODESTREAM, box(b"xml ", b"<x>pclr</x>")),
        boxed(CODESTREAM, box(b"pclr", b"")),
        boxed(CODESTREAM + b"pclr"),
        b"pclr",
    ):
        assert not has_palette(data)


def test_without_a_codestream() -> None:
    file = boxed(CODESTREAM)
    start = len(file) - len(CODESTREAM) - 8
    for data in (file[:start], file[: start + 5], file[:start] + struct.pack(">I4s", 7, b"jp2c") + CODESTREAM):
        with pytest.raises(CodestreamError, match="without a codestream"):
            unwrapped(data)
