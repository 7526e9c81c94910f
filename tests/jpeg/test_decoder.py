"""Our JPEG decoder: libjpeg-turbo's picture on plain files, and nothing of what was erased."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from pictures import make_picture
from PIL import Image

from benchmark.errors import CodestreamError, InvalidInputError
from benchmark.jpeg import SUBSAMPLINGS, decode, decode_standard, encode, encrypt, encrypted_ranges
from benchmark.jpeg.coefficients import read_coefficients
from benchmark.jpeg.entropy_segments import parse
from benchmark.jpeg.scan_loops import ZIGZAG

SETTINGS: list[dict[str, Any]] = [
    {}, {"restart": 5}, {"optimise": True}, {"progressive": True}, {"progressive": True, "restart": 3},
]  # fmt: skip


@pytest.mark.parametrize("setting", SETTINGS, ids=str)
@pytest.mark.parametrize("subsampling", SUBSAMPLINGS)
def test_shows_what_libjpeg_turbo_shows(setting: dict[str, Any], subsampling: str) -> None:
    for height, width in ((112, 112), (57, 43), (17, 33), (5, 2), (1, 1)):
        sample = make_picture(height, width, height)
        for image in (sample, sample[:, :, 0].copy()):
            for quality in (20, 95, 100):
                data = encode(image, quality=quality, subsampling=subsampling, **setting)
                assert np.array_equal(decode(data), decode_standard(data))


@pytest.mark.parametrize("sampling", ["411", "440", "422", "444"])
def test_files_of_another_encoder(sampling: str) -> None:
    factor = getattr(cv2, f"IMWRITE_JPEG_SAMPLING_FACTOR_{sampling}")
    sample = make_picture(67, 93, 5)
    for extra in ([], [cv2.IMWRITE_JPEG_PROGRESSIVE, 1], [cv2.IMWRITE_JPEG_RST_INTERVAL, 4]):
        flags = [cv2.IMWRITE_JPEG_QUALITY, 90, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, factor, *extra]
        data = cv2.imencode(".jpg", sample, flags)[1].tobytes()
        assert np.array_equal(decode(data), decode_standard(data))


def test_untransformed_colours() -> None:
    file = io.BytesIO()
    Image.fromarray(make_picture(40, 40)).save(file, "JPEG", quality=90, keep_rgb=True)
    assert np.array_equal(decode(file.getvalue()), decode_standard(file.getvalue()))


def separate_scans(sample: np.ndarray[Any, Any]) -> bytes:
    """A baseline file with a scan for each component, put together from three grey ones."""
    parts = [encode(np.ascontiguousarray(sample[:, :, number]), quality=90) for number in range(3)]
    head = parts[0][: parts[0].index(b"\xff\xc0")]
    height, width = sample.shape[:2]
    frame = b"\xff\xc0\x00\x11\x08" + height.to_bytes(2, "big") + width.to_bytes(2, "big") + b"\x03"
    frame += b"".join(bytes([number, 0x11, 0]) for number in (1, 2, 3))
    tables = parts[0][parts[0].index(b"\xff\xc4") : parts[0].index(b"\xff\xda")]
    scans = b""
    for number, part in enumerate(parts, start=1):
        coded = part[part.index(b"\xff\xda") + 10 : -2]
        scans += b"\xff\xda\x00\x08\x01" + bytes([number, 0, 0, 63, 0]) + coded
    return head + frame + tables + scans + b"\xff\xd9"


def test_several_baseline_scans() -> None:
    data = separate_scans(make_picture(50, 70))
    assert len(parse(data).scans) == 3
    assert np.array_equal(decode(data), decode_standard(data))
    for mode in ("amplitude-bits", "raw-scan"):
        window = {"offset": 20, "size": 60, "mode": mode}
        encrypted = encrypt(data, key=bytes(32), **window)
        first, last, _ = encrypted_ranges(encrypted, **window)
        shown = decode(encrypted, erase=(first, last), mode=mode)
        assert error(shown, decode(data)) < error(decode_standard(encrypted), decode(data))


def error(shown: np.ndarray[Any, Any], expected: np.ndarray[Any, Any]) -> float:
    return float(((shown.astype(float) - expected) ** 2).mean())


@pytest.mark.parametrize("setting", SETTINGS, ids=str)
@pytest.mark.parametrize("mode", ["amplitude-bits", "raw-scan"])
def test_nothing_erased_has_an_influence(setting: dict[str, Any], mode: str) -> None:
    if mode == "amplitude-bits" and "progressive" in setting:
        pytest.skip("amplitude-bits is for sequential files")
    plain = encode(make_picture(112, 112, 2), **setting)
    for offset, size in ((0, 2), (0, 15), (7, 4), (40, 3.3), (93, 7), (0, 100)):
        window = {"offset": offset, "size": size, "mode": mode}
        shown = []
        # Whatever stands in the window: the plain bytes, or noise under one key or another.
        for key in (None, bytes(32), bytes(range(32))):
            data = plain if key is None else encrypt(plain, key=key, **window)
            first, last, _ = encrypted_ranges(data, **window)
            shown.append(decode(data, erase=(first, last), mode=mode))
        assert np.array_equal(shown[0], shown[1])
        assert np.array_equal(shown[0], shown[2])
        assert (error(shown[0], decode(plain)) > 0) == (size > 0)


def test_what_was_not_erased_is_kept() -> None:
    plain = encode(make_picture(112, 112, 2), restart=7, subsampling="4:4:4")
    parsed = parse(plain)
    whole = read_coefficients(parsed)
    for codes_erased in (True, False):
        begin, end = parsed.segments[5, 2] + 3, parsed.segments[6, 2] + 9
        found = read_coefficients(parsed, (begin, end), codes_erased=codes_erased)
        same = (found.values == whole.values).all(axis=1).reshape(3, -1).all(axis=0)
        known = (found.groups == 0).reshape(3, -1).all(axis=0)
        outside = np.ones(len(same), dtype=bool)
        outside[5 * 7 : 7 * 7] = False
        assert (same & known)[outside].all()
        assert not same[~outside].all()
        # Blocks behind the erased bytes come back, but for a constant: nothing says any more where DC began.
        assert np.array_equal(found.values[48, 1:], whole.values[48, 1:])
        assert found.groups[48] != 0


def test_progressive_scans_refine_what_is_left() -> None:
    plain = encode(make_picture(112, 112, 2), progressive=True)
    parsed = parse(plain)
    whole = read_coefficients(parsed)
    luma = slice(0, whole.blocks[0].down * whole.blocks[0].across)
    first = [int(parsed.segments[scan.first, 2]) for scan in parsed.scans]
    second = read_coefficients(parsed, (first[1], first[1] + 4))  # luma 1..5, first pass
    assert np.array_equal(second.values[luma, 0], whole.values[luma, 0])
    # All of luma stays as the first passes left it, without the two lowest bits, since what refines it depends on the
    # first blocks' 1..5, which are lost until codes are in step again.
    coarse = np.sign(whole.values[luma]) * (np.abs(whole.values[luma]) >> 2 << 2)
    found, expected = second.values[luma][:, ZIGZAG[1:6]], coarse[:, ZIGZAG[1:6]]
    assert not found[0].any()
    assert expected[0].any()
    assert np.array_equal(found[20:], expected[20:])
    assert expected[20:].any()
    assert np.array_equal(second.values[luma][:, ZIGZAG[6:]], coarse[:, ZIGZAG[6:]])
    assert coarse[:, ZIGZAG[6:]].any()
    assert np.array_equal(second.values[luma.stop :], whole.values[luma.stop :])
    last = read_coefficients(parsed, (first[-1], first[-1] + 4))  # luma's last bits
    assert np.abs(last.values[luma].astype(int) - whole.values[luma]).max() <= 1


def test_erasing_beats_decoding_as_is() -> None:
    for setting, mode in (({}, "amplitude-bits"), ({"restart": 7}, "raw-scan"), ({"progressive": True}, "raw-scan")):
        window = {"offset": 0, "size": 4, "mode": mode}
        erased, as_is = [], []
        # On average: in raw-scan with restart markers, noise is now and then luckier than a guess for a whole segment.
        for seed in range(8):
            sample = make_picture(112, 112, seed)
            encrypted = encrypt(encode(sample, **setting), key=bytes([seed] * 32), **window)
            first, last, _ = encrypted_ranges(encrypted, **window)
            erased.append(error(decode(encrypted, erase=(first, last), mode=mode), sample))
            as_is.append(error(decode_standard(encrypted), sample))
        assert np.mean(erased) < np.mean(as_is)


def test_real_files(data_root: Path) -> None:
    # Files of three encoders: the aligned crops, OpenCV's, and the un-aligned originals.
    for folder in ("aligned112", "aligned112_extra", "raw"):
        files = sorted((data_root / "lfw" / folder).glob("*/*.jpg"))
        for file in files[:: len(files) // 20]:
            data = file.read_bytes()
            assert np.array_equal(decode(data), decode_standard(data)), file


def test_wrong_arguments_are_one_clear_line() -> None:
    data = encode(make_picture(16, 16))
    for erase in ((-1, 5), (9, 3), (0, len(data) + 1)):
        with pytest.raises(InvalidInputError, match="erase is first byte and end within"):
            decode(data, erase=erase)
    with pytest.raises(InvalidInputError, match="unknown mode 'raw'"):
        decode(data, mode="raw")


def test_damage_is_named() -> None:
    data = bytearray(encode(make_picture(64, 64)))
    start = data.index(b"\xff\xda") + 14
    for place in range(start, len(data) - 2):
        data[place] = 0x11
    with pytest.raises(CodestreamError, match="JPEG at entropy-coded byte"):
        decode(bytes(data))
