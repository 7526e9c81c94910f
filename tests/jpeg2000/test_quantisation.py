"""Bit-planes and step sizes against annex E, and which marker segment decides."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from headers import main_header, marker_segment

from benchmark.errors import CodestreamError
from benchmark.jpeg2000.markers import image_size
from benchmark.jpeg2000.quantisation import (
    QCC,
    QCD,
    RGN,
    Quantisation,
    dequantise,
    drop_fraction,
    quantisation,
    quantisation_changes,
)

BANDS = np.arange(7)  # of two levels


def stated(*segments: tuple[int, bytes], changes: tuple[tuple[int, int, bytes], ...] = ()) -> Quantisation:
    """Two components, two levels, two tiles."""
    header = main_header((0, 0, 16, 8), tile=(0, 0, 8, 8), steps=[(1, 1)] * 2, levels=2, quantisation=segments)
    return quantisation(header, image_size(header), 2, changes)


def none(guard_bits: int, exponent: int) -> bytes:
    return bytes([guard_bits << 5] + [exponent << 3] * 7)


def test_without_quantisation_each_band_has_its_exponent() -> None:
    found = stated((QCD, bytes([2 << 5] + [e << 3 for e in (8, 9, 9, 10, 11, 11, 12)])))
    assert found.planes(np.zeros(7, dtype=int), BANDS).tolist() == [9, 10, 10, 11, 12, 12, 13]


def test_derived_steps_double_their_exponent_s_distance_by_level() -> None:
    found = stated((QCD, bytes([1 << 5 | 1]) + struct.pack(">H", 13 << 11 | 1024)))
    assert found.exponents[0].tolist() == [13, 13, 13, 13, 12, 12, 12]
    # Equation E-3: 2^(8 + gain - exponent) * (1 + 1024 / 2048).
    steps = found.steps(np.zeros(7, dtype=int), BANDS, np.full(7, 8))
    expected = [1.5 * 2.0 ** (8 + gain - e) for gain, e in zip((0, 1, 1, 2, 1, 1, 2), found.exponents[0], strict=True)]
    assert steps.tolist() == expected


def test_expounded_steps_are_read_band_by_band() -> None:
    words = [10 << 11 | 7, 11 << 11, 11 << 11, 12 << 11, 12 << 11, 12 << 11, 13 << 11 | 2047]
    found = stated((QCD, bytes([3 << 5 | 2]) + struct.pack(">7H", *words)))
    assert found.exponents[1].tolist() == [10, 11, 11, 12, 12, 12, 13]
    assert found.mantissas[1].tolist() == [7, 0, 0, 0, 0, 0, 2047]
    assert found.guard_bits.tolist() == [3] * 4


def test_the_narrower_statement_decides() -> None:
    # A.6.5: tile QCC > tile QCD > main QCC > main QCD, whatever their order.
    main = [(QCC, b"\x01" + none(1, 21)), (QCD, none(1, 20))]
    assert stated(*main).exponents[:, 0].tolist() == [20, 21, 20, 21]
    changes = ((1, QCD, none(1, 22)),)
    assert stated(*main, changes=changes).exponents[:, 0].tolist() == [20, 21, 22, 22]
    changes = ((1, QCC, b"\x00" + none(1, 23)), (1, QCD, none(1, 22)))
    assert stated(*main, changes=changes).exponents[:, 0].tolist() == [20, 21, 23, 22]


def test_tile_part_headers_are_searched() -> None:
    start_of_tile = struct.pack(">HHHIBB", 0xFF90, 10, 1, 0, 0, 1)
    data = b"head" + start_of_tile + marker_segment(QCC, b"\x00xyz") + b"\xff\x93body" + start_of_tile + b"\xff\x93"
    first_body = data.index(b"body")
    parts = [(1, first_body, first_body + 4), (1, len(data), len(data))]
    assert quantisation_changes(data, 4, parts) == ((1, QCC, b"\x00xyz"),)


@pytest.mark.parametrize(
    ("segments", "says"),
    [
        ([(QCC, b"\x00" + none(1, 9))], "no QCD"),
        ([(QCD, none(1, 9)[:-1])], "too little in QCD"),
        ([(QCD, b"")], "too little in QCD"),
        ([(QCD, bytes([2]) + bytes(13))], "too little in QCD"),
        ([(QCD, none(1, 9)), (QCC, b"\x00")], "too little in QCC"),
        ([(QCD, bytes([3]) + bytes(30))], "style 3"),
        ([(QCD, none(1, 9)), (RGN, b"\x00\x00\x05")], "region of interest"),
    ],
)
def test_what_cannot_be_followed_is_refused_by_name(segments: list[tuple[int, bytes]], says: str) -> None:
    with pytest.raises(CodestreamError, match=says):
        stated(*segments)


def test_regions_of_interest_in_a_tile_are_refused_too() -> None:
    with pytest.raises(CodestreamError, match="region of interest"):
        stated((QCD, none(1, 9)), changes=((0, RGN, b"\x00\x00\x05"),))


def test_halving_rounds_towards_zero() -> None:
    values = np.arange(-7, 8, dtype=np.int32)
    expected = np.trunc(values / 2).astype(int).tolist()
    drop_fraction(values)
    assert values.tolist() == expected


def test_dequantising_touches_its_bands_only() -> None:
    values = np.full(12, -1, dtype=np.float32)
    dequantise(np.arange(12, dtype=np.int32), np.int32([[0, 4, 2, 2], [7, 4, 1, 2]]), np.float32([2, 0.5]), values)
    assert values.tolist() == [0, 1, -1, -1, 4, 5, -1, 1.75, -1, -1, -1, 2.75]
