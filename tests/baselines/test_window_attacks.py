"""Attacks that conceal, erase, cut or replace what is encrypted: held against plain streams and each other."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from headers import marker_segment
from jp2_files import box, boxed
from loaded_baselines import load_baseline
from pictures import make_picture
from PIL import Image

from benchmark.errors import CodestreamError, InvalidInputError
from benchmark.interfaces import Evidence
from benchmark.jpeg import decode as decode_jpeg
from benchmark.jpeg import encode as encode_jpeg
from benchmark.jpeg import encrypt as encrypt_jpeg
from benchmark.jpeg import encrypted_ranges as jpeg_ranges
from benchmark.jpeg2000 import decode, decode_standard, encode, encrypt, encrypted_ranges, packets
from benchmark.jpeg2000.markers import main_header_bytes
from benchmark.render import render

SAMPLE = make_picture(112, 112, 3)
PLAIN = encode(SAMPLE, layers=16, code_block=32, segmentation_symbols=True)
WINDOW: dict[str, Any] = {"offset": 6, "size": 4, "window_base": "packet-bodies"}
HIDDEN = encrypt(PLAIN, key=bytes(32), **WINDOW)
RANGE = encrypted_ranges(HIDDEN, **WINDOW)
ALGORITHM: dict[str, Any] = {"id": "jpeg2000-window", "parameters": WINDOW}
ATTACKS = ["error-concealment", "known-window-erase", "layer-truncation", "byte-replacement", "window-search"]


def attacked(name: str, data: bytes, window: tuple[int, int, int] = RANGE, **parameters: Any) -> Any:
    attack = load_baseline(f"attacks/{name}", **parameters)
    evidence = Evidence([data], np.array([window], np.int64), algorithm=ALGORITHM)
    return attack.run(evidence, generator=np.random.default_rng(0))[0]


def error(image: Any) -> float:
    return float(np.mean((image.astype(float) - SAMPLE) ** 2))


@pytest.mark.parametrize("name", ATTACKS)
def test_what_is_not_encrypted_is_shown_and_what_is_no_codestream_is_not(name: str) -> None:
    assert np.array_equal(attacked(name, PLAIN, (0, 0, 0)), SAMPLE)
    for data in (b"ciphertext", PLAIN[:60]):
        assert attacked(name, data, (0, 0, 0)) is None


def test_knowing_the_window_beats_concealing_and_both_beat_looking() -> None:
    erased, concealed = attacked("known-window-erase", HIDDEN), attacked("error-concealment", HIDDEN)
    assert error(erased) < error(concealed) < error(decode_standard(HIDDEN))
    assert error(concealed) < error(attacked("error-concealment", HIDDEN, rule="jj2000"))
    assert error(erased) < error(attacked("layer-truncation", HIDDEN)) < error(decode_standard(HIDDEN))


def test_without_segmentation_symbols_nothing_is_concealed() -> None:
    hidden = encrypt(encode(SAMPLE, layers=16, code_block=32), key=bytes(32), **WINDOW)
    assert np.array_equal(attacked("error-concealment", hidden), decode_standard(hidden))


def test_erasing_and_cutting_use_nothing_that_was_encrypted() -> None:
    other = encrypt(PLAIN, key=bytes([1]) * 32, **WINDOW)
    for name in ("known-window-erase", "layer-truncation", "byte-replacement"):
        assert np.array_equal(attacked(name, HIDDEN), attacked(name, other))
    behind = (
        HIDDEN[: RANGE[1]] + encrypt(HIDDEN, key=bytes(32), offset=12, size=80, window_base="packet-bodies")[RANGE[1] :]
    )
    assert np.array_equal(attacked("layer-truncation", HIDDEN), attacked("layer-truncation", behind))


def test_zeros_replace_the_bodies_inside_the_window_alone() -> None:
    start, end, _ = RANGE
    expected = bytearray(HIDDEN)
    for packet in packets(HIDDEN):
        for place in range(max(start, packet["body"]), min(end, packet["end"])):
            expected[place] = 0
    assert np.array_equal(attacked("byte-replacement", HIDDEN), decode_standard(bytes(expected)))
    assert bytes(expected) != HIDDEN


@pytest.mark.parametrize("mode", ["amplitude-bits", "raw-scan"])
def test_jpeg_files_are_erased_as_they_were_encrypted(mode: str) -> None:
    window = {"offset": 2, "size": 5, "mode": mode}
    hidden = encrypt_jpeg(encode_jpeg(SAMPLE), key=bytes(32), **window)
    start, end, count = jpeg_ranges(hidden, **window)
    attack = load_baseline("attacks/known-window-erase")
    evidence = Evidence(
        [hidden], np.array([[start, end, count]]), algorithm={"id": "jpeg-window", "parameters": window}
    )
    image = attack.run(evidence, generator=np.random.default_rng(0))[0]
    assert np.array_equal(image, decode_jpeg(hidden, erase=(start, end), mode=mode))


def test_the_erased_decode_is_the_decoder_s() -> None:
    assert np.array_equal(attacked("known-window-erase", HIDDEN), decode(HIDDEN, erase=RANGE[:2]))


@pytest.mark.parametrize("name", ["known-window-erase", "layer-truncation", "byte-replacement"])
def test_what_the_threat_model_grants_must_be_there(name: str) -> None:
    with pytest.raises(InvalidInputError, match="needs the"):
        load_baseline(f"attacks/{name}").run(Evidence([HIDDEN]), generator=np.random.default_rng(0))


def test_a_window_that_is_searched_for_is_worth_nearly_as_much_as_one_that_is_known() -> None:
    searched = attacked("window-search", HIDDEN)
    assert error(searched) < 1.5 * error(attacked("known-window-erase", HIDDEN))
    assert error(searched) < error(attacked("error-concealment", HIDDEN))


@pytest.mark.parametrize("name", ATTACKS)
@pytest.mark.parametrize("before", [(), (box(b"xml ", b"<x>pclr</x>"),), (box(b"uuid", HIDDEN),)], ids=len)
def test_a_jp2_file_is_attacked_as_its_codestream_is(name: str, before: tuple[bytes, ...]) -> None:
    file = boxed(HIDDEN, *before)
    shift = len(file) - len(HIDDEN)
    window = (RANGE[0] + shift, RANGE[1] + shift, RANGE[2])
    assert np.array_equal(attacked(name, file, window), attacked(name, HIDDEN))


@pytest.mark.parametrize("name", [*ATTACKS, "keystream-reuse"])
def test_where_our_decoder_refuses_they_show_what_a_viewer_shows(name: str) -> None:
    place = HIDDEN.index(b"\xff\x52")
    coding = HIDDEN[place + 4 : place + 14]
    # A coding style of component 0 that says what COD says anyway.
    redundant = marker_segment(0xFF53, bytes([0, coding[0] & 1]) + coding[5:])
    header = len(main_header_bytes(HIDDEN))
    file = HIDDEN[:header] + redundant + HIDDEN[header:]
    window = (RANGE[0] + len(redundant), RANGE[1] + len(redundant), RANGE[2])
    assert np.array_equal(decode_standard(file), decode_standard(HIDDEN))
    assert np.array_equal(attacked(name, file, window), decode_standard(file))


@pytest.mark.parametrize(
    "parameters", [{"mode": "fast"}, {"mode": ["raw-scan"]}, {"mode": "amplitude-bits"}, {}], ids=str
)
def test_another_protector_s_mode_is_no_obstacle(parameters: dict[str, Any]) -> None:
    window = {"offset": 0, "size": 4, "mode": "raw-scan"}
    hidden = encrypt_jpeg(encode_jpeg(SAMPLE), key=bytes(32), **window)
    start, end, count = jpeg_ranges(hidden, **window)
    evidence = Evidence([hidden], np.array([[start, end, count]]), algorithm={"id": "other", "parameters": parameters})
    image = load_baseline("attacks/known-window-erase").run(evidence, generator=np.random.default_rng(0))[0]
    assert np.array_equal(image, decode_jpeg(hidden, erase=(start, end), mode="raw-scan"))


def test_a_jpeg_file_that_ours_does_not_decode_is_shown() -> None:
    image = Image.fromarray(SAMPLE).convert("CMYK")
    file = io.BytesIO()
    image.save(file, "JPEG")
    with pytest.raises(CodestreamError):
        decode_jpeg(file.getvalue())
    assert np.array_equal(attacked("known-window-erase", file.getvalue()), np.asarray(render([file.getvalue()])[0]))
