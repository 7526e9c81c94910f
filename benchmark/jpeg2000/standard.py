"""Decoding with OpenJPEG in memory: what a standard decoder without the key shows.

Apart from `decoder`, so that a protector which only needs this does not depend on the code of concealment.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmark.errors import CodestreamError
from benchmark.jpeg2000.encoder import plane
from benchmark.jpeg2000.library import binding
from benchmark.jpeg2000.markers import JP2_SIGNATURE, MAX_PACKETS, Component, codestream_of, promised_packets
from benchmark.jpeg2000.streams import Complaints, reader


def decode_standard(codestream: bytes) -> npt.NDArray[np.uint8]:
    """Decode a codestream or JP2 file into an image (uint8, H x W x 3): what a standard decoder shows.

    This is OpenJPEG as its own command runs it: strict (a truncated tile is an error), no error concealment,
    segmentation symbols ignored. It takes all that OpenJPEG takes, so that nothing hides behind an unusual option: grey
    becomes three equal colours, other depths are scaled to eight bits, subsampled components stretched.

    Thread-safe; the GIL is released while OpenJPEG works. Raises CodestreamError where OpenJPEG fails, and before
    memory is taken where the header states absurd sizes.

    >>> from benchmark.jpeg2000.encoder import encode
    >>> sample = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
    >>> bool((decode_standard(encode(sample, levels=1)) == sample).all())
    True
    """
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
    promised = promised_packets(codestream_of(codestream))
    if promised > 16 * MAX_PACKETS:
        raise CodestreamError(f"codestream promises {promised} packets, which no sensible image has")


def _pixels(image: Any) -> npt.NDArray[np.uint8]:
    planes, components = [], []
    for index in range(3 if image.numcomps >= 3 else 1):
        component = image.comps[index]
        if not component.data or not component.h or not component.w:
            raise CodestreamError("a component was not decoded")
        planes.append(plane(component, component.h, component.w))
        components.append(Component(component.prec, bool(component.sgnd), component.dx, component.dy))
    return shown(planes, components)


def shown(planes: Sequence[npt.NDArray[np.int32]], components: Sequence[Component]) -> npt.NDArray[np.uint8]:
    """The picture (uint8, H x W x 3) as a viewer shows it, from each component's values (int32, its own H x W).

    Eight bits, grey as three equal colours, chroma stretched, alpha ignored. H x W are the first component's.
    """
    height, width = planes[0].shape
    sample = np.empty((height, width, 3), dtype=np.uint8)
    for index in range(3):
        chosen = index if len(planes) >= 3 else 0
        values, component = planes[chosen], components[chosen]
        if component.signed:
            values = values + (1 << (component.depth - 1))
        if component.depth > 8:
            values = values >> (component.depth - 8)
        elif component.depth < 8:
            values = values * 255 // ((1 << component.depth) - 1)
        if values.shape != (height, width):
            rows, columns = (
                np.arange(side) * own // side for side, own in zip((height, width), values.shape, strict=True)
            )
            values = values[rows][:, columns]
        sample[:, :, index] = values
    return sample
