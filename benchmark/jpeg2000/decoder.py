"""Decoding as an attacker does: with errors concealed, or without what is known to be encrypted."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from benchmark.errors import InvalidInputError
from benchmark.jpeg2000.standard import decode_standard


def decode(codestream: bytes, *, conceal: str = "off", erase: tuple[int, int] | None = None) -> npt.NDArray[np.uint8]:
    """Decode a codestream or JP2 file into an image (uint8, H x W x 3), as `decode_standard` does.

    `conceal` other than "off" and `erase` need a tier-1 decoder that is not built yet.
    """
    if conceal != "off":
        raise InvalidInputError(f"conceal={conceal!r} is not built yet; only 'off' is")
    if erase is not None:
        raise InvalidInputError("erase is not built yet; leave it out")
    return decode_standard(codestream)
