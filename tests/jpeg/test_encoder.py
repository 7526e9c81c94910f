"""The encoder writes what it was asked for, and the standard decoder shows what viewers show."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from pictures import make_picture
from PIL import Image

from benchmark.errors import CodestreamError, InvalidInputError
from benchmark.jpeg import decode_standard, encode
from benchmark.jpeg.entropy_segments import parse

SAMPLE = make_picture(112, 112)


def test_is_what_pillow_writes() -> None:
    file = io.BytesIO()
    Image.fromarray(SAMPLE).save(file, "JPEG", quality=80, subsampling=1, progressive=True)
    assert encode(SAMPLE, quality=80, subsampling="4:2:2", progressive=True) == file.getvalue()


@pytest.mark.parametrize(("subsampling", "factors"), [("4:4:4", (1, 1)), ("4:2:2", (2, 1)), ("4:2:0", (2, 2))])
def test_subsampling_and_restart_intervals(subsampling: str, factors: tuple[int, int]) -> None:
    parsed = parse(encode(SAMPLE, subsampling=subsampling, restart=5))
    assert parsed.frame.sampling == factors
    mcus = -(-112 // (8 * factors[0])) * -(-112 // (8 * factors[1]))
    assert len(parsed.segments) == -(-mcus // 5)


def test_quality_rules_size_and_error() -> None:
    files = [encode(SAMPLE, quality=quality) for quality in (20, 60, 95)]
    errors = [np.abs(decode_standard(data).astype(float) - SAMPLE).mean() for data in files]
    assert len(files[0]) < len(files[1]) < len(files[2])
    assert errors[0] > errors[1] > errors[2]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"quality": 0}, "quality is 1 to 100"),
        ({"restart": 65536}, "restart 0 to 65535"),
        ({"subsampling": "4:1:0"}, "unknown subsampling '4:1:0'"),
        ({"sample": SAMPLE.astype(float)}, "not float64 of shape"),
        ({"sample": SAMPLE[:0]}, "1 to 65500 pixels"),
    ],
)
def test_wrong_arguments_are_one_clear_line(change: dict[str, Any], says: str) -> None:
    with pytest.raises(InvalidInputError, match=says):
        encode(**({"sample": SAMPLE} | change))


def test_standard_decoder_shows_grey_as_colours_and_names_damage() -> None:
    grey = decode_standard(encode(np.ascontiguousarray(SAMPLE[:, :, 0])))
    assert (grey == grey[:, :, :1]).all()
    for data in (b"", b"\xff\xd8\xff\xe0", encode(SAMPLE)[:2000]):
        with pytest.raises(CodestreamError, match="libjpeg-turbo could not decode the file") as caught:
            decode_standard(data)
        assert "0x" not in str(caught.value)
    place = encode(SAMPLE).index(b"\xff\xc0") + 5
    for size in (b"\x10\x00\x10\x01", b"\xff\xff\xff\xff"):
        with pytest.raises(CodestreamError, match=r"4194304 are supported|decompression bomb"):
            decode_standard(encode(SAMPLE)[:place] + size + encode(SAMPLE)[place + 4 :])
