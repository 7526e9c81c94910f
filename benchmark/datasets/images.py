"""Aligned crops from files: strict about what an aligned crop is, precise about what is wrong with one that is not."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Sequence
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from benchmark.datasets.base import SIDE, Dataset, Loaded
from benchmark.digest import digest_file
from benchmark.interfaces import Samples

#: The decoders that a crop may need, and no others: Pillow has dozens, most of them rarely fuzzed.
FORMATS = ("JPEG", "PNG", "BMP", "WEBP", "TIFF", "PPM")
#: Grey, bilevel and palette images hold the same picture in RGB. Alpha, CMYK and 16-bit images do not: what they
#: become depends on a background, a profile or a scale that nobody stated, so they are refused.
_CONVERTIBLE = ("RGB", "L", "1", "P")


class ImageFiles(Dataset):
    """A data set with one image file per sample."""

    @abstractmethod
    def path(self, sample_id: str) -> Path:
        """A sample's file, whether it is there or not; raises InvalidInputError for an id that names none."""

    def load(self, ids: Sequence[str]) -> Loaded:
        """The crops (uint8, N x 112 x 112 x 3); missing, damaged and wrong-size ones are flagged with the reason."""
        return load_crops(ids, [self.path(sample_id) for sample_id in ids])

    def fingerprint(self, ids: Sequence[str]) -> list[str]:
        """SHA-256 of each file's bytes, or `missing`."""
        paths = [self.path(sample_id) for sample_id in ids]
        return [digest_file(path) if path.is_file() else "missing" for path in paths]


class ImageFaultError(Exception):
    """A file is not a readable aligned crop; the message names the fault, not the file."""


def read_crop(path: Path) -> Samples:
    """One aligned crop (uint8, 112 x 112 x 3, RGB); raises ImageFaultError for anything else."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise ImageFaultError("is missing") from None
    except OSError as error:
        raise ImageFaultError(f"cannot be read ({error.strerror})") from None
    return decode_crop(data)


def decode_crop(data: bytes) -> Samples:
    """One aligned crop (uint8, 112 x 112 x 3, RGB) from a file's bytes; raises ImageFaultError for anything else."""
    try:
        with Image.open(BytesIO(data), formats=FORMATS) as image:
            if image.size != (SIDE, SIDE):  # known from the header: nothing large is ever decoded
                raise ImageFaultError(
                    f"is {image.size[0]}x{image.size[1]}, not {SIDE}x{SIDE}; align it, do not resize it"
                )
            if image.mode not in _CONVERTIBLE or "transparency" in image.info:
                raise ImageFaultError(f"has mode {image.mode}, perhaps with transparency; save it as 8-bit RGB or grey")
            return np.array(image.convert("RGB"))
    except ImageFaultError:
        raise
    except Exception as error:  # Pillow's decoders raise many kinds (OSError, SyntaxError, ValueError, struct.error)
        raise ImageFaultError(f"is not a readable image ({_one_line(error, data)})") from None


def load_crops(ids: Sequence[str], paths: Iterable[Path]) -> Loaded:
    """The crops at `paths`, one per id; a faulty one is zeros, flagged, with `file fault` as its reason."""
    samples = np.zeros((len(ids), SIDE, SIDE, 3), np.uint8)
    failed = np.zeros(len(ids), np.bool_)
    reasons: dict[str, str] = {}
    for i, (sample_id, path) in enumerate(zip(ids, paths, strict=True)):
        try:
            samples[i] = read_crop(path)
        except ImageFaultError as fault:
            failed[i] = True
            reasons[sample_id] = f"{path} {fault}"
    return Loaded(samples, failed, reasons)


def _one_line(error: Exception, data: bytes) -> str:
    if not data:
        return "it is empty"
    if "cannot identify" in str(error):  # Pillow names a buffer's address there, which differs from run to run
        return "unknown format"
    return " ".join(str(error).split()) or type(error).__name__
