"""What a standards-compliant viewer without the key shows of protected samples."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import cast

import numpy as np
import numpy.typing as npt
from PIL import Image, UnidentifiedImageError

from benchmark.errors import CodestreamError, InvalidInputError
from benchmark.interfaces import MaybeSamples, Protected, Samples
from benchmark.jpeg2000 import decode_standard
from benchmark.jpeg2000.markers import JP2_SIGNATURE, MAX_PIXELS, SIGNATURE

_JPEG_SIGNATURE = b"\xff\xd8\xff"


def render(protected: Protected) -> MaybeSamples:
    """Images of N protected samples: a list with uint8 H x W x 3, or None where nothing is shown.

    Images (uint8, N x H x W x 3) are shown as they are. Bytes are recognised by their signature: JPEG 2000 (codestream
    or JP2) goes through OpenJPEG, JPEG through Pillow; anything else, and whatever its decoder refuses, shows nothing.
    Raises InvalidInputError for templates, which have no picture.

    >>> from benchmark.jpeg2000 import encode
    >>> shown = render([encode(np.zeros((8, 8, 3), dtype=np.uint8), levels=1), b"ciphertext"])
    >>> shown[0].shape, shown[1] is None
    ((8, 8, 3), True)
    """
    if isinstance(protected, np.ndarray):
        if protected.dtype != np.uint8 or protected.ndim != 4 or protected.shape[-1] != 3:
            raise InvalidInputError(
                f"only images (uint8, N x H x W x 3) and codestreams can be shown, "
                f"not {protected.dtype} of shape {protected.shape}"
            )
        return cast(Samples, protected)
    codestreams: Sequence[bytes] = protected
    return [_picture(bytes(data)) for data in codestreams]


def _picture(data: bytes) -> npt.NDArray[np.uint8] | None:
    if data.startswith((SIGNATURE, JP2_SIGNATURE)):
        try:
            return decode_standard(data)
        except CodestreamError:
            return None
    if data.startswith(_JPEG_SIGNATURE):
        try:
            with Image.open(io.BytesIO(data), formats=["JPEG"]) as image:
                if image.width * image.height > MAX_PIXELS:
                    return None
                return np.asarray(image.convert("RGB"))
        # What Pillow raises on damaged files, and on those that state absurd sizes.
        except (UnidentifiedImageError, Image.DecompressionBombError, OSError, ValueError, SyntaxError):
            return None
    return None
