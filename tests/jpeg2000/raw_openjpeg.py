"""OpenJPEG as a reference for what `encode` does not offer: components of any depth, sign, number and subsampling."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmark.jpeg2000.encoder import PROGRESSIONS, plane
from benchmark.jpeg2000.library import binding
from benchmark.jpeg2000.streams import reader, writer

Planes = Sequence[npt.NDArray[np.int32]]


def encoded_components(
    planes: Planes,
    depth: int,
    *,
    signed: bool = False,
    steps: Sequence[tuple[int, int]] = (),
    origin: tuple[int, int] = (0, 0),
    tile: tuple[int, int] | None = None,
    tile_origin: tuple[int, int] = (0, 0),
    progression: str = "LRCP",
    code_block: tuple[int, int] = (32, 32),
    levels: int = 3,
    ratios: Sequence[float] = (0,),
    style: int = 0,
    reversible: bool = True,
    colour_transform: bool = False,
) -> bytes:
    """A codestream of planes (int32, H x W); `steps` is each component's subsampling across and down."""
    opj = binding()
    library = opj.OPENJP2
    parameters = opj.CompressionParametersType()
    library.opj_set_default_encoder_parameters(ctypes.byref(parameters))
    parameters.cp_disto_alloc, parameters.tcp_numlayers = 1, len(ratios)
    parameters.tcp_rates[: len(ratios)] = list(ratios)
    parameters.prog_order, parameters.numresolution = PROGRESSIONS[progression], levels + 1
    parameters.cblockw_init, parameters.cblockh_init = code_block
    parameters.mode, parameters.irreversible, parameters.tcp_mct = style, not reversible, colour_transform
    parameters.image_offset_x0, parameters.image_offset_y0 = origin
    if tile is not None:
        parameters.tile_size_on, (parameters.cp_tdx, parameters.cp_tdy) = 1, tile
        parameters.cp_tx0, parameters.cp_ty0 = tile_origin
    steps = steps or [(1, 1)] * len(planes)
    each = (opj.ImageComptParmType * len(planes))()
    for part, values, (dx, dy) in zip(each, planes, steps, strict=True):
        part.dx, part.dy, (part.h, part.w) = dx, dy, values.shape
        part.x0, part.y0 = origin
        part.prec = part.bpp = depth
        part.sgnd = signed
    image = library.opj_image_create(len(planes), each, opj.CLRSPC_SRGB if len(planes) > 2 else opj.CLRSPC_GRAY)
    image.contents.x0, image.contents.y0 = origin
    image.contents.x1 = origin[0] + (planes[0].shape[1] - 1) * steps[0][0] + 1
    image.contents.y1 = origin[1] + (planes[0].shape[0] - 1) * steps[0][1] + 1
    for index, values in enumerate(planes):
        plane(image.contents.comps[index], *values.shape)[...] = values
    codec = library.opj_create_compress(opj.CODEC_J2K)
    output = bytearray()
    with writer(library, output) as stream:
        assert library.opj_setup_encoder(codec, ctypes.byref(parameters), image)
        assert library.opj_start_compress(codec, image, stream)
        assert library.opj_encode(codec, stream)
        assert library.opj_end_compress(codec, stream)
    library.opj_destroy_codec(codec)
    library.opj_image_destroy(image)
    return bytes(output)


def openjpeg_components(codestream: bytes) -> list[npt.NDArray[np.int32]]:
    """Each component as OpenJPEG decodes it (int32, H x W)."""
    opj = binding()
    library = opj.OPENJP2
    parameters = opj.DecompressionParametersType()
    library.opj_set_default_decoder_parameters(ctypes.byref(parameters))
    image: Any = ctypes.POINTER(opj.ImageType)()
    codec = library.opj_create_decompress(opj.CODEC_J2K)
    with reader(library, codestream) as stream:
        assert library.opj_setup_decoder(codec, ctypes.byref(parameters))
        assert library.opj_read_header(stream, codec, ctypes.byref(image))
        assert library.opj_decode(codec, stream, image)
        assert library.opj_end_decompress(codec, stream)
    parts = [image.contents.comps[index] for index in range(image.contents.numcomps)]
    planes = [plane(part, part.h, part.w).copy() for part in parts]
    library.opj_destroy_codec(codec)
    library.opj_image_destroy(image)
    return planes
