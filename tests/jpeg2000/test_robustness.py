"""Hostile codestreams: a result or a CodestreamError, never anything else, and never a long wait or much memory."""

from __future__ import annotations

import time
from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pictures import make_picture

from benchmark.errors import CodestreamError
from benchmark.jpeg2000 import decode, decrypt, encode, encrypt, encrypted_ranges, packets
from benchmark.jpeg2000.encoder import BYPASS, TERMALL
from benchmark.jpeg2000.markers import main_header_bytes

WINDOW: dict[str, Any] = {"key": bytes(range(32)), "offset": 5, "size": 60, "window_base": "packet-bodies"}
BASES = [
    encode(make_picture(16, 12), levels=2, code_block=4),
    encode(make_picture(16, 16), levels=1, layers=4, sop=True, eph=True, progression="RPCL"),
    encode(make_picture(12, 16), levels=1, tile=(8, 16), style=TERMALL | BYPASS, code_block=4, progression="CPRL"),
    encode(make_picture(16, 16), levels=2, layers=3, precincts=[(16, 16)], plt=True, progression="PCRL"),
]


def try_all(data: bytes, number: int = 0) -> list[str]:
    """What came through; anything but a CodestreamError goes on to pytest."""
    other = (
        ("encrypt", lambda: encrypt(data, **WINDOW)),
        ("decrypt", lambda: decrypt(data, **WINDOW)),
        ("ranges", lambda: encrypted_ranges(data, 5, 60, "codestream")),
    )[number % 3]
    done, refusals = [], []
    for name, act in (("packets", lambda: packets(data)), other, ("decode", lambda: decode(data))):
        try:
            act()
            done.append(name)
        except CodestreamError as error:
            refusals.append(str(error))
    assert "\n" not in "".join(refusals)
    if "encrypt" in done:
        assert decrypt(encrypt(data, **WINDOW), **WINDOW) == data
    return done


def mutated(base: bytes, generator: np.random.Generator) -> bytes:
    """Some bytes changed, a piece cut out or doubled, or the end lost."""
    data = bytearray(base)
    kind = generator.integers(10)
    position = int(generator.integers(len(data)))
    if kind < 7:
        # Some are aimed at the headers, which are short and where trouble is.
        limit = len(data) if kind < 5 else min(len(data), len(main_header_bytes(base)) + 40)
        for _ in range(int(generator.integers(1, 4))):
            data[int(generator.integers(2, limit))] = int(generator.integers(256))
    elif kind == 7:
        del data[position : position + int(generator.integers(1, 20))]
    elif kind == 8:
        data[position:position] = data[position : position + int(generator.integers(1, 20))]
    else:
        del data[position:]
    return bytes(data)


def test_twenty_thousand_mutated_streams() -> None:
    generator = np.random.default_rng(2000)
    came_through: Counter[str] = Counter()
    slowest = 0.0
    for number in range(20_000):
        data = mutated(BASES[number % len(BASES)], generator)
        started = time.perf_counter()
        came_through.update(try_all(data, number))
        slowest = max(slowest, time.perf_counter() - started)
    # Both outcomes occur often, so the test did look at both.
    for name, tried in (("packets", 1), ("encrypt", 3), ("decrypt", 3), ("ranges", 3), ("decode", 1)):
        assert 0.1 < came_through[name] * tried / 20_000 < 0.9, came_through
    assert slowest < 2


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes(data: bytes) -> None:
    for start in (b"", b"\xff\x4f\xff\x51"):
        try_all(start + data)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(BASES), st.data())
def test_any_body(base: bytes, data: st.DataObject) -> None:
    # Headers stay, everything after the tile-part header is arbitrary: the packet parser meets any bits.
    start = len(main_header_bytes(base)) + 14
    body = data.draw(st.binary(min_size=len(base) - start - 2, max_size=len(base) - start - 2))
    try_all(base[:start] + body + base[-2:])


@pytest.mark.parametrize("base", BASES)
def test_every_truncation_is_an_error(base: bytes) -> None:
    several_tiles = base is BASES[2]
    for length in range(len(base)):
        for number in range(3):
            came_through = try_all(base[:length], number)
            # OpenJPEG shows what it has where whole tiles are missing; the parser refuses that too.
            assert came_through == [] or (several_tiles and came_through == ["decode"])


def main_header_with(position: int, value: bytes) -> bytes:
    base = BASES[0]
    return base[:position] + value + base[position + len(value) :]


def test_headers_that_promise_absurd_amounts() -> None:
    cod = BASES[0].index(b"\xff\x52")
    absurd = {
        "layers": main_header_with(cod + 6, b"\xff\xff"),
        "levels": main_header_with(cod + 9, b"\x20"),
        "pixels": main_header_with(8, b"\x00\x00\x10\x00\x00\x00\x10\x00" + BASES[0][16:24] + b"\x00\x00\x10\x00" * 2),
        "tiles": main_header_with(24, b"\x00\x00\x00\x01" * 2),
        "components": main_header_with(40, b"\x40\x00"),
    }
    for name, data in absurd.items():
        started = time.perf_counter()
        assert "packets" not in try_all(data), name
        assert time.perf_counter() - started < 1, name
