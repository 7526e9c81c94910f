"""The rules on marker codes, against streams in which each is broken on purpose."""

from __future__ import annotations

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pictures import make_picture
from PIL import Image

from benchmark.compliance import jpeg2000_violations, jpeg_violations
from benchmark.jpeg2000 import encode, encrypt, packets

PLAIN = encode(make_picture(48, 48), layers="12", code_block=32)


def body(length: int) -> int:
    """Where a packet body of at least some length begins."""
    table = packets(PLAIN)
    return int(table["body"][(table["end"] - table["body"]) >= length][0])


def with_bytes(data: bytes, position: int, new: bytes) -> bytes:
    return data[:position] + new + data[position + len(new) :]


def test_two_bytes_above_ff8f_in_a_body_are_found():
    position = body(8) + 2
    assert jpeg2000_violations(with_bytes(PLAIN, position, b"\xff\x8f")) == []
    for code in (0x90, 0x93, 0xD9, 0xFF):
        broken = with_bytes(PLAIN, position, bytes([0xFF, code, 0x00]))
        assert jpeg2000_violations(broken) == [f"FF{code:02X} in a packet body at byte {position}"]


def test_a_body_that_ends_in_ff_is_found():
    table = packets(PLAIN)
    ends = table["end"][(table["end"] > table["body"])]
    for end in (int(ends[0]), int(ends[-1])):
        assert (
            jpeg2000_violations(with_bytes(PLAIN, end - 1, b"\xff"))[0] == f"packet body ends in FF at byte {end - 1}"
        )


def test_headers_may_hold_what_bodies_may_not():
    """SOP markers, FF91, stand between the bodies."""
    assert jpeg2000_violations(encode(make_picture(48, 48), layers="12", sop=True, eph=True)) == []


def test_a_broken_codestream_violates_by_its_fault():
    assert "not a JPEG 2000 codestream" in jpeg2000_violations(b"hello")[0]
    assert jpeg2000_violations(PLAIN[:-40])


@given(
    st.binary(min_size=32, max_size=32),
    st.floats(0, 50),
    st.floats(0, 50),
    st.sampled_from(["codestream", "packet-bodies"]),
)
@settings(max_examples=60, deadline=None)
def test_no_key_and_no_window_makes_a_violation(key, offset, size, base):
    assert jpeg2000_violations(encrypt(PLAIN, key=key, offset=offset, size=size, window_base=base)) == []


def jpeg(**options) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(make_picture(64, 48)).save(buffer, "JPEG", quality=95, **options)
    return buffer.getvalue()


def scan(data: bytes) -> int:
    """The first byte of the last scan's data."""
    start = data.rindex(b"\xff\xda")
    return start + 2 + int.from_bytes(data[start + 2 : start + 4])


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"restart_marker_blocks": 1}, {"comment": b"\xff\xd9"}])
def test_what_libjpeg_writes_is_accepted(options):
    assert jpeg_violations(jpeg(**options)) == []


@pytest.mark.parametrize("options", [{}, {"progressive": True}])
@pytest.mark.parametrize(
    ("new", "fault"),
    [
        (b"\xff\x01", "FF01 in a scan"),
        (b"\xff\xff", "FFFF in a scan"),
        (b"\xff\xc0", "FFC0 in a scan"),
        (b"\xff\xd3", "out of turn"),
        (b"\xff\xd9", "after the end of the image"),
    ],
)
def test_markers_inside_a_scan_are_found(options, new, fault):
    data = jpeg(**options)
    assert fault in jpeg_violations(with_bytes(data, scan(data) + 20, new))[0]


def test_restart_markers_must_count():
    data = jpeg(restart_marker_blocks=1)
    assert "out of turn" in jpeg_violations(data.replace(b"\xff\xd2", b"\xff\xd3", 1))[0]
    assert "out of turn" in jpeg_violations(data.replace(b"\xff\xd0", b"\xff\xd1", 1))[0]


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (b"", "no start of image"),
        (b"\xff\xd8", "no marker at byte 2"),
        (b"\xff\xd8\xff\xd9", "there is no scan"),
        (b"\xff\xd8\xff\xdb\x00\x43", "reaches past the end"),
        (b"\xff\xd8\xff\xda\x00\x02\x11\xff\xd9", "a scan before the frame header"),
        (jpeg()[:-2], "a scan without an end"),
        (jpeg() + b"x", "1 bytes after the end of the image"),
    ],
)
def test_what_is_no_jpeg_file_is_named(data, fault):
    assert fault in jpeg_violations(data)[0]


@given(st.binary(max_size=300), st.integers(0, 10_000))
@settings(max_examples=200, deadline=None)
def test_no_bytes_bring_it_down(noise, position):
    data = jpeg()
    position %= len(data)
    assert isinstance(jpeg_violations(with_bytes(data, position, noise)), list)
    assert isinstance(jpeg2000_violations(with_bytes(PLAIN, position % len(PLAIN), noise)), list)
