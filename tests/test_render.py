"""What a viewer shows, and that damage shows nothing instead of raising."""

from __future__ import annotations

import io

import numpy as np
import pytest
from pictures import make_picture
from PIL import Image

from benchmark.errors import InvalidInputError
from benchmark.jpeg2000 import encode
from benchmark.render import render


def file_of(sample: np.ndarray, **options: object) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(sample).save(buffer, **options)
    return buffer.getvalue()


def test_images_are_shown_as_they_are() -> None:
    samples = np.stack([make_picture(16, 16, seed) for seed in range(3)])
    assert render(samples) is samples


def test_standard_files_are_decoded() -> None:
    sample = make_picture(40, 32)
    jpeg = file_of(sample, format="JPEG", quality=90)
    jp2 = file_of(sample, format="JPEG2000", irreversible=False)
    shown = render([encode(sample, levels=2), jp2, jpeg])
    assert np.array_equal(shown[0], sample)
    assert np.array_equal(shown[1], sample)
    assert np.array_equal(shown[2], np.asarray(Image.open(io.BytesIO(jpeg))))


def test_damage_and_ciphertext_show_nothing() -> None:
    sample = make_picture(40, 32)
    jpeg = file_of(sample, format="JPEG", quality=90)
    codestream = encode(sample, levels=2)
    data = [b"", b"ciphertext", codestream[:60], codestream[:-40], jpeg[:3], jpeg[:100], jpeg[: len(jpeg) // 2]]
    assert render(data) == [None] * len(data)


def test_a_mutated_jpeg_never_raises() -> None:
    generator = np.random.default_rng(1)
    jpeg = file_of(make_picture(40, 32), format="JPEG")
    shown = 0
    for _ in range(2000):
        data = bytearray(jpeg)
        for _ in range(3):
            data[int(generator.integers(3, len(data)))] = int(generator.integers(256))
        shown += render([bytes(data)])[0] is not None
    assert 100 < shown < 1900


def test_templates_have_no_picture() -> None:
    with pytest.raises(InvalidInputError, match="float32"):
        render(np.zeros((2, 128), dtype=np.float32))
