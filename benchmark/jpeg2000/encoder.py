"""Encoding with OpenJPEG in memory: lossless (5/3, reversible colour transform) unless asked otherwise."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmark.errors import InvalidInputError, unknown
from benchmark.jpeg2000.library import binding
from benchmark.jpeg2000.streams import Complaints, writer

#: Progression orders by their standard names (T.800 table A.16), and the two that the literature calls by a word.
PROGRESSIONS = {"LRCP": 0, "RLCP": 1, "RPCL": 2, "PCRL": 3, "CPRL": 4, "layer": 0, "resolution": 1}
#: Code-block styles (T.800 table A.19).
BYPASS, RESET, TERMALL, VSC, PTERM, SEGSYM = 1, 2, 4, 8, 16, 32
MAX_LAYERS = 100  # OpenJPEG's table of rates


def layer_ratios(layers: int | str | Sequence[float], components: int = 3) -> list[float]:
    """Compression ratio of each layer, the last one 0, which means everything.

    `layers` is a number n of layers (n - 1 ratios in geometric steps from 200 to 2, then everything), `"jj2000"` (the
    32 layers of JJ2000's default `-Alayers 0.015 +20 2.0 +10`: from 0.015 bits per pixel in 21 geometric steps to 2,
    then ten of 2.0 to 10.1, then everything), or the ratios themselves, falling.

    >>> [round(ratio) for ratio in layer_ratios(5)], len(layer_ratios("jj2000"))
    ([200, 43, 9, 2, 0], 32)
    """
    if isinstance(layers, str) and layers.isdecimal():
        layers = int(layers)
    if layers == "jj2000":
        low = [0.015 * (2 / 0.015) ** (step / 21) for step in range(21)]
        high = [2.0 + 0.9 * step for step in range(10)]
        return [8 * components / bits for bits in low + high] + [0.0]
    if isinstance(layers, str):
        raise unknown("layers", layers, ["jj2000", "a number"])
    if isinstance(layers, int):
        if not 1 <= layers <= MAX_LAYERS:
            raise InvalidInputError(f"layers is 1 to {MAX_LAYERS}, not {layers}")
        return [*np.geomspace(200, 2, layers - 1).tolist(), 0.0] if layers > 1 else [0.0]
    ratios = [float(ratio) for ratio in layers]
    falling = all(a > b >= 1 for a, b in zip(ratios, [*ratios[1:-1], 1.0], strict=False) if b) or len(ratios) == 1
    if not 1 <= len(ratios) <= MAX_LAYERS or not falling or not (ratios[-1] == 0 or ratios[-1] >= 1):
        raise InvalidInputError(f"layers as ratios fall, each above 1 and the last one 0 for everything, not {ratios}")
    return ratios


def encode(
    sample: npt.NDArray[np.uint8],
    *,
    progression: str = "LRCP",
    layers: int | str | Sequence[float] = 1,
    code_block: int | tuple[int, int] = 64,
    levels: int = 5,
    segmentation_symbols: bool = False,
    sop: bool = False,
    eph: bool = False,
    style: int = 0,
    reversible: bool = True,
    precincts: Sequence[tuple[int, int]] = (),
    tile: tuple[int, int] | None = None,
    plt: bool = False,
) -> bytes:
    """Encode an image (uint8, H x W x 3, RGB) as a JPEG 2000 codestream.

    `progression`: LRCP (or `layer`), RLCP (or `resolution`), RPCL, PCRL, CPRL. `layers`: see `layer_ratios`.
    `code_block`: side, or width and height; powers of two, 4..1024, area at most 4096. `levels`: wavelet
    decompositions, 0..32. `style`: further code-block styles (BYPASS, RESET, TERMALL, VSC, PTERM) added up.
    `reversible`: 5/3 wavelet, lossless where the last layer holds everything; else 9/7. `precincts`: width and height,
    from the highest resolution down, the last one repeated by halves. `plt`: packet lengths in tile-part headers.

    Thread-safe; the GIL is released while OpenJPEG works. Raises InvalidInputError on a wrong argument. Source:
    ISO/IEC 15444-1 (T.800).

    >>> sample = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
    >>> encode(sample, levels=1)[:2].hex()
    'ff4f'
    """
    _check_sample(sample)
    opj = binding()
    library = opj.OPENJP2
    parameters = opj.CompressionParametersType()
    library.opj_set_default_encoder_parameters(ctypes.byref(parameters))
    _set_layers(parameters, layer_ratios(layers, sample.shape[2]))
    _set_coder(parameters, progression, code_block, levels)
    parameters.csty |= 2 * sop | 4 * eph
    parameters.mode = style | SEGSYM * segmentation_symbols
    parameters.irreversible = not reversible
    parameters.tcp_mct = 1
    _set_partition(parameters, precincts, tile)

    output = bytearray()
    image = _image(opj, sample)
    codec = library.opj_create_compress(opj.CODEC_J2K)
    try:
        complaints = Complaints(library, codec)
        with writer(library, output) as stream:
            done = library.opj_setup_encoder(codec, ctypes.byref(parameters), image)
            if done and plt:
                options = (ctypes.c_char_p * 2)(b"PLT=YES", None)
                done = library.opj_encoder_set_extra_options(codec, options)
            done = (
                done
                and library.opj_start_compress(codec, image, stream)
                and library.opj_encode(codec, stream)
                and library.opj_end_compress(codec, stream)
            )
            complaints.check(done, f"encode an image of {sample.shape[1]} x {sample.shape[0]}", InvalidInputError)
    finally:
        library.opj_destroy_codec(codec)
        library.opj_image_destroy(image)
    return bytes(output)


def _check_sample(sample: npt.NDArray[np.uint8]) -> None:
    if sample.dtype != np.uint8 or sample.ndim != 3 or sample.shape[2] != 3 or sample.size == 0:
        raise InvalidInputError(
            f"an image is uint8, H x W x 3, not {sample.dtype}, {' x '.join(map(str, sample.shape))}"
        )


def _set_layers(parameters: Any, ratios: list[float]) -> None:
    parameters.cp_disto_alloc = 1
    parameters.tcp_numlayers = len(ratios)
    parameters.tcp_rates[: len(ratios)] = ratios


def _set_coder(parameters: Any, progression: str, code_block: int | tuple[int, int], levels: int) -> None:
    if progression not in PROGRESSIONS:
        raise unknown("progression", progression, PROGRESSIONS)
    width, height = (code_block, code_block) if isinstance(code_block, int) else code_block
    if any(side not in (4, 8, 16, 32, 64, 128, 256, 512, 1024) for side in (width, height)) or width * height > 4096:
        raise InvalidInputError(
            f"a code-block's sides are powers of two, 4..1024, of at most 4096 samples: not {code_block}"
        )
    if not 0 <= levels <= 32:
        raise InvalidInputError(f"levels is 0 to 32, not {levels}")
    parameters.prog_order = PROGRESSIONS[progression]
    parameters.cblockw_init, parameters.cblockh_init = width, height
    parameters.numresolution = levels + 1


def _set_partition(parameters: Any, precincts: Sequence[tuple[int, int]], tile: tuple[int, int] | None) -> None:
    if precincts:
        parameters.csty |= 1
        parameters.res_spec = len(precincts)
        for index, (width, height) in enumerate(precincts):
            parameters.prcw_init[index], parameters.prch_init[index] = width, height
    if tile is not None:
        parameters.tile_size_on = 1
        parameters.cp_tdx, parameters.cp_tdy = tile


def _image(opj: Any, sample: npt.NDArray[np.uint8]) -> Any:
    height, width, components = sample.shape
    each = (opj.ImageComptParmType * components)()
    for component in each:
        component.dx = component.dy = 1
        component.w, component.h = width, height
        component.prec = component.bpp = 8
    image = opj.OPENJP2.opj_image_create(components, each, opj.CLRSPC_SRGB)
    if not image:
        raise MemoryError(f"OpenJPEG could not create an image of {width} x {height}")
    image.contents.x1, image.contents.y1 = width, height
    for index in range(components):
        plane(image.contents.comps[index], height, width)[...] = sample[:, :, index]
    return image


def plane(component: Any, height: int, width: int) -> npt.NDArray[np.int32]:
    """The samples of an OpenJPEG component as an array (int32, H x W) over its own memory."""
    address = ctypes.cast(component.data, ctypes.c_void_p).value
    buffer = (ctypes.c_int32 * (height * width)).from_address(address)  # type: ignore[arg-type]  # checked by OpenJPEG
    return np.ctypeslib.as_array(buffer).reshape(height, width)
