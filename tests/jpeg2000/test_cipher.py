"""Format-compliant encryption: decodable in every window, exactly invertible, nothing reused, nothing leaked."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pictures import make_picture
from PIL import Image

from benchmark.errors import CodestreamError, InvalidInputError
from benchmark.jpeg2000 import decode, decrypt, encode, encrypt, encrypted_ranges, packets
from benchmark.jpeg2000 import segments as codeword_segments
from benchmark.jpeg2000.encoder import BYPASS, TERMALL

KEY = bytes(range(32))
BASES = ["codestream", "packet-bodies"]
WINDOWS = [(0, 100), (0, 12), (0, 0.5), (6, 4), (8, 4), (13.7, 31.1), (99, 1), (100, 0), (50, 0)]
SETTINGS: list[dict[str, Any]] = [
    {"layers": "jj2000"},
    {"layers": 16, "code_block": 32, "segmentation_symbols": True, "progression": "RLCP"},
    {"layers": 4, "sop": True, "eph": True, "style": TERMALL | BYPASS, "progression": "RPCL", "code_block": 16},
    {"layers": 2, "tile": (48, 48), "precincts": [(32, 32)], "levels": 3, "progression": "CPRL"},
]


def conforms(codestream: bytes) -> bool:
    """No body, and no codeword segment in one, holds two bytes above FF8F or ends in FF."""
    table, parts = packets(codestream), codeword_segments(codestream)
    ranges = [*zip(table["body"], table["end"], strict=True)]
    ranges += [*zip(parts["start"], parts["start"] + parts["length"], strict=True)]
    data = np.frombuffer(codestream, dtype=np.uint8).astype(int)
    for start, end in ranges:
        body = data[start:end]
        if len(body) and (body[-1] == 0xFF or ((body[:-1] == 0xFF) & (body[1:] > 0x8F)).any()):
            return False
    return True


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("settings", SETTINGS, ids=lambda s: ",".join(s))
def test_every_window_decodes_and_is_undone(settings: dict[str, Any], base: str) -> None:
    sample = make_picture(112, 96, 3)
    plain = encode(sample, **settings)
    table = packets(plain)
    bodies = np.zeros(len(plain), dtype=bool)
    for start, end in table[["body", "end"]].tolist():
        bodies[start:end] = True
    for offset, size in WINDOWS:
        window = {"key": KEY, "offset": offset, "size": size, "window_base": base}
        encrypted = encrypt(plain, **window)
        assert np.array_equal(packets(encrypted), table)
        assert conforms(encrypted)
        shown = decode(encrypted)
        assert np.array_equal(shown, np.asarray(Image.open(io.BytesIO(encrypted))))
        assert decrypt(encrypted, **window) == plain
        changed = np.flatnonzero(np.frombuffer(encrypted, np.uint8) != np.frombuffer(plain, np.uint8))
        assert bodies[changed].all()
        first, end, count = encrypted_ranges(plain, offset, size, base)
        assert encrypted_ranges(encrypted, offset, size, base) == (first, end, count)
        assert ((changed >= first) & (changed < end)).all()
        # A byte keeps its value with a probability of 1 in 255: of those really encrypted, nearly all change.
        assert len(changed) <= count
        assert len(changed) >= count - 12 - count // 50
        if size >= 4 and offset < 90:
            assert not np.array_equal(shown, sample)


def body_bytes(plain: bytes, offset: float, size: float, base: str) -> np.ndarray[Any, Any]:
    """Positions of the body bytes in a window, in plain numpy."""
    positions = np.concatenate([np.arange(row["body"], row["end"]) for row in packets(plain)])
    if base == "codestream":
        begin, end = round(len(plain) * offset / 100), round(len(plain) * (offset + size) / 100)
        return positions[(positions >= begin) & (positions < end)]
    begin, end = (round(len(positions) * percent / 100) for percent in (offset, offset + size))
    return positions[begin:end]


def expected_window(plain: bytes, offset: float, size: float, base: str) -> tuple[int, int, int]:
    """`encrypted_ranges`, said again."""
    inside = body_bytes(plain, offset, size, base)
    data = np.frombuffer(plain, dtype=np.uint8)
    return (int(inside[0]), int(inside[-1]) + 1, int((data[inside] != 0xFF).sum())) if len(inside) else (0, 0, 0)


@pytest.mark.parametrize("base", BASES)
def test_ranges_are_what_percent_means(base: str) -> None:
    for settings in SETTINGS:
        plain = encode(make_picture(96, 112, 5), **settings)
        for offset, size in WINDOWS:
            assert encrypted_ranges(plain, offset, size, base) == expected_window(plain, offset, size, base)


def test_all_bodies_are_encrypted_under_both_bases() -> None:
    plain = encode(make_picture(112, 112), layers=12)
    table = packets(plain)
    whole = [encrypted_ranges(plain, 0, 100, base) for base in BASES]
    assert whole[0] == whole[1]
    assert (
        whole[0][2]
        == (np.frombuffer(plain, np.uint8) != 0xFF)[
            np.concatenate([np.arange(row["body"], row["end"]) for row in table])
        ].sum()
    )


def test_wrong_key_window_or_base_recovers_nothing() -> None:
    plain = encode(make_picture(112, 112), layers=12)
    window = {"key": KEY, "offset": 0, "size": 20, "window_base": "packet-bodies"}
    encrypted = encrypt(plain, **window)
    inside = body_bytes(plain, 0, 20, "packet-bodies")
    wrong: list[dict[str, Any]] = [{"key": bytes(32)}, {"size": 20.5}, {"offset": 0.1}, {"window_base": "codestream"}]
    for change in wrong:
        got = np.frombuffer(decrypt(encrypted, **(window | change)), np.uint8)[inside]
        same = (got == np.frombuffer(plain, np.uint8)[inside]).mean()
        assert same < 0.03, change


def keystream_used(plain: bytes, encrypted: bytes, inside: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Shifts modulo 0xFF that were applied to those body bytes that are not FF and do not follow FF."""
    a, b = (np.frombuffer(data, np.uint8).astype(int) for data in (plain, encrypted))
    inside = inside[(a[inside] != 0xFF) & (a[inside - 1] != 0xFF)]
    return (b - a)[inside] % 0xFF


def test_no_keystream_is_used_twice() -> None:
    sample = make_picture(112, 112)
    edited = sample.copy()
    edited[50, 50] ^= 255
    streams = []
    for image in (sample, edited):
        for settings in ({"layers": 12}, {"layers": 11}, {"layers": 12, "progression": "RLCP"}):
            plain = encode(image, **settings)
            for base in BASES:
                for offset, size in ((0, 12), (0, 13), (1, 12)):
                    encrypted = encrypt(plain, key=KEY, offset=offset, size=size, window_base=base)
                    streams.append(keystream_used(plain, encrypted, body_bytes(plain, offset, size, base)))
    for index, one in enumerate(streams):
        for other in streams[:index]:
            length = min(len(one), len(other), 400)
            # Equal by chance in 1 of 255 places; a keystream met again would be equal in all, at some lag.
            assert (one[:length] == other[:length]).mean() < 0.05


def test_shifts_are_uniform() -> None:
    shifts, after = [], []
    for seed in range(12):
        plain = encode(make_picture(112, 112, seed))
        encrypted = encrypt(plain, key=KEY, offset=0, size=100, window_base="packet-bodies")
        inside = body_bytes(plain, 0, 100, "packet-bodies")
        shifts.append(keystream_used(plain, encrypted, inside))
        a, b = (np.frombuffer(data, np.uint8).astype(int) for data in (plain, encrypted))
        following = inside[(a[inside - 1] == 0xFF) & (a[inside] != 0xFF)]
        after.append((b - a)[following] % 0x90)
    for drawn, modulus in ((np.concatenate(shifts), 0xFF), (np.concatenate(after), 0x90)):
        counts = np.bincount(drawn, minlength=modulus)
        expected = len(drawn) / modulus
        assert expected > 3
        # Chi-square with modulus - 1 degrees of freedom: mean modulus - 1, deviation sqrt(2 (modulus - 1)).
        statistic = ((counts - expected) ** 2 / expected).sum()
        assert abs(statistic - (modulus - 1)) < 5 * np.sqrt(2 * (modulus - 1))


def test_deterministic() -> None:
    plain = encode(make_picture(64, 64))
    window = {"offset": 0, "size": 50, "window_base": "codestream"}
    assert (
        encrypt(plain, key=KEY, **window)
        == encrypt(plain, key=KEY, **window)
        != encrypt(plain, key=bytes(32), **window)
    )


def test_oracles_of_jj2000_are_undone(shared_oracles: Path) -> None:
    # They have SOP and EPH, so headers are a fifth of the file, and predictable termination in some.
    for path in sorted((shared_oracles / "j2k_concealment").glob("*plain.j2k")):
        plain = path.read_bytes()
        for base in BASES:
            window = {"key": KEY, "offset": 3, "size": 30, "window_base": base}
            encrypted = encrypt(plain, **window)
            assert conforms(encrypted)
            decode(encrypted)
            assert decrypt(encrypted, **window) == plain


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"key": bytes(16)}, "32 bytes long, this one has 16"),
        ({"offset": 97}, "offset 97 % [+] size 4 % is over 100 %"),
        ({"offset": -1}, "0 to 100 %"),
        ({"size": float("nan")}, "0 to 100 %"),
        ({"window_base": "bodies"}, "unknown window_base 'bodies'"),
    ],
)
def test_wrong_arguments_are_one_clear_line(change: dict[str, Any], says: str) -> None:
    plain = encode(make_picture(16, 16), levels=1)
    arguments = {"key": KEY, "offset": 0, "size": 4, "window_base": "codestream"} | change
    for function in (encrypt, decrypt):
        with pytest.raises(InvalidInputError, match=says) as caught:
            function(plain, **arguments)
        assert "\n" not in str(caught.value)


def test_malformed_streams_are_named() -> None:
    for data in (b"", b"no codestream", b"\xff\x4f\xff\x51\x00"):
        with pytest.raises(CodestreamError):
            encrypt(data, key=KEY, offset=0, size=1, window_base="codestream")
        with pytest.raises(CodestreamError):
            encrypted_ranges(data, 0, 1, "codestream")
