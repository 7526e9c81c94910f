"""The concealing decoder against OpenJPEG, JJ2000's pictures, and what erasing must guarantee."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pictures import make_picture
from PIL import Image
from raw_openjpeg import encoded_components, openjpeg_components

from benchmark.errors import CodestreamError, InvalidInputError
from benchmark.jpeg2000 import (
    decode,
    decode_components,
    decode_standard,
    decode_with_report,
    encode,
    encrypt,
    encrypted_ranges,
    segments,
)
from benchmark.jpeg2000.encoder import BYPASS, PTERM, RESET, TERMALL, VSC
from benchmark.jpeg2000.tier1 import CONCEALED, DECODED, ERASED

KEY = bytes(range(32))
WINDOW: dict[str, Any] = {"offset": 5, "size": 20, "window_base": "packet-bodies"}
SETTINGS: list[dict[str, Any]] = [
    {},
    {"levels": 0},
    {"progression": "RLCP", "layers": 12, "code_block": 32, "segmentation_symbols": True},
    {"progression": "RPCL", "layers": 3, "precincts": [(32, 32)], "code_block": (64, 4)},
    {"progression": "PCRL", "tile": (40, 33), "levels": 2, "sop": True, "eph": True},
    {"progression": "CPRL", "tile": (17, 64), "precincts": [(64, 64), (16, 16)], "layers": 4, "code_block": 8},
    {"style": TERMALL | RESET, "layers": 5, "code_block": 16},
    {"style": BYPASS | VSC, "layers": 6},
    {"style": BYPASS | TERMALL | PTERM, "segmentation_symbols": True, "layers": 2},
    {"layers": [40.0, 8.0, 3.0]},
]


@pytest.mark.parametrize("reversible", [True, False])
@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_equals_openjpeg_plain_and_encrypted(settings: dict[str, Any], reversible: bool) -> None:
    plain = encode(make_picture(75, 83), **{"levels": 3, **settings}, reversible=reversible)
    for data in (plain, encrypt(plain, key=KEY, **WINDOW), encrypt(plain, key=KEY, **{**WINDOW, "offset": 0})):
        difference = decode_with_report(data)[0].astype(int) - decode_standard(data)
        assert np.abs(difference).max() <= (0 if reversible else 1)


@pytest.mark.data
def test_equals_openjpeg_on_real_crops(data_root: Path) -> None:
    for number, path in enumerate(sorted((data_root / "lfw" / "aligned112").glob("*/*.jpg"))[::400]):
        plain = encode(np.asarray(Image.open(path)), layers=12, code_block=32, segmentation_symbols=number % 2 == 0)
        for data in (plain, encrypt(plain, key=KEY, **WINDOW)):
            assert np.array_equal(decode_with_report(data)[0], decode_standard(data)), path


@pytest.mark.parametrize("depth", [1, 8, 12, 16])
@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("steps", [[(1, 1)], [(1, 1), (2, 1)], [(1, 1)] * 3, [(1, 1), (2, 2), (2, 2), (1, 1)]], ids=len)
def test_components_of_any_depth_sign_and_number(depth: int, signed: bool, steps: list[tuple[int, int]]) -> None:
    low = -(1 << depth - 1) if signed else 0
    generator = np.random.default_rng(depth)
    planes = [
        generator.integers(low, low + (1 << depth), (-(-37 // dy), -(-29 // dx)), dtype=np.int32) for dx, dy in steps
    ]
    data = encoded_components(planes, depth, signed=signed, steps=steps, colour_transform=len(steps) == 3)
    for ours, theirs, original in zip(decode_components(data), openjpeg_components(data), planes, strict=True):
        assert np.array_equal(ours, original)
        assert np.array_equal(theirs, original)
    lossy = encoded_components(planes, depth, signed=signed, steps=steps, levels=2, reversible=False, ratios=[3])
    for ours, theirs in zip(decode_components(lossy), openjpeg_components(lossy), strict=True):
        assert np.abs(ours - theirs).max() <= 1
    assert np.abs(decode_with_report(lossy)[0].astype(int) - decode_standard(lossy)).max() <= 1


@pytest.mark.parametrize("origin", [(0, 0), (7, 3), (16, 21)])
@pytest.mark.parametrize("tile", [None, (24, 23), (64, 31)])
def test_any_origin_of_image_and_tiles(origin: tuple[int, int], tile: tuple[int, int] | None) -> None:
    planes = [make_picture(41, 50)[:, :, k].astype(np.int32) for k in range(3)]
    tile_origin = (min(origin[0], 5), min(origin[1], 2)) if tile else (0, 0)
    data = encoded_components(planes, 8, origin=origin, tile=tile, tile_origin=tile_origin, colour_transform=True)
    assert np.array_equal(decode_components(data), planes)


@pytest.mark.parametrize("mode", ["L", "LA", "RGBA", "I;16"])
def test_jp2_files_of_other_programs(mode: str) -> None:
    sample = make_picture(40, 48)
    grey = np.asarray(Image.fromarray(sample).convert("L"))
    shown = (
        Image.fromarray(grey.astype(np.uint16) << 8 | 77) if mode == "I;16" else Image.fromarray(sample).convert(mode)
    )
    file = io.BytesIO()
    shown.save(file, format="JPEG2000", irreversible=False)
    assert np.array_equal(decode_with_report(file.getvalue())[0], decode_standard(file.getvalue()))


def test_equals_jj2000_on_every_oracle(shared_oracles: Path) -> None:
    folder = shared_oracles / "j2k_concealment"
    cases = [case["case"] for case in json.loads((folder / "manifest.json").read_text())]
    assert len(cases) >= 14
    for case in cases:
        data = (folder / f"{case}.enc.j2k").read_bytes()
        for conceal, suffix in (("off", "jjoff"), ("jj2000", "jjon")):
            expected = np.asarray(Image.open(folder / f"{case}.{suffix}.png"))
            assert np.array_equal(decode_with_report(data, conceal=conceal)[0], expected), (case, conceal)
        assert np.array_equal(decode(data, conceal="jj2000"), np.asarray(Image.open(folder / f"{case}.jjon.png")))


def psnr(sample: np.ndarray, original: np.ndarray) -> float:
    return float(10 * np.log10(255**2 / np.mean((sample.astype(float) - original) ** 2)))


@pytest.mark.parametrize("rule", ["jj2000", "forget-plane", "layer-ends"])
def test_sound_streams_are_left_alone(rule: str) -> None:
    sample = make_picture(75, 83)
    for settings in SETTINGS[:9]:
        shown, report = decode_with_report(encode(sample, **{"levels": 3, **settings}), conceal=rule)
        assert np.array_equal(shown, sample), settings
        assert not report.hit.any()


@pytest.mark.parametrize("symbols", [True, False])
def test_better_rules_show_more(symbols: bool) -> None:
    means = {}
    for seed in range(6):
        original = make_picture(112, 112, seed)
        plain = encode(original, layers=12, code_block=32, segmentation_symbols=symbols)
        data = encrypt(plain, key=KEY, **{**WINDOW, "offset": 6, "size": 4})
        first, end, _ = encrypted_ranges(plain, **{**WINDOW, "offset": 6, "size": 4})
        for name, shown in (
            ("off", decode(data)),
            ("jj2000", decode(data, conceal="jj2000")),
            ("forget-plane", decode(data, conceal="forget-plane")),
            ("layer-ends", decode(data, conceal="layer-ends")),
            ("erase", decode(data, erase=(first, end))),
        ):
            means[name] = means.get(name, 0) + psnr(shown, original) / 6
    if symbols:
        assert means["off"] + 1 < means["jj2000"] < means["forget-plane"] + 0.2 < means["layer-ends"] + 0.4, means
    else:
        assert means["off"] == means["jj2000"] == means["forget-plane"] < means["layer-ends"] - 1, means
    assert means["layer-ends"] < means["erase"] + 0.2


@pytest.mark.parametrize("settings", [SETTINGS[2], SETTINGS[6], SETTINGS[7], SETTINGS[8]], ids=str)
def test_what_is_erased_has_no_influence(settings: dict[str, Any]) -> None:
    plain = encode(make_picture(64, 64), **settings)
    first, end, _ = encrypted_ranges(plain, **{**WINDOW, "size": 10})
    expected = decode(plain, erase=(first, end))
    assert not np.array_equal(expected, decode(plain))
    for number in range(10):
        window = {**WINDOW, "size": 10}
        other = encrypt(plain, key=bytes([number]) * 32, **window)
        assert np.array_equal(decode(other, erase=(first, end)), expected)


def test_erasing_nothing_and_everything() -> None:
    sample = make_picture(32, 32)
    data = encode(sample, layers=4)
    assert np.array_equal(decode(data, erase=(40, 40)), sample)
    assert (decode(data, erase=(0, len(data))) == 128).all()


def test_a_stream_without_any_code_block_is_grey() -> None:
    grey = np.full((16, 12, 3), 128, dtype=np.uint8)
    shown, report = decode_with_report(encode(grey, levels=2, layers=3), conceal="jj2000")
    assert np.array_equal(shown, grey)
    assert len(report.segments) == 0
    assert not report.hit.any()


def test_offsets_of_a_jp2_file_are_the_file_s() -> None:
    file = io.BytesIO()
    Image.fromarray(make_picture(48, 48)).save(file, format="JPEG2000", irreversible=False)
    data = file.getvalue()
    bare = data[data.index(b"\xff\x4f\xff\x51") :]
    before = len(data) - len(bare)
    assert before > 0
    assert np.array_equal(decode(data, erase=(before + 400, before + 900)), decode(bare, erase=(400, 900)))


def test_the_report_says_what_became_of_each_code_block() -> None:
    plain = encode(make_picture(64, 64), layers=6, code_block=16, segmentation_symbols=True)
    _, sound = decode_with_report(plain, conceal="forget-plane")
    table = segments(plain)
    passes = np.bincount(table["code_block"], table["passes"], minlength=len(sound.blocks))
    assert not sound.hit.any()
    assert (sound.blocks["status"] == DECODED).all()
    assert np.array_equal(sound.blocks["passes"], passes)
    assert len(sound.places) == len(sound.blocks)
    assert np.array_equal(sound.segments, table)

    window = {**WINDOW, "offset": 10, "size": 10}
    encrypted = encrypt(plain, key=KEY, **window)
    first, end, _ = encrypted_ranges(plain, **window)
    touched = np.unique(table["code_block"][(table["start"] < end) & (table["start"] + table["length"] > first)])
    _, found = decode_with_report(encrypted, conceal="forget-plane")
    assert set(np.flatnonzero(found.hit)) <= set(touched)
    assert found.hit.sum() > len(touched) / 2
    assert (found.blocks["status"][found.hit] == CONCEALED).all()
    assert (found.blocks["plane"][found.hit] >= 0).all()
    assert np.array_equal(found.blocks["passes"] + found.blocks["dropped"], passes)

    _, erased = decode_with_report(encrypted, erase=(first, end))
    assert set(np.flatnonzero(erased.blocks["status"] == ERASED)) == set(touched)
    assert (erased.blocks["first_byte"][touched] >= first).all()


def test_reading_positions_tell_encrypted_segments_from_plain_ones() -> None:
    plain = encode(make_picture(96, 96), layers=8, code_block=32)
    encrypted = encrypt(plain, key=KEY, **{**WINDOW, "offset": 0, "size": 100})
    agreement = []
    for data in (plain, encrypted):
        _, report = decode_with_report(data)
        table = report.segments
        order = np.argsort(table["code_block"], kind="stable")
        joined = table["length"][order].cumsum()
        starts = np.searchsorted(table["code_block"][order], table["code_block"][order])
        so_far = joined - (joined - table["length"][order])[starts]
        agreement.append(np.mean(np.abs(report.consumed[order] - so_far) <= 4))
    assert agreement[0] > 0.9
    assert agreement[1] < 0.5


def test_wrong_arguments_say_what_is_right() -> None:
    data = encode(make_picture(16, 16), levels=1)
    with pytest.raises(InvalidInputError, match="did you mean 'jj2000'"):
        decode(data, conceal="jj200")
    for erase in ((-1, 3), (5, 4), (0, len(data) + 1)):
        with pytest.raises(InvalidInputError, match=f"within the {len(data)} bytes"):
            decode(data, erase=erase)


def test_truncated_streams_are_errors() -> None:
    codestream = encode(make_picture(48, 48), levels=3, layers=3)
    for length in range(0, len(codestream), 37):
        with pytest.raises(CodestreamError):
            decode(codestream[:length], conceal="jj2000")


@pytest.mark.parametrize(
    ("offset", "value", "says"),
    [(8, b"\x02", "T.801"), (13, b"\x02", "T.801"), (12, b"\x40", "HTJ2K")],
)
def test_transformations_of_others_are_refused_by_name(offset: int, value: bytes, says: str) -> None:
    data = encode(make_picture(16, 16), levels=1)
    place = data.index(b"\xff\x52") + offset
    with pytest.raises(CodestreamError, match=says):
        decode_with_report(data[:place] + value + data[place + 1 :])


def test_palettes_and_odd_colour_transforms_are_refused() -> None:
    file = io.BytesIO()
    Image.fromarray(make_picture(16, 16)).save(file, format="JPEG2000")
    boxed = file.getvalue().replace(b"colr", b"pclr", 1)
    with pytest.raises(CodestreamError, match="palette"):
        decode(boxed, conceal="jj2000")
    grey = encoded_components([make_picture(16, 16)[:, :, 0].astype(np.int32)], 8)
    place = grey.index(b"\xff\x52") + 8
    with pytest.raises(CodestreamError, match="three components"):
        decode_with_report(grey[:place] + b"\x01" + grey[place + 1 :])
