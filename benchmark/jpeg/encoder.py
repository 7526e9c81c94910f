"""Encoding with libjpeg-turbo, through Pillow."""

from __future__ import annotations

import io

import numpy as np
import numpy.typing as npt
from PIL import Image

from benchmark.errors import InvalidInputError, unknown

#: Chroma subsampling, in Pillow's order: none, half the columns, half the columns and rows.
SUBSAMPLINGS = ("4:4:4", "4:2:2", "4:2:0")


def encode(
    sample: npt.NDArray[np.uint8],
    *,
    quality: int = 95,
    subsampling: str = "4:2:0",
    progressive: bool = False,
    optimise: bool = False,
    restart: int = 0,
) -> bytes:
    """A JPEG file of a sample (uint8, H x W x 3 RGB or H x W grey).

    `quality`: 1 to 100, libjpeg's scale. `subsampling`: `4:4:4`, `4:2:2`, `4:2:0`. `progressive`: libjpeg's standard
    script of scans (10 for colours), with Huffman tables of its own; otherwise one baseline scan with the tables of
    T.81 annex K, or with tables fitted to the sample (`optimise`). `restart`: MCUs between restart markers, 0 for none.
    Raises InvalidInputError.

    >>> data = encode(np.zeros((16, 16, 3), dtype=np.uint8))
    >>> data[:4].hex(), data[-2:].hex()
    ('ffd8ffe0', 'ffd9')
    """
    if subsampling not in SUBSAMPLINGS:
        raise unknown("subsampling", subsampling, SUBSAMPLINGS)
    if not 1 <= quality <= 100 or not 0 <= restart <= 65535:
        raise InvalidInputError(f"quality is 1 to 100 and restart 0 to 65535, not {quality} and {restart}")
    if sample.dtype != np.uint8 or not (sample.ndim == 2 or (sample.ndim == 3 and sample.shape[2] == 3)):
        raise InvalidInputError(f"a sample is uint8, H x W x 3 or H x W, not {sample.dtype} of shape {sample.shape}")
    if not 1 <= min(sample.shape[:2]) <= max(sample.shape[:2]) <= 65500:
        raise InvalidInputError(f"a JPEG file is 1 to 65500 pixels wide and high, not {sample.shape[:2]}")
    file = io.BytesIO()
    Image.fromarray(sample).save(
        file,
        "JPEG",
        quality=quality,
        subsampling=SUBSAMPLINGS.index(subsampling),
        progressive=progressive,
        optimize=optimise,
        restart_marker_blocks=restart,
    )
    return file.getvalue()
