"""Decoding as an attacker does: with errors concealed, or without the bytes that are known to be encrypted."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from benchmark.compiling import compiling
from benchmark.erasure import erased_range, file_bytes
from benchmark.errors import CodestreamError, unknown
from benchmark.jpeg2000.boxes import has_palette, unwrapped
from benchmark.jpeg2000.codestream import SEGMENT, parse
from benchmark.jpeg2000.components import inverse_ict, inverse_rct, place, round_samples
from benchmark.jpeg2000.geometry import (
    ORIENTATION,
    RESOLUTION,
    TILE_COMPONENT,
    X0,
    X1,
    Y0,
    Y1,
    Areas,
    Geometry,
    geometry,
)
from benchmark.jpeg2000.markers import Component, MainHeader, main_header_bytes, tile_parts
from benchmark.jpeg2000.packet_headers import read_packets
from benchmark.jpeg2000.quantisation import Change, dequantise, drop_fraction, quantisation, quantisation_changes
from benchmark.jpeg2000.standard import decode_standard, shown
from benchmark.jpeg2000.tier1 import BLOCK_REPORT, CONCEALMENT, TOO_MANY_PLANES, decode_blocks
from benchmark.jpeg2000.wavelet import inverse_5_3, inverse_9_7

Ints = npt.NDArray[np.int32]
Sample = npt.NDArray[np.uint8]

MAX_DEPTH = 16
DECODER = "JPEG 2000 decoder"
#: What takes long to compile; of the wavelets one is used, which takes less than tier-2 or tier-1.
_COMPILED = read_packets, decode_blocks


@dataclass(frozen=True)
class Report:
    """What a decoder did, one row per code-block (numbered as in `codestream.segments`) or codeword segment."""

    #: Passes kept and dropped, where an error was detected, status; see `tier1.BLOCK_REPORT`.
    blocks: npt.NDArray[np.void]
    #: Tile-component, resolution, orientation, x0, y0, x1, y1 of each code-block in its band; never write to it.
    places: Areas
    #: Codeword segments in codestream order, see `codestream.SEGMENT`.
    segments: npt.NDArray[np.void]
    #: Bytes of its code-block that had been read after each segment's passes, joined over layers; -1: passes not run.
    #: In a sound stream that is what the segments so far hold; in an encrypted one it is not.
    consumed: Ints

    @property
    def hit(self) -> npt.NDArray[np.bool_]:
        """Which code-blocks lost passes."""
        lost: npt.NDArray[np.bool_] = self.blocks["dropped"] > 0
        return lost


def decode(codestream: bytes, *, conceal: str = "off", erase: tuple[int, int] | None = None) -> Sample:
    """Decode a codestream or JP2 file into an image (uint8, H x W x 3), as a viewer shows it.

    `conceal`: "off", or what becomes of a code-block where segmentation symbols or predictable termination show an
    error: "jj2000" (as JJ2000 5.1 does), "forget-plane" (forgets the bit-plane of the error and all below; closer), or
    "layer-ends" (the same, but it also takes for an error that a layer's passes end elsewhere than its bytes do, which
    needs no symbols, but layers).
    `erase`: first byte and end (exclusive) of what shall not be believed, as offsets into `codestream`; every
    code-block keeps the passes that these bytes cannot have changed.

    With neither it is `decode_standard`, which gives the same picture and supports more. Else raises InvalidInputError
    for a wrong argument, and CodestreamError for a damaged codestream or one that uses, by name, what only OpenJPEG
    supports: COC, POC, PPM, PPT, RGN, depths above 16 bits, palettes.

    >>> from benchmark.jpeg2000 import encode
    >>> sample = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
    >>> data = encode(sample, levels=1, segmentation_symbols=True)
    >>> bool((decode(data, conceal="forget-plane") == sample).all())
    True
    >>> decode(data, erase=(0, len(data)))[0, 0].tolist()
    [128, 128, 128]
    """
    if conceal == "off" and erase is None:
        return decode_standard(file_bytes(codestream))
    return decode_with_report(codestream, conceal=conceal, erase=erase)[0]


def decode_with_report(
    codestream: bytes, *, conceal: str = "off", erase: tuple[int, int] | None = None
) -> tuple[Sample, Report]:
    """As `decode`, always by our own decoder, and with a report of what became of each code-block.

    Without concealment the picture equals OpenJPEG's bit for bit under 5/3, and within 1 under 9/7.
    """
    with compiling(DECODER, _COMPILED):
        plan, coefficients, report = _decoded_blocks(file_bytes(codestream), conceal, erase)
        return shown(_planes(plan, coefficients), plan.header.size.components), report


def decode_components(codestream: bytes, *, conceal: str = "off", erase: tuple[int, int] | None = None) -> list[Ints]:
    """As `decode`, but every component's exact values (int32, its own H x W): any depth to 16 bits, signed or not."""
    with compiling(DECODER, _COMPILED):
        plan, coefficients, _ = _decoded_blocks(file_bytes(codestream), conceal, erase)
        return _planes(plan, coefficients)


@dataclass(frozen=True)
class _Plan:
    """What does not depend on the packets: computed once per main header. Arrays are shared."""

    geometry: Geometry
    #: First coefficient, stride, width, height, orientation and magnitude bit-planes of each code-block.
    blocks: Ints
    #: First coefficient, stride, width and height of each band, and its step size.
    bands: Ints
    steps: npt.NDArray[np.float32]

    @property
    def header(self) -> MainHeader:
        return self.geometry.layout.header


@lru_cache(maxsize=32)
def _plan(header_bytes: bytes, changes: tuple[Change, ...]) -> _Plan:
    found = geometry(header_bytes)
    header = found.layout.header
    components = header.size.components
    _check_support(header)
    kinds = quantisation(header_bytes, header.size, header.levels, changes)
    own = found.resolutions[header.levels :: header.levels + 1]
    widths = own[:, 2] - own[:, 0]
    planes = kinds.planes(found.code_blocks[:, TILE_COMPONENT], _band_numbers(found.code_blocks))
    depths = np.array([part.depth for part in components])[found.bands[:, TILE_COMPONENT] % len(components)]
    steps = kinds.steps(found.bands[:, TILE_COMPONENT], _band_numbers(found.bands), depths)
    orientations = found.code_blocks[:, ORIENTATION]
    return _Plan(
        geometry=found,
        blocks=np.column_stack(
            [_rectangles(found.code_blocks, found.offsets, widths), orientations, planes.clip(0)]
        ).astype(np.int32),
        bands=_rectangles(found.bands, found.band_offsets, widths).astype(np.int32),
        steps=steps,
    )


def _rectangles(areas: Areas, offsets: Ints, widths: Areas) -> Areas:
    """First coefficient, stride, width and height."""
    sizes = areas[:, X1] - areas[:, X0], areas[:, Y1] - areas[:, Y0]
    return np.column_stack([offsets, widths[areas[:, TILE_COMPONENT]], *sizes])


def _band_numbers(areas: Areas) -> Areas:
    """Which band of its tile-component, as `quantisation` counts them."""
    return np.where(areas[:, RESOLUTION] == 0, 0, 3 * (areas[:, RESOLUTION] - 1) + areas[:, ORIENTATION])


def _check_support(header: MainHeader) -> None:
    components = header.size.components
    if max(part.depth for part in components) > MAX_DEPTH:
        raise CodestreamError(f"codestream has components of more than {MAX_DEPTH} bits, which are not supported here")
    if header.wavelet > 1 or header.colour_transform > 1:
        raise CodestreamError("codestream uses transformations of its own (T.801), which are not supported")
    if header.colour_transform and len({(part.dx, part.dy) for part in components[:3]}) + len(components[:3]) != 4:
        raise CodestreamError("codestream transforms colours without three components of one size")


def _decoded_blocks(data: bytes, conceal: str, erase: tuple[int, int] | None) -> tuple[_Plan, Ints, Report]:
    if not isinstance(conceal, str) or conceal not in CONCEALMENT:
        raise unknown("conceal", str(conceal), CONCEALMENT)
    start, stop = (0, 0) if erase is None else erased_range(erase, len(data))
    codestream, before = unwrapped(data)
    if has_palette(data):
        raise CodestreamError("JP2 file with a palette (pclr box), which is not supported here")
    if start < stop:
        start, stop = max(start - before, 0), max(stop - before, 0)  # offsets into the codestream
    else:
        start, stop = -1, -1
    header_bytes = main_header_bytes(codestream)
    parsed = parse(codestream, capacity=4096)
    parts = tile_parts(codestream, len(header_bytes), len(parsed.layout.tile_packets) - 1)
    plan = _plan(header_bytes, quantisation_changes(codestream, len(header_bytes), parts))
    order = np.argsort(parsed.segments[:, 1], kind="stable")
    rows = parsed.segments[order]
    first_row = np.searchsorted(rows[:, 1], np.arange(len(plan.blocks) + 1)).astype(np.int32)
    coefficients = np.zeros(plan.geometry.planes[-1], dtype=np.int32)
    report = np.empty((len(plan.blocks), BLOCK_REPORT.itemsize // 4), dtype=np.int32)
    consumed, sorted_consumed = np.empty((2, len(rows)), dtype=np.int32)
    decode_blocks(
        parsed.data, rows, first_row, plan.blocks, plan.header.style, CONCEALMENT[conceal], start, stop,
        coefficients, report, sorted_consumed,
    )  # fmt: skip
    consumed[order] = sorted_consumed
    blocks = report.view(BLOCK_REPORT).reshape(-1)
    if (report[:, 6] == TOO_MANY_PLANES).any():
        raise CodestreamError("codestream states more magnitude bit-planes than 32-bit coefficients have")
    found = Report(blocks, plan.geometry.code_blocks, parsed.segments.view(SEGMENT).reshape(-1), consumed)
    return plan, coefficients, found


def _planes(plan: _Plan, coefficients: Ints) -> list[Ints]:
    """Each component's values (int32, H x W), from the coefficients of all tile-components; these are overwritten."""
    header, places = plan.header, plan.geometry
    sizes = (places.components[:, 2:] - places.components[:, :2]).clip(0)
    planes = [np.zeros((height, width), dtype=np.int32) for width, height in sizes]
    if any(plane.size == 0 for plane in planes):
        raise CodestreamError("codestream states a component without samples")
    reversible = header.wavelet == 1
    if reversible:
        values = coefficients
        drop_fraction(coefficients)
    else:
        values = np.zeros(coefficients.size, dtype=np.float32)
        dequantise(coefficients, plan.bands, plan.steps, values)
    count, rows = len(planes), header.levels + 1
    spare = np.empty(int(np.diff(places.planes).max()), dtype=values.dtype)
    inverse = inverse_5_3 if reversible else inverse_9_7
    for first in range(0, len(places.planes) - 1, count):
        tile = [values[places.planes[first + i] : places.planes[first + i + 1]] for i in range(count)]
        for index, samples in enumerate(tile):
            areas = places.resolutions[(first + index) * rows : (first + index + 1) * rows]
            inverse(samples, spare, areas[-1, 2] - areas[-1, 0], areas)
        if header.colour_transform:
            (inverse_rct if reversible else inverse_ict)(*tile[:3])
        for index, samples in enumerate(tile):
            if not reversible:
                rounded = coefficients[places.planes[first + index] : places.planes[first + index + 1]]
                round_samples(samples, rounded)
                samples = rounded
            _place(samples, places.resolutions[(first + index + 1) * rows - 1], places.components[index],
                   header.size.components[index], planes[index])  # fmt: skip
    return planes


def _place(samples: Ints, area: Areas, whole: Areas, component: Component, plane: Ints) -> None:
    if samples.size:
        half = 1 << (component.depth - 1)
        low, high, shift = (-half, half - 1, 0) if component.signed else (0, 2 * half - 1, half)
        place(samples, area[2] - area[0], shift, low, high, plane, area[1] - whole[1], area[0] - whole[0])
