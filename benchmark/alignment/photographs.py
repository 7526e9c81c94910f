"""Photographs from files, of any usual kind, as upright 8-bit RGB: by stated rules, or refused with a reason.

- EXIF orientation is honoured.
- Grey, bilevel, palette, YCbCr, LAB and HSV pictures become RGB. CMYK does by the device formula; embedded colour
  profiles are not applied.
- 16 bits a channel: the high byte counts (0..65535 becomes 0..255). Files of 10 or 12 bits in the low ones are dark.
- Transparency is laid over white.
- Of animations and files of several pages the first frame counts, with a note.
- Refused: what cannot be decoded to the end, sides under 16 pixels, over 178 megapixels, floating-point pixels.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from benchmark.alignment.detector import Picture

#: The decoders that a photograph may need; JPEGs with a second picture behind the first (of phones) are among JPEG.
FORMATS = ("JPEG", "PNG", "BMP", "WEBP", "TIFF", "PPM", "GIF", "JPEG2000", "AVIF")
#: The names that photographs have; other files of a folder are listed as ignored.
SUFFIXES = (
    ".jpg", ".jpeg", ".jpe", ".mpo", ".png", ".bmp", ".webp", ".tif", ".tiff",
    ".ppm", ".pgm", ".gif", ".jp2", ".j2k", ".avif",
)  # fmt: skip
#: The detector's smallest anchor: no face is found in less.
SMALLEST = 16
_LARGEST = 178_000_000  # pixels; beyond that Pillow suspects an attack on memory


class PhotographError(Exception):
    """A file is no usable photograph; the message names the fault, not the file."""


@dataclass(frozen=True)
class Photograph:
    """uint8, H x W x 3, RGB, upright; and what should be known of the file (empty: nothing)."""

    pixels: Picture
    note: str = ""


def read_photograph(path: Path) -> Photograph:
    """The photograph in a file, by the rules above; raises PhotographError for anything else."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise PhotographError(f"cannot be read ({error.strerror})") from None
    if not data:
        raise PhotographError("is empty")
    try:
        with warnings.catch_warnings():
            # Size is judged below, and damaged metadata is no reason to refuse a picture.
            warnings.simplefilter("ignore")
            with Image.open(BytesIO(data), formats=FORMATS) as image:
                return _upright(image)
    except PhotographError:
        raise
    except Image.DecompressionBombError:
        raise PhotographError(f"has more than {_LARGEST // 1_000_000} megapixels; reduce it") from None
    except Exception as error:  # Pillow's decoders raise many kinds (OSError, SyntaxError, ValueError, struct.error)
        text = " ".join(str(error).split())
        fault = "unknown format" if "cannot identify" in text else text or type(error).__name__
        raise PhotographError(f"is not a readable image ({fault})") from None


def _upright(image: Image.Image) -> Photograph:
    width, height = image.size  # known from the header: nothing large is decoded before this
    if min(width, height) < SMALLEST:
        raise PhotographError(f"is {width}x{height}: too small to hold a face (at least {SMALLEST} pixels a side)")
    if width * height > _LARGEST:
        raise PhotographError(f"is {width}x{height}: more than {_LARGEST // 1_000_000} megapixels; reduce it")
    frames = int(getattr(image, "n_frames", 1))
    image.seek(0)
    image.load()
    notes = [f"first of {frames} frames"] if frames > 1 else []
    try:
        upright = ImageOps.exif_transpose(image)
    except Exception:  # metadata that Pillow stumbles over, in as many ways; the pixels are decoded and sound
        upright = image
        notes.append("damaged EXIF data, taken as upright")
    return Photograph(np.array(_rgb(upright)), "; ".join(notes))


def _rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):
        return _from_16_bits(image)
    if image.mode == "F":
        raise PhotographError("holds floating-point pixels, whose scale nobody stated; save it with 8 or 16 bits")
    if image.mode in ("LA", "PA", "RGBA", "RGBa", "La") or "transparency" in image.info:
        opaque = image.convert("RGBA")
        paper = Image.new("RGBA", opaque.size, "white")
        return Image.alpha_composite(paper, opaque).convert("RGB")
    return image.convert("RGB")


def _from_16_bits(image: Image.Image) -> Image.Image:
    values = np.asarray(image).astype(np.int64)
    if values.min() < 0 or values.max() > 0xFFFF:
        raise PhotographError("holds values beyond 16 bits, whose scale nobody stated; save it with 8 or 16 bits")
    return Image.fromarray((values >> 8).astype(np.uint8)).convert("RGB")
