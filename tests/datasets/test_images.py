"""Strict reading of aligned crops."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from image_files import encoded
from PIL import Image

from benchmark.datasets.images import ImageFaultError, load_crops, read_crop


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "BMP", "WEBP", "TIFF", "PPM"])
def test_usual_formats_give_what_pillow_decodes(tmp_path: Path, picture: Image.Image, kind: str) -> None:
    data = encoded(picture, kind)
    (tmp_path / "crop").write_bytes(data)
    crop = read_crop(tmp_path / "crop")
    assert crop.shape == (112, 112, 3)
    assert crop.dtype == np.uint8
    assert np.array_equal(crop, np.asarray(Image.open(BytesIO(data)).convert("RGB")))


def test_grey_is_repeated_in_all_channels(tmp_path: Path, picture: Image.Image) -> None:
    grey = picture.convert("L")
    (tmp_path / "crop").write_bytes(encoded(grey, "PNG"))
    assert np.array_equal(read_crop(tmp_path / "crop"), np.repeat(np.asarray(grey)[..., None], 3, axis=2))


@pytest.mark.parametrize("mode", ["RGBA", "LA", "CMYK", "I;16"])
def test_what_has_no_single_meaning_in_rgb_is_refused(tmp_path: Path, picture: Image.Image, mode: str) -> None:
    image = Image.fromarray(np.full((112, 112), 40_000, np.uint16)) if mode == "I;16" else picture.convert(mode)
    (tmp_path / "crop").write_bytes(encoded(image, "TIFF"))
    with pytest.raises(ImageFaultError, match="mode"):
        read_crop(tmp_path / "crop")


def test_palette_with_transparency_is_refused(tmp_path: Path, picture: Image.Image) -> None:
    (tmp_path / "crop").write_bytes(encoded(picture.quantize(16), "PNG", transparency=0))
    with pytest.raises(ImageFaultError, match="transparency"):
        read_crop(tmp_path / "crop")


def test_wrong_size_is_a_failure_and_never_resized(tmp_path: Path, picture: Image.Image) -> None:
    (tmp_path / "crop").write_bytes(encoded(picture.resize((250, 112))))
    with pytest.raises(ImageFaultError, match="is 250x112, not 112x112"):
        read_crop(tmp_path / "crop")


@pytest.mark.parametrize("share", [0.0, 0.002, 0.02, 0.3, 0.6, 0.9])
@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_truncation_is_noticed(tmp_path: Path, picture: Image.Image, kind: str, share: float) -> None:
    data = encoded(picture, kind)
    (tmp_path / "crop").write_bytes(data[: int(len(data) * share)])
    with pytest.raises(ImageFaultError, match="not a readable image"):
        read_crop(tmp_path / "crop")


def test_a_folder_and_nonsense_are_faults(tmp_path: Path) -> None:
    with pytest.raises(ImageFaultError, match="cannot be read"):
        read_crop(tmp_path)
    (tmp_path / "text").write_text("no image")
    with pytest.raises(ImageFaultError, match=r"not a readable image \(unknown format\)"):
        read_crop(tmp_path / "text")


def test_faults_are_flagged_in_place_and_named(tmp_path: Path, picture: Image.Image) -> None:
    (tmp_path / "good").write_bytes(encoded(picture, "PNG"))
    ids = ["a/1", "a/2", "b/1"]
    loaded = load_crops(ids, [tmp_path / "good", tmp_path / "absent", tmp_path / "good"])
    assert loaded.failed.tolist() == [False, True, False]
    assert loaded.reasons == {"a/2": f"{tmp_path / 'absent'} is missing"}
    assert not loaded.samples[1].any()
    assert np.array_equal(loaded.samples[0], np.asarray(picture))
    assert np.array_equal(loaded.samples[2], np.asarray(picture))
