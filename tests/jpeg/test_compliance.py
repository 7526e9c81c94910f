"""Decoders that others wrote show every encrypted JPEG file: 300 real crops, all windows of 1 to 15 %, all modes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pictures import make_picture
from PIL import Image

from benchmark.compliance.decoders import DECODERS, installed
from benchmark.jpeg import decrypt, encode, encrypt

#: (mode, coder): what the presets of the baseline take, and restart markers.
FAMILIES: list[tuple[str, dict[str, Any]]] = [
    ("amplitude-bits", {}), ("raw-scan", {}), ("raw-scan", {"progressive": True}), ("raw-scan", {"restart": 7}),
]  # fmt: skip
#: FFmpeg as it comes, as the others do, patches up what Huffman codes it cannot read; strict, it says so.
LENIENT = ["pillow", "imagecodecs", "ffmpeg"]


def shapes(decoder: str, files: list[bytes]) -> set[tuple[int, int]]:
    if installed("jpeg")[decoder] is None:
        pytest.skip(f"{decoder} is not installed")
    return {DECODERS["jpeg"][decoder](data) for data in files}


@pytest.mark.parametrize("decoder", LENIENT)
def test_every_window_of_made_pictures(decoder: str) -> None:
    for mode, coder in FAMILIES:
        for sample in (make_picture(112, 112), make_picture(40, 57)):
            plain = encode(sample, **coder)
            windows = [(0, size) for size in range(1, 16)] + [(30, 20), (95, 5), (0, 100)]
            files = [encrypt(plain, key=bytes(32), offset=o, size=s, mode=mode) for o, s in windows]
            assert shapes(decoder, files) == {sample.shape[:2]}


def test_amplitude_bits_have_nothing_to_patch_up() -> None:
    for seed in range(5):
        plain = encode(make_picture(112, 112, seed))
        files = [encrypt(plain, key=bytes(32), offset=0, size=s, mode="amplitude-bits") for s in (1, 5, 15, 100)]
        assert shapes("ffmpeg-strict", files) == {(112, 112)}


@pytest.mark.parametrize("family", range(len(FAMILIES)))
def test_three_hundred_crops(data_root: Path, family: int) -> None:
    mode, coder = FAMILIES[family]
    paths = sorted((data_root / "lfw" / "aligned112").glob("*/*.jpg"))
    decoders = [name for name in LENIENT if installed("jpeg")[name] is not None]
    assert "pillow" in decoders
    for number, path in enumerate(paths[:: len(paths) // 300][:300]):
        plain = encode(np.asarray(Image.open(path).convert("RGB")), **coder)
        key = number.to_bytes(32, "big")
        for size in range(1, 16):
            window = {"key": key, "offset": 0, "size": size, "mode": mode}
            encrypted = encrypt(plain, **window)
            assert decrypt(encrypted, **window) == plain
            # Each decoder sees each crop and each size, in turns.
            decoder = decoders[(number + size) % len(decoders)]
            assert DECODERS["jpeg"][decoder](encrypted) == (112, 112), (path, size, decoder)
