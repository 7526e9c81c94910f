"""Decoding with OpenJPEG in memory: what a standard decoder without the key shows."""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmark.errors import CodestreamError, InvalidInputError
from benchmark.jpeg2000.encoder import plane
from benchmark.jpeg2000.layout import layout
from benchmark.jpeg2000.library import binding
from benchmark.jpeg2000.markers import JP2_SIGNATURE, codestream_of, main_header_bytes
from benchmark.jpeg2000.streams import Complaints, reader


def decode(codestream: bytes, *, conceal: str = "off", erase: tuple[int, int] | None = None) -> npt.NDArray[np.uint8]:
    """Decode a codestream or JP2 file of three components of 8 bits into an image (uint8, H x W x 3).

    This is OpenJPEG as its own command runs it: strict (a truncated stream is an error), no error concealment,
    segmentation symbols ignored. `conceal` other than "off" and `erase` need a tier-1 decoder that is not built yet.

    Thread-safe; the GIL is released while OpenJPEG works. Raises CodestreamError where OpenJPEG fails, and before
    memory is taken where the header states absurd sizes.

    >>> from benchmark.jpeg2000.encoder import encode
    >>> sample = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
    >>> bool((decode(encode(sample, levels=1)) == sample).all())
    True
    """
    if conceal != "off":
        raise InvalidInputError(f"conceal={conceal!r} is not built yet; only 'off' is")
    if erase is not None:
        raise InvalidInputError("erase is not built yet; leave it out")
    _check_size(codestream)
    opj = binding()
    library = opj.OPENJP2
    parameters = opj.DecompressionParametersType()
    library.opj_set_default_decoder_parameters(ctypes.byref(parameters))
    image = ctypes.POINTER(opj.ImageType)()
    boxed = codestream.startswith(JP2_SIGNATURE)
    codec = library.opj_create_decompress(opj.CODEC_JP2 if boxed else opj.CODEC_J2K)
    try:
        complaints = Complaints(library, codec)
        with reader(library, codestream) as stream:
            done = (
                library.opj_setup_decoder(codec, ctypes.byref(parameters))
                and library.opj_read_header(stream, codec, ctypes.byref(image))
                and library.opj_decode(codec, stream, image)
                and library.opj_end_decompress(codec, stream)
            )
            complaints.check(done, "decode the codestream")
        return _pixels(image.contents)
    finally:
        library.opj_destroy_codec(codec)
        if image:
            library.opj_image_destroy(image)


def _check_size(codestream: bytes) -> None:
    """Refuses what would make the decoder take absurd memory or time; the layout is cached by its main header."""
    header = layout(main_header_bytes(codestream_of(codestream))).header
    if len(header.components) != 3 or any((c.depth, c.dx, c.dy) != (8, 1, 1) for c in header.components):
        raise CodestreamError("only images of three components of 8 bits, not subsampled, are decoded")


def _pixels(image: Any) -> npt.NDArray[np.uint8]:
    if image.numcomps != 3:
        raise CodestreamError(f"only images of three components are decoded, not {image.numcomps}")
    height, width = image.comps[0].h, image.comps[0].w
    sample = np.empty((height, width, 3), dtype=np.uint8)
    for index in range(3):
        component = image.comps[index]
        if (component.h, component.w) != (height, width) or not component.data:
            raise CodestreamError("components differ in size, or one was not decoded")
        # OpenJPEG clips to the stated depth; signed components are shown from zero up.
        offset = 128 if component.sgnd else 0
        sample[:, :, index] = plane(component, height, width) + offset if offset else plane(component, height, width)
    return sample
