"""Encoding against Pillow's decoder, and the layers that a protocol asks for."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from pictures import make_picture
from PIL import Image

from benchmark.errors import InvalidInputError
from benchmark.jpeg2000 import decode, encode, layer_ratios, packets
from benchmark.jpeg2000.encoder import BYPASS, PTERM, RESET, TERMALL, VSC

SETTINGS: list[dict[str, Any]] = [
    {},
    {"progression": "layer", "layers": 16, "code_block": 32, "segmentation_symbols": True},
    {"progression": "resolution", "layers": "jj2000", "levels": 5},
    {"progression": "RPCL", "layers": 3, "sop": True, "eph": True, "precincts": [(64, 64), (32, 32)]},
    {"progression": "PCRL", "layers": 2, "precincts": [(32, 64)], "plt": True},
    {"progression": "CPRL", "layers": 2, "code_block": (64, 16), "tile": (48, 40), "levels": 2},
    {"style": BYPASS | RESET | TERMALL | VSC | PTERM, "code_block": (8, 16), "layers": 4},
    {"levels": 0},
]


@pytest.mark.parametrize("settings", SETTINGS, ids=lambda s: ",".join(s) or "default")
@pytest.mark.parametrize("size", [(112, 112), (61, 97)])
def test_lossless_round_trip_in_two_decoders(settings: dict[str, Any], size: tuple[int, int]) -> None:
    sample = make_picture(*size)
    codestream = encode(sample, **settings)
    assert np.array_equal(decode(codestream), sample)
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(codestream))), sample)


def test_pillow_writes_the_same_pixels_that_we_read() -> None:
    sample = make_picture(64, 80)
    for extension in ("jp2", "j2k"):
        file = io.BytesIO()
        Image.fromarray(sample).save(file, format="JPEG2000", no_jp2=extension == "j2k", irreversible=False)
        assert np.array_equal(decode(file.getvalue()), sample)


def test_irreversible_wavelet_is_lossy_but_close() -> None:
    sample = make_picture(96, 96)
    decoded = decode(encode(sample, reversible=False, layers=[10]))
    error = np.abs(decoded.astype(int) - sample)
    assert 0 < error.mean() < 8


def test_layers_of_jj2000s_default() -> None:
    # facts: 0.015 bits per pixel, 20 more up to 2.0, 10 more above, then everything; ratio = 24 bits / bits per pixel.
    bits = [24 / ratio for ratio in layer_ratios("jj2000")[:-1]]
    assert len(bits) == 31
    assert bits[0] == pytest.approx(0.015)
    assert bits[21] == pytest.approx(2.0)
    assert bits[22:24] == pytest.approx([2.9, 3.8])
    assert bits[-1] == pytest.approx(10.1)
    assert layer_ratios("jj2000")[-1] == 0
    steps = np.diff(np.log(bits[:22]))
    assert steps == pytest.approx(np.full(21, np.log(2 / 0.015) / 21))


def test_layers_by_number_are_geometric_and_end_lossless() -> None:
    ratios = layer_ratios(16)
    assert len(ratios) == 16
    assert (ratios[0], ratios[-2], ratios[-1]) == pytest.approx((200, 2, 0))
    assert np.ptp(np.diff(np.log(ratios[:-1]))) == pytest.approx(0, abs=1e-12)
    assert layer_ratios("16") == ratios
    # A layer ends where its ratio says, as far as whole passes allow.
    sample = make_picture(112, 112)
    table = packets(encode(sample, layers=[40, 10, 0], progression="LRCP"))
    end = table["end"][table["layer"] == 1].max()
    assert end == pytest.approx(sample.size / 10, rel=0.03)


def test_threads_agree_with_one_thread() -> None:
    samples = [make_picture(48, 48, seed) for seed in range(24)]
    alone = [encode(sample, layers=4, levels=3) for sample in samples]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda sample: encode(sample, layers=4, levels=3), samples))
        decoded = list(pool.map(decode, together))
    assert together == alone
    assert all(np.array_equal(one, sample) for one, sample in zip(decoded, samples, strict=True))


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"progression": "LRC"}, "did you mean 'LRCP'"),
        ({"layers": 0}, "1 to 100"),
        ({"layers": "jj200"}, "did you mean 'jj2000'"),
        ({"layers": [2, 10, 0]}, "ratios fall"),
        ({"layers": []}, "ratios fall"),
        ({"code_block": 48}, "powers of two"),
        ({"code_block": (1024, 64)}, "at most 4096"),
        ({"levels": 33}, "0 to 32"),
        ({"levels": 12}, "OpenJPEG could not encode"),
    ],
)
def test_wrong_arguments_are_one_clear_line(settings: dict[str, Any], says: str) -> None:
    with pytest.raises(InvalidInputError, match=says) as caught:
        encode(make_picture(32, 32), **settings)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("shape", [(32, 32), (32, 32, 4), (0, 32, 3)])
def test_wrong_images_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(InvalidInputError, match="uint8, H x W x 3"):
        encode(np.zeros(shape, dtype=np.uint8))
    with pytest.raises(InvalidInputError, match="float64"):
        encode(np.zeros((32, 32, 3)))
