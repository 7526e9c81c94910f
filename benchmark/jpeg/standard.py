"""Decoding as a standard viewer does: libjpeg-turbo, through Pillow."""

from __future__ import annotations

import io

import numpy as np
import numpy.typing as npt
from PIL import Image, UnidentifiedImageError

from benchmark.errors import CodestreamError
from benchmark.jpeg.markers import MAX_PIXELS


def decode_standard(data: bytes) -> npt.NDArray[np.uint8]:
    """The picture (uint8, H x W x 3) that libjpeg-turbo shows; grey as three equal colours.

    Raises CodestreamError where it refuses the file, or where the header states absurd sizes.

    >>> from benchmark.jpeg import encode
    >>> decode_standard(encode(np.full((8, 8, 3), 200, dtype=np.uint8)))[0, 0].tolist()
    [200, 200, 200]
    """
    try:
        with Image.open(io.BytesIO(data), formats=["JPEG"]) as image:
            if image.width * image.height > MAX_PIXELS:
                raise CodestreamError(f"JPEG: {image.width} x {image.height} pixels; {MAX_PIXELS} are supported")
            return np.asarray(image.convert("RGB"))
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, ValueError, SyntaxError) as error:
        # Its messages name buffers by their addresses.
        reason = "no JPEG file" if isinstance(error, UnidentifiedImageError) else str(error).partition("\n")[0]
        raise CodestreamError(f"libjpeg-turbo could not decode the file: {reason}") from None
