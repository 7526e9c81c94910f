"""Format-compliant encryption of JPEG files: decodable in every window, exactly invertible, nothing reused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pictures import make_picture

from benchmark.errors import CodestreamError, InvalidInputError
from benchmark.jpeg import MODES, decode_standard, decrypt, encode, encrypt, encrypted_ranges
from benchmark.jpeg.coefficients import read_coefficients
from benchmark.jpeg.entropy_segments import parse

KEY = bytes(range(32))
WINDOWS = [(0, 100), (0, 12), (0, 0.5), (6, 4), (13.7, 31.1), (99, 1), (100, 0), (50, 0)]
SETTINGS: list[dict[str, Any]] = [
    {},
    {"subsampling": "4:4:4", "restart": 3},
    {"subsampling": "4:2:2", "optimise": True, "quality": 60},
    {"progressive": True},
    {"progressive": True, "restart": 5, "subsampling": "4:4:4"},
]
CASES = [
    (setting, mode) for setting in SETTINGS for mode in MODES if mode == "raw-scan" or "progressive" not in setting
]


def coded_places(data: bytes) -> list[int]:
    """Positions of the entropy-coded bytes without stuffed zeros and markers, found byte by byte in plain Python."""
    places, position = [], 2
    while data[position + 1] != 0xD9:
        scan = data[position + 1] == 0xDA
        position += 2 + int.from_bytes(data[position + 2 : position + 4], "big")
        while scan and (data[position] != 0xFF or data[position + 1] == 0 or 0xD0 <= data[position + 1] <= 0xD7):
            restart = data[position] == 0xFF and data[position + 1] != 0
            places += [] if restart else [position]
            position += 2 if data[position] == 0xFF else 1
    return places


@pytest.mark.parametrize(("setting", "mode"), CASES)
def test_every_window_decodes_and_is_undone(setting: dict[str, Any], mode: str) -> None:
    plain = encode(make_picture(112, 96, 3), **setting)
    shown = decode_standard(plain)
    for offset, size in WINDOWS:
        window = {"offset": offset, "size": size, "mode": mode}
        encrypted = encrypt(plain, key=KEY, **window)
        assert decrypt(encrypted, key=KEY, **window) == plain
        seen = decode_standard(encrypted)
        assert seen.shape == shown.shape
        if size >= 4 and offset < 90:
            assert not np.array_equal(seen, shown)
        places, before = coded_places(encrypted), coded_places(plain)
        assert len(places) == len(before)  # percentages mean the same bytes before and after
        begin, end = round(len(places) * offset / 100), round(len(places) * (offset + size) / 100)
        first, last, count = encrypted_ranges(encrypted, **window)
        a, b = (np.frombuffer(data, np.uint8)[where] for data, where in ((plain, before), (encrypted, places)))
        changed = np.flatnonzero(a != b)
        assert len(changed) <= count
        assert all(begin <= place < end for place in changed)
        if size == 0:
            assert (first, last, count, encrypted) == (0, 0, 0, plain)
        elif mode == "raw-scan":
            assert len(encrypted) == len(plain)
            assert count == (a[begin:end] != 0xFF).sum() == (b[begin:end] != 0xFF).sum()
            assert places[begin] <= first <= places[begin] + 6
            assert places[end - 1] - 6 <= last - 1 <= places[end - 1]
            assert len(changed) >= count - 6 - count // 50
        else:
            # Most bytes hold amplitude bits, and these change with a probability of 1/2 each.
            assert (end - begin) * 0.8 - 4 < count <= end - begin
            assert places[begin] <= first < last <= places[end - 1] + 1
            assert len(changed) > count * 0.6 - 5


def categories(data: bytes) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Bit lengths of DC differences and AC coefficients of a baseline file whose MCUs are single blocks."""
    found = read_coefficients(parse(data))
    values = found.values.astype(int)
    differences = [np.diff(values[b.first : b.first + b.down * b.across, 0], prepend=0) for b in found.blocks]
    sizes = np.frexp(np.abs(np.concatenate(differences)).astype(float))[1]
    return sizes, np.frexp(np.abs(values[:, 1:]).astype(float))[1]


def test_amplitude_bits_leave_every_category_and_change_values_in_the_window_alone() -> None:
    plain = encode(make_picture(96, 96, 1), subsampling="4:4:4")
    for offset, size in ((0, 100), (20, 30)):
        encrypted = encrypt(plain, key=KEY, offset=offset, size=size, mode="amplitude-bits")
        for before, after in zip(categories(plain), categories(encrypted), strict=True):
            assert np.array_equal(before, after)
        one, other = (read_coefficients(parse(data)).values[:, 1:] for data in (plain, encrypted))
        touched = (one != other).any(axis=1).reshape(3, -1).any(axis=0)
        first, last = np.flatnonzero(touched)[[0, -1]] / len(touched)
        # Bytes are spread unevenly over blocks, hence the slack.
        assert offset / 100 - 0.15 < first
        assert last < (offset + size) / 100 + 0.15
        if size == 100:
            nonzero = one != 0
            assert (one[nonzero] == -other[nonzero]).mean() > 0.25  # of +-1, half change their sign
            assert (one[nonzero] != other[nonzero]).mean() > 0.5


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 40), st.integers(1, 40), st.integers(0, 1000), st.sampled_from(CASES),
    st.integers(1, 100), st.floats(0, 100), st.floats(0, 100),
)  # fmt: skip
def test_any_picture_in_any_window(
    height: int, width: int, seed: int, case: tuple[dict[str, Any], str], quality: int, start: float, stop: float
) -> None:
    setting, mode = case
    noise = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    plain = encode(noise, **(setting | {"quality": quality}))
    window = {"key": KEY, "offset": min(start, stop), "size": max(start, stop) - min(start, stop), "mode": mode}
    encrypted = encrypt(plain, **window)
    assert decode_standard(encrypted).shape == noise.shape
    assert decrypt(encrypted, **window) == plain


def test_no_keystream_is_used_twice() -> None:
    sample = make_picture(112, 112)
    edited = sample.copy()
    edited[100, 100] ^= 255
    streams = []
    for image in (sample, edited):
        for setting in ({}, {"quality": 94}, {"progressive": True}):
            plain = encode(image, **setting)
            for offset, size in ((0, 12), (0, 13), (1, 12)):
                encrypted = encrypt(plain, key=KEY, offset=offset, size=size, mode="raw-scan")
                a, b = (parse(data).coded.astype(int) for data in (plain, encrypted))
                begin, end = (round(parse(plain).total * percent / 100) for percent in (offset, offset + size))
                inside = slice(begin, end)
                streams.append(((b - a)[inside] % 0xFF)[a[inside] != 0xFF][:250])
    for index, one in enumerate(streams):
        for other in streams[:index]:
            length = min(len(one), len(other))
            assert length > 200
            assert (one[:length] == other[:length]).mean() < 0.06


def test_amplitude_keystreams_differ_between_windows_keys_and_files() -> None:
    def flips(image: np.ndarray[Any, Any], key: bytes, size: float) -> np.ndarray[Any, Any]:
        plain = encode(image)
        encrypted = encrypt(plain, key=key, offset=0, size=size, mode="amplitude-bits")
        return np.unpackbits(parse(plain).coded[:400] ^ parse(encrypted).coded[:400])

    sample, edited = make_picture(112, 112), make_picture(112, 112)
    edited[100:, 100:] ^= 255  # far behind the window: all that differs stays in clear
    one = flips(sample, KEY, 12)
    for other in (flips(edited, KEY, 12), flips(sample, KEY, 13), flips(sample, bytes(32), 12)):
        # About half of the bits are amplitude bits, and half of these are flipped by one keystream alone.
        assert 0.1 < (one != other).mean() < 0.5


def test_shifts_are_uniform() -> None:
    drawn = []
    for seed in range(12):
        plain = encode(make_picture(112, 112, seed))
        encrypted = encrypt(plain, key=KEY, offset=0, size=100, mode="raw-scan")
        a, b = (parse(data).coded[: parse(data).total].astype(int) for data in (plain, encrypted))
        drawn.append(((b - a) % 0xFF)[a != 0xFF])
    counts = np.bincount(np.concatenate(drawn), minlength=255)
    expected = counts.sum() / 255
    assert expected > 100
    # Chi-square with 254 degrees of freedom.
    assert abs(((counts - expected) ** 2 / expected).sum() - 254) < 5 * np.sqrt(2 * 254)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"key": bytes(16)}, "32 bytes long, this one has 16"),
        ({"offset": 97}, "offset 97 % [+] size 4 % is over 100 %"),
        ({"offset": -1}, "0 to 100 %"),
        ({"size": float("nan")}, "0 to 100 %"),
        ({"mode": "raw-scans"}, "unknown mode 'raw-scans'; did you mean 'raw-scan'"),
    ],
)
def test_wrong_arguments_are_one_clear_line(change: dict[str, Any], says: str) -> None:
    plain = encode(make_picture(16, 16))
    arguments = {"key": KEY, "offset": 0, "size": 4, "mode": "raw-scan"} | change
    for function in (encrypt, decrypt):
        with pytest.raises(InvalidInputError, match=says) as caught:
            function(plain, **arguments)
        assert "\n" not in str(caught.value)


def test_progressive_files_have_no_amplitude_mode() -> None:
    plain = encode(make_picture(16, 16), progressive=True)
    with pytest.raises(InvalidInputError, match="this one is progressive; take raw-scan"):
        encrypt(plain, key=KEY, offset=0, size=4, mode="amplitude-bits")


def test_malformed_files_are_named() -> None:
    for data in (b"", b"no picture", b"\xff\xd8\xff\xe0\x00"):
        with pytest.raises(CodestreamError):
            encrypt(data, key=KEY, offset=0, size=1, mode="raw-scan")
        with pytest.raises(CodestreamError):
            encrypted_ranges(data, 0, 1, "amplitude-bits")
