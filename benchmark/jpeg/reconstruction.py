"""From coefficients to pixels, as libjpeg does it bit for bit: inverse DCT, chroma upsampling, colour conversion.

The transform is libjpeg's accurate integer one (Loeffler, Ligtenberg & Moschytz, *Practical fast 1-D DCT algorithms
with 11 multiplications*, ICASSP 1989), in fixed point with 13 fractional bits. Upsampling is its triangle filter: each
sample of the finer grid is 3/4 of the nearer and 1/4 of the farther one.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

from benchmark.errors import CodestreamError

Plane = npt.NDArray[np.uint8]


@njit(cache=True, nogil=True, inline="always")
def _inverse_dct(s0, s1, s2, s3, s4, s5, s6, s7, shift):  # type: ignore[no-untyped-def]  # numba infers them
    """Eight samples of eight coefficients, times 2**13, rounded after a shift."""
    half = 1 << (shift - 1)
    turned = (s2 + s6) * 4433
    even2, even3 = turned - s6 * 15137, turned + s2 * 6270
    even0, even1 = (s0 + s4) << 13, (s0 - s4) << 13
    a0, a3, a1, a2 = even0 + even3 + half, even0 - even3 + half, even1 + even2 + half, even1 - even2 + half
    z1, z2, z3, z4 = (s7 + s1) * -7373, (s5 + s3) * -20995, s7 + s3, s5 + s1
    z5 = (z3 + z4) * 9633
    z3, z4 = z3 * -16069 + z5, z4 * -3196 + z5
    b0, b1, b2, b3 = s7 * 2446 + z1 + z3, s5 * 16819 + z2 + z4, s3 * 25172 + z2 + z3, s1 * 12299 + z1 + z4
    return (
        (a0 + b3) >> shift, (a1 + b2) >> shift, (a2 + b1) >> shift, (a3 + b0) >> shift,
        (a3 - b0) >> shift, (a2 - b1) >> shift, (a1 - b2) >> shift, (a0 - b3) >> shift,
    )  # fmt: skip


@njit(cache=True, nogil=True)
def samples_of_blocks(coefficients, across, plane):  # type: ignore[no-untyped-def]  # numba infers them
    """Fills `plane` (uint8) from dequantised blocks (int32, blocks x 64), of which `across` stand side by side."""
    work = np.empty(64, np.int64)
    for block in range(coefficients.shape[0]):
        top, left = 8 * (block // across), 8 * (block % across)
        values = coefficients[block]
        for x in range(8):
            columns = _inverse_dct(
                np.int64(values[x]), np.int64(values[8 + x]), np.int64(values[16 + x]), np.int64(values[24 + x]),
                np.int64(values[32 + x]), np.int64(values[40 + x]), np.int64(values[48 + x]), np.int64(values[56 + x]),
                11,
            )  # fmt: skip
            for y in range(8):
                work[8 * y + x] = columns[y]
        for y in range(0, 64, 8):
            rows = _inverse_dct(
                work[y], work[y + 1], work[y + 2], work[y + 3], work[y + 4], work[y + 5], work[y + 6], work[y + 7], 18
            )
            for x in range(8):
                plane[top + y // 8, left + x] = min(max(rows[x] + 128, 0), 255)


def upsampled(plane: Plane, across: int, down: int) -> Plane:
    """A component (uint8, h x w) on a grid `across` times as wide and `down` times as high.

    Smoothly for twice as many columns, rows or both; other factors, and columns of components at most two wide, are
    repeated, as libjpeg does.
    """
    smooth = plane.shape[1] > 2 or across == 1
    if smooth and (across, down) == (2, 2):
        rows = _between(plane.astype(np.int32), 0, 0, 0)
        return (_between(rows.T, 8, 7, 4).T).astype(np.uint8)
    if smooth and (across, down) == (2, 1):
        return _between(plane.T.astype(np.int32), 1, 2, 2).T.astype(np.uint8)
    if (across, down) == (1, 2):
        return _between(plane.astype(np.int32), 1, 2, 2).astype(np.uint8)
    return plane.repeat(down, axis=0).repeat(across, axis=1)


def _between(lines: npt.NDArray[np.int32], first: int, second: int, shift: int) -> npt.NDArray[np.int32]:
    """Twice as many lines, each 3 of the nearer and 1 of the farther one, and a rounding term, shifted."""
    before, after = np.concatenate([lines[:1], lines[:-1]]), np.concatenate([lines[1:], lines[-1:]])
    out = np.empty((2 * len(lines), lines.shape[1]), dtype=np.int32)
    out[0::2] = (3 * lines + before + first) >> shift
    out[1::2] = (3 * lines + after + second) >> shift
    return out


@njit(cache=True, nogil=True)
def _to_rgb(luma, blue, red, out):  # type: ignore[no-untyped-def]  # numba infers them
    """JFIF's YCbCr to RGB, in fixed point with 16 fractional bits."""
    for y in range(out.shape[0]):
        for x in range(out.shape[1]):
            value, cb, cr = np.int64(luma[y, x]), np.int64(blue[y, x]) - 128, np.int64(red[y, x]) - 128
            out[y, x, 0] = min(max(value + ((91881 * cr + 32768) >> 16), 0), 255)
            out[y, x, 1] = min(max(value + ((-22554 * cb - 46802 * cr + 32768) >> 16), 0), 255)
            out[y, x, 2] = min(max(value + ((116130 * cb + 32768) >> 16), 0), 255)


def to_picture(planes: list[Plane], *, transformed: bool) -> Plane:
    """One grey plane, or three of equal size, as a picture (uint8, H x W x 3); `transformed`: they are YCbCr."""
    if len(planes) == 1:
        return np.repeat(planes[0][:, :, None], 3, axis=2)
    if not transformed:
        return np.stack(planes, axis=2)
    luma, blue, red = planes
    out = np.empty((*luma.shape, 3), dtype=np.uint8)
    _to_rgb(luma, blue, red, out)
    return out


def factors(largest: tuple[int, int], own: tuple[int, int]) -> tuple[int, int]:
    """How many times finer the picture's grid is than a component's, across and down.

    Raises CodestreamError where it is not a whole number of times.
    """
    if largest[0] % own[0] or largest[1] % own[1]:
        raise CodestreamError(f"not supported in JPEG files: sampling factors {own} beside {largest}")
    return largest[0] // own[0], largest[1] // own[1]
