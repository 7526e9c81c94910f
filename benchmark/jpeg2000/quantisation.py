"""Quantisation as QCD and QCC state it: magnitude bit-planes and step size of every band.

Source: ISO/IEC 15444-1 (T.800) A.6.4, A.6.5 and annex E.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from benchmark.errors import CodestreamError
from benchmark.jpeg2000.markers import Size

QCD, QCC, RGN = 0xFF5C, 0xFF5D, 0xFF5E
_NAMES = {QCD: "QCD (quantisation)", QCC: "QCC (quantisation of one component)", RGN: "RGN (region of interest)"}
#: How much wider than its component's samples a band's coefficients may be, in bits, by orientation (table E.1).
_GAIN = np.array([0, 1, 1, 2])


class Quantisation(NamedTuple):
    """One component's quantisation: guard bits, and exponent and mantissa of each band's step size.

    Bands count from the lowest up: LL, then HL, LH, HH of each resolution.
    """

    guard_bits: int
    exponents: npt.NDArray[np.int64]
    mantissas: npt.NDArray[np.int64]

    def planes(self, band: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Magnitude bit-planes of bands (equation E-2)."""
        return self.guard_bits + self.exponents[band] - 1

    def steps(self, band: npt.NDArray[np.int64], depth: int) -> npt.NDArray[np.float64]:
        """Step sizes of bands of a component of `depth` bits (equation E-3)."""
        gain = _GAIN[np.where(band == 0, 0, (band - 1) % 3 + 1)]
        return np.ldexp(1 + self.mantissas[band] / 2048, depth + gain - self.exponents[band])


def quantisation(header_bytes: bytes, size: Size, levels: int) -> list[Quantisation]:
    """Each component's quantisation, from a main header (`markers.main_header_bytes`).

    Raises CodestreamError where QCD is missing or says too little, and by name on regions of interest.

    >>> from benchmark.jpeg2000 import encode
    >>> from benchmark.jpeg2000.markers import image_size, main_header_bytes
    >>> header = main_header_bytes(encode(np.zeros((8, 8, 3), dtype=np.uint8), levels=1))
    >>> red = quantisation(header, image_size(header), 1)[0]
    >>> red.guard_bits, red.exponents.tolist(), red.planes(np.arange(4)).tolist()
    (2, [8, 9, 9, 10], [9, 10, 10, 11])
    """
    default: Quantisation | None = None
    own: dict[int, Quantisation] = {}
    count = len(size.components)
    for marker, position, segment in _segments(header_bytes, 2, len(header_bytes)):
        if marker == RGN:
            raise CodestreamError(f"codestream at byte {position}: {_NAMES[RGN]} is not supported here")
        try:
            if marker == QCD:
                default = _parse(segment, levels)
            elif marker == QCC:
                wide = count > 256
                component = int.from_bytes(segment[: 1 + wide], "big")
                own[component] = _parse(segment[1 + wide :], levels)
        except (struct.error, IndexError):
            message = f"codestream at byte {position}: {_NAMES[marker]} says too little for {levels} levels"
            raise CodestreamError(message) from None
    if default is None:
        raise CodestreamError("codestream has no QCD marker in its main header")
    return [own.get(component, default) for component in range(count)]


def check_tile_part_headers(data: bytes, position: int, parts: list[tuple[int, int, int]]) -> None:
    """Raises CodestreamError, by name, where a tile-part's own header changes the quantisation.

    `position` is the first tile-part's, `parts` what `markers.tile_parts` found.
    """
    for _, body, end in parts:
        for marker, place, _ in _segments(data, position + 12, body - 2):
            if marker in _NAMES:
                message = f"codestream at byte {place}: {_NAMES[marker]} in a tile-part header is not supported here"
                raise CodestreamError(message)
        position = end


def _segments(data: bytes, position: int, end: int) -> list[tuple[int, int, bytes]]:
    """Marker, position and contents of each marker segment between two positions, whose lengths `markers` checked."""
    found = []
    while position + 4 <= end:
        marker, length = struct.unpack_from(">HH", data, position)
        found.append((marker, position, data[position + 4 : position + 2 + length]))
        position += 2 + max(length, 2)
    return found


def _parse(segment: bytes, levels: int) -> Quantisation:
    """What follows Lqcd, or the component in QCC (table A.28)."""
    style, guard_bits = segment[0] & 31, segment[0] >> 5
    bands = 3 * levels + 1
    if style == 0:
        exponents = np.array(struct.unpack_from(f">{bands}B", segment, 1), dtype=np.int64) >> 3
        return Quantisation(guard_bits, exponents, np.zeros(bands, dtype=np.int64))
    if style == 1:
        (derived,) = struct.unpack_from(">H", segment, 1)
        # Equation E-5, with the number of decompositions that led to each band.
        fewer = np.maximum(np.arange(bands) - 1, 0) // 3
        exponents = np.maximum((derived >> 11) - fewer, 0)
        return Quantisation(guard_bits, exponents, np.full(bands, derived & 0x7FF, dtype=np.int64))
    if style == 2:
        words = np.array(struct.unpack_from(f">{bands}H", segment, 1), dtype=np.int64)
        return Quantisation(guard_bits, words >> 11, words & 0x7FF)
    raise CodestreamError(f"codestream uses quantisation style {style}, which is not supported")
