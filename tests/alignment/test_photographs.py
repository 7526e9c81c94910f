"""Photographs of every kind, and what is none."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from benchmark.alignment.photographs import PhotographError, read_photograph
from benchmark.digest import generator


@pytest.fixture
def picture() -> Image.Image:
    """64x40, smooth, with another colour in each quarter: turned or mirrored it is another picture."""
    quarters = np.array([[[200, 40, 40], [40, 200, 40]], [[40, 40, 200], [220, 220, 60]]], np.uint8)
    return Image.fromarray(np.kron(quarters, np.ones((20, 32, 1), np.uint8)))


def filed(folder: Path, image: Image.Image, kind: str, **options: object) -> Path:
    path = folder / f"x.{kind.lower()}"
    image.save(path, kind, **options)
    return path


def pixels(path: Path) -> np.ndarray:
    return read_photograph(path).pixels


def test_rgb_and_grey(tmp_path: Path, picture: Image.Image) -> None:
    assert np.array_equal(pixels(filed(tmp_path, picture, "PNG")), np.asarray(picture))
    grey = pixels(filed(tmp_path, picture.convert("L"), "JPEG", quality=100))
    assert grey.shape == (40, 64, 3)
    assert np.abs(grey[..., 1].astype(int) - np.asarray(picture.convert("L"))).max() <= 3
    assert np.array_equal(grey[..., 0], grey[..., 2])
    assert np.array_equal(
        pixels(filed(tmp_path, picture.convert("P"), "PNG")), np.asarray(picture.convert("P").convert("RGB"))
    )


@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
def test_cmyk(tmp_path: Path, picture: Image.Image, kind: str) -> None:
    options = {"quality": 100, "subsampling": 0} if kind == "JPEG" else {}
    found = pixels(filed(tmp_path, picture.convert("CMYK"), kind, **options))
    assert np.abs(found.astype(int) - np.asarray(picture)).max() <= 6


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("channels", [1, 3])
def test_16_bits_keep_their_high_byte(tmp_path: Path, suffix: str, channels: int) -> None:
    values = generator("tests", "16 bits").integers(0, 65536, (24, 32, channels), dtype=np.uint16)
    path = tmp_path / f"x{suffix}"
    path.write_bytes(cv2.imencode(suffix, values[..., ::-1])[1].tobytes())  # OpenCV writes BGR
    expected = np.broadcast_to(values >> 8, (24, 32, 3))
    assert np.array_equal(pixels(path), expected)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_honoured(tmp_path: Path, picture: Image.Image, orientation: int) -> None:
    """What a camera files is the scene turned; each way back is written down here once more, from the EXIF standard."""
    upright = np.asarray(picture)
    ways = {
        1: lambda a: a,
        2: lambda a: a[:, ::-1],
        3: lambda a: a[::-1, ::-1],
        4: lambda a: a[::-1],
        5: lambda a: a.transpose(1, 0, 2),
        6: lambda a: np.rot90(a, 1),
        7: lambda a: a[::-1, ::-1].transpose(1, 0, 2),
        8: lambda a: np.rot90(a, -1),
    }
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = Image.fromarray(np.ascontiguousarray(ways[orientation](upright)))
    assert np.array_equal(pixels(filed(tmp_path, stored, "PNG", exif=exif)), upright)


def test_transparency_is_laid_over_white(tmp_path: Path, picture: Image.Image) -> None:
    half = picture.convert("RGBA")
    half.putalpha(Image.fromarray(np.repeat(np.array([[0, 255]], np.uint8), 32, 1).repeat(40, 0)))
    found = pixels(filed(tmp_path, half, "PNG"))
    assert (found[:, :32] == 255).all()
    assert np.array_equal(found[:, 32:], np.asarray(picture)[:, 32:])


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF"])
def test_of_an_animation_the_first_frame_counts_with_a_note(tmp_path: Path, picture: Image.Image, kind: str) -> None:
    others = [picture.rotate(180), picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)]
    options = {"lossless": True} if kind == "WEBP" else {}
    path = filed(tmp_path, picture, kind, save_all=True, append_images=others, **options)
    photograph = read_photograph(path)
    assert photograph.note == "first of 3 frames"
    assert np.abs(photograph.pixels.astype(int) - np.asarray(picture)).max() <= 8  # a GIF's palette


def test_damaged_exif_data_do_not_cost_the_picture(tmp_path: Path, picture: Image.Image) -> None:
    path = filed(tmp_path, picture, "JPEG", exif=b"Exif\0\0MM\0*\xff\xff\xff\xff" + bytes(40))
    assert pixels(path).shape == (40, 64, 3)


def truncated(picture: Image.Image) -> bytes:
    file = BytesIO()
    picture.resize((400, 400)).save(file, "JPEG")
    return file.getvalue()[:1200]


def image_bytes(image: Image.Image, kind: str) -> bytes:
    file = BytesIO()
    image.save(file, kind)
    return file.getvalue()


FAULTS = {
    "empty": (lambda picture: b"", "is empty"),
    "text": (lambda picture: b"no picture at all", "unknown format"),
    "truncated": (truncated, "truncated"),
    "one pixel": (lambda picture: image_bytes(picture.resize((1, 1)), "PNG"), "is 1x1: too small"),
    "a line": (lambda picture: image_bytes(picture.resize((900, 15)), "PNG"), "is 900x15: too small"),
    "floats": (
        lambda picture: image_bytes(Image.fromarray(np.ones((40, 40), np.float32)), "TIFF"),
        "floating-point",
    ),
    "32 bits": (
        lambda picture: image_bytes(Image.fromarray(np.full((40, 40), 1 << 20, np.int32)), "TIFF"),
        "beyond 16 bits",
    ),
    # A header that promises 30,000 x 30,000 pixels, and no more than it.
    "a bomb": (
        lambda picture: (
            b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + (30_000).to_bytes(4, "big") * 2 + b"\x08\2\0\0\0\xa2\x5a\xa6\xd9"
        ),
        "megapixels|not a readable image",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_is_no_photograph_says_why(tmp_path: Path, picture: Image.Image, fault: str) -> None:
    make, said = FAULTS[fault]
    path = tmp_path / "x.jpg"
    path.write_bytes(make(picture))
    with pytest.raises(PhotographError, match=said) as error:
        read_photograph(path)
    assert "\n" not in str(error.value)
    assert " at 0x" not in str(error.value)  # a buffer's address, which differs from run to run


def test_a_missing_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(PhotographError, match="cannot be read"):
        read_photograph(tmp_path / "absent.jpg")
