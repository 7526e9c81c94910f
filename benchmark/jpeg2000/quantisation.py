"""Quantisation as QCD and QCC state it, magnitude bit-planes and step size of every band, and its inverse.

Source: ISO/IEC 15444-1 (T.800) A.6.4, A.6.5 and annex E.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from benchmark.errors import CodestreamError
from benchmark.jpeg2000.markers import Size

Numbers = npt.NDArray[np.int64]

QCD, QCC, RGN = 0xFF5C, 0xFF5D, 0xFF5E
_NAMES = {QCD: "QCD (quantisation)", QCC: "QCC (quantisation of one component)", RGN: "RGN (region of interest)"}
#: How much wider than its component's samples a band's coefficients may be, in bits, by orientation (table E.1).
_GAIN = np.array([0, 1, 1, 2])


#: Tile, marker and contents of a marker segment in a tile-part header.
Change = tuple[int, int, bytes]


class Quantisation(NamedTuple):
    """Guard bits of each tile-component; exponent and mantissa of the step size of each of its bands (int64).

    Tile-components count as in `geometry`; bands from the lowest up: LL, then HL, LH, HH of each resolution.
    """

    guard_bits: Numbers
    exponents: Numbers
    mantissas: Numbers

    def planes(self, tile_component: Numbers, band: Numbers) -> Numbers:
        """Magnitude bit-planes of bands (equation E-2)."""
        planes: Numbers = self.guard_bits[tile_component] + self.exponents[tile_component, band] - 1
        return planes

    def steps(self, tile_component: Numbers, band: Numbers, depth: Numbers) -> npt.NDArray[np.float32]:
        """Step sizes of bands of components of `depth` bits (equation E-3)."""
        gain = _GAIN[np.where(band == 0, 0, (band - 1) % 3 + 1)]
        exponent = depth + gain - self.exponents[tile_component, band]
        steps: npt.NDArray[np.float64] = np.ldexp(1 + self.mantissas[tile_component, band] / 2048, exponent)
        return steps.astype(np.float32)


def quantisation(header_bytes: bytes, size: Size, levels: int, changes: tuple[Change, ...] = ()) -> Quantisation:
    """Every tile-component's quantisation, from a main header (`markers.main_header_bytes`) and tile-part headers.

    A tile's QCC comes before its QCD, that before the main header's QCC, and its QCD comes last (A.6.5). Raises
    CodestreamError where QCD is missing or says too little, and by name on regions of interest.

    >>> from benchmark.jpeg2000 import encode
    >>> from benchmark.jpeg2000.markers import image_size, main_header_bytes
    >>> header = main_header_bytes(encode(np.zeros((8, 8, 3), dtype=np.uint8), levels=1))
    >>> found = quantisation(header, image_size(header), 1)
    >>> found.guard_bits.tolist(), found.exponents[0].tolist()
    ([2, 2, 2], [8, 9, 9, 10])
    """
    main = [(-1, marker, contents) for marker, _, contents in _segments(header_bytes, 2, len(header_bytes))]
    components, (across, down) = len(size.components), size.tiles
    chosen: list[_Kind | None] = [None] * (across * down * components)
    # From the weakest to the strongest: later ones replace earlier ones.
    for source, marker in ((main, QCD), (main, QCC), (changes, QCD), (changes, QCC)):
        for tile, kind, contents in source:
            if kind == RGN:
                raise CodestreamError(f"codestream uses {_NAMES[RGN]}, which is not supported here")
            if kind == marker:
                component, stated = _read(marker, contents, components, levels)
                first = max(tile, 0) * components
                last = len(chosen) if tile < 0 else first + components
                for number in range(first, last):
                    if component in (-1, number % components):
                        chosen[number] = stated
    stated_all = [kind for kind in chosen if kind is not None]
    if len(stated_all) < len(chosen):
        raise CodestreamError("codestream has no QCD marker in its main header")
    return Quantisation(*(np.array(column, dtype=np.int64) for column in zip(*stated_all, strict=True)))


def quantisation_changes(data: bytes, position: int, parts: list[tuple[int, int, int]]) -> tuple[Change, ...]:
    """What tile-part headers say about quantisation, for `quantisation`.

    `position` is the first tile-part's, `parts` what `markers.tile_parts` found.
    """
    changes = []
    for tile, body, end in parts:
        # SOT takes 12 bytes, SOD 2: usually nothing is between them.
        for marker, _, contents in _segments(data, position + 12, body - 2):
            if marker in _NAMES:
                changes.append((tile, marker, contents))
        position = end
    return tuple(changes)


def _segments(data: bytes, position: int, end: int) -> list[tuple[int, int, bytes]]:
    """Marker, position and contents of each marker segment between two positions, whose lengths `markers` checked."""
    found = []
    while position + 4 <= end:
        marker, length = struct.unpack_from(">HH", data, position)
        found.append((marker, position, data[position + 4 : position + 2 + length]))
        position += 2 + max(length, 2)
    return found


_Kind = tuple[int, Numbers, Numbers]


def _read(marker: int, contents: bytes, components: int, levels: int) -> tuple[int, _Kind]:
    """The component that QCC is about, -1 for QCD; guard bits, exponents and mantissas (table A.28)."""
    bands = 3 * levels + 1
    start = 0 if marker == QCD else 1 if components < 257 else 2
    component = int.from_bytes(contents[:start], "big") if start else -1
    try:
        style, guard_bits = contents[start] & 31, contents[start] >> 5
        if style == 0:
            exponents = np.array(struct.unpack_from(f">{bands}B", contents, start + 1)) >> 3
            return component, (guard_bits, exponents, np.zeros_like(exponents))
        if style == 1:
            (derived,) = struct.unpack_from(">H", contents, start + 1)
            # Equation E-5: by how many decompositions fewer than the lowest band's each band came about.
            fewer = np.maximum(np.arange(bands) - 1, 0) // 3
            return component, (guard_bits, np.maximum((derived >> 11) - fewer, 0), np.full(bands, derived & 0x7FF))
        if style == 2:
            words = np.array(struct.unpack_from(f">{bands}H", contents, start + 1))
            return component, (guard_bits, words >> 11, words & 0x7FF)
    except (struct.error, IndexError):
        raise CodestreamError(f"codestream says too little in {_NAMES[marker]} for {levels} levels") from None
    raise CodestreamError(f"codestream uses quantisation style {style}, which is not supported")


# Tier-1 hands over integers with one fractional bit, so that it can put a coefficient between two integers.


@njit(cache=True, nogil=True)
def drop_fraction(coefficients):  # type: ignore[no-untyped-def]  # numba infers them
    """Halves coefficients (int32) in place, rounding towards zero: all there is to do under a reversible transform.

    >>> coefficients = np.int32([-3, -2, 3])
    >>> drop_fraction(coefficients)
    >>> coefficients.tolist()
    [-1, -1, 1]
    """
    for i in range(coefficients.size):
        coefficients[i] = (coefficients[i] - (coefficients[i] >> 31)) >> 1


@njit(cache=True, nogil=True)
def dequantise(coefficients, bands, steps, values):  # type: ignore[no-untyped-def]  # numba infers them
    """Multiplies each band's coefficients (int32) by half its step size, into `values` (float32) at the same places.

    `bands` (N x 4): first coefficient, coefficients from row to row, width, height; `steps` (float32, N).

    >>> values = np.zeros(2, dtype=np.float32)
    >>> dequantise(np.int32([5, -2]), np.int32([[0, 2, 2, 1]]), np.float32([0.5]), values)
    >>> values.tolist()
    [1.25, -0.5]
    """
    for band in range(bands.shape[0]):
        offset, stride, width, height = bands[band]
        half = np.float32(0.5) * steps[band]
        for row in range(height):
            source = coefficients[offset + row * stride : offset + row * stride + width]
            target = values[offset + row * stride : offset + row * stride + width]
            for i in range(width):
                target[i] = np.float32(source[i]) * half
