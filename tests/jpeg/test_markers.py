"""Marker segments: what is read from them, and what is refused by its name."""

from __future__ import annotations

import time

import pytest
from pictures import make_picture

from benchmark.errors import CodestreamError
from benchmark.jpeg import decode, encode, encrypt
from benchmark.jpeg.entropy_segments import parse

PLAIN = encode(make_picture(40, 56), restart=2)
SOF, SOS, DHT, DQT = (PLAIN.index(bytes([0xFF, marker])) for marker in (0xC0, 0xDA, 0xC4, 0xDB))
RESTART = PLAIN.index(b"\xff\xd1", SOS)


def changed(place: int, value: bytes) -> bytes:
    return PLAIN[:place] + value + PLAIN[place + len(value) :]


def test_reads_what_the_encoder_was_told() -> None:
    frame = parse(PLAIN).frame
    assert (frame.height, frame.width, frame.progressive) == (40, 56, False)
    assert [(c.horizontal, c.vertical) for c in frame.components] == [(2, 2), (1, 1), (1, 1)]
    assert [frame.size(c) for c in frame.components] == [(40, 56), (20, 28), (20, 28)]
    assert parse(PLAIN).scans[0].state.restart_interval == 2
    assert len(parse(PLAIN).segments) == 6  # 3 x 4 MCUs
    assert len(parse(encode(make_picture(40, 56), progressive=True)).scans) == 10


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "no JPEG file: it is empty"),
        (b"\xff\x4f\xff\x51", "it begins with FF4FFF, not FFD8FF"),
        (changed(SOF + 1, b"\xc3"), r"lossless frames \(SOF3\)"),
        (changed(SOF + 1, b"\xc5"), r"hierarchical frames \(SOF5\)"),
        (changed(SOF + 1, b"\xc9"), r"arithmetic coding \(SOF9\)"),
        (changed(SOF + 1, b"\xca"), r"arithmetic coding \(SOF10\)"),
        (changed(SOF + 4, b"\x0c"), "12 bits a sample"),
        (changed(SOF + 5, b"\0\0"), "DNL"),
        (changed(SOF + 5, b"\xff\xff\xff\xff"), "65535 x 65535 pixels"),
        (changed(SOF + 9, b"\x04"), "4 components"),
        (changed(SOF + 11, b"\x51"), "impossible sampling factors"),
        (changed(SOF + 11, b"\x32"), "more restart markers than"),
        (changed(DHT + 5, b"\xff"), "damaged Huffman table"),
        (changed(DQT + 4, b"\x35"), "a damaged quantisation table"),
        (changed(SOS + 5, b"\x09"), "unknown components"),
        (changed(SOS + 6, b"\x33"), "uses a Huffman table that was not defined"),
        (changed(SOS + 11, b"\x01"), "spectral selection"),
        (changed(RESTART, b"\xff\xd3"), "restart markers out of order"),
        (PLAIN[:RESTART] + PLAIN[RESTART + 2 :], "restart markers out of order"),
        (PLAIN[:-2], "the file ends within a scan"),
        (PLAIN[: SOS + 4], "is cut short"),
        (PLAIN[:SOS] + b"\xff\xd9", "no scan before the end"),
        (PLAIN[:SOF] + PLAIN[SOS:], "a scan before the frame's header"),
        (PLAIN[: PLAIN.index(b"\xff\xd4", SOS)] + b"\xff\xd9", "1 restart intervals are missing"),
    ],
)  # fmt: skip
def test_refuses_by_name(data: bytes, says: str) -> None:
    started = time.perf_counter()
    with pytest.raises(CodestreamError, match=says) as caught:
        decode(data)
    assert "\n" not in str(caught.value)
    assert time.perf_counter() - started < 1


def test_fill_bytes_and_what_follows_the_image_are_kept() -> None:
    filled = PLAIN[:SOS] + b"\xff\xff" + PLAIN[SOS:RESTART] + b"\xff" + PLAIN[RESTART:-2] + b"\xff" + PLAIN[-2:] + b"!"
    assert parse(filled).total == parse(PLAIN).total
    assert (decode(filled) == decode(PLAIN)).all()
    for mode in ("raw-scan", "amplitude-bits"):
        encrypted = encrypt(filled, key=bytes(32), offset=0, size=10, mode=mode)
        assert encrypted[:SOS] == filled[:SOS]
        assert encrypted[-4:] == b"\xff\xff\xd9!"
