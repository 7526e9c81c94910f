"""Pictures in integers: warp, enlarge and blur, the same on every machine. Arrays end in height and width."""

from __future__ import annotations

from typing import TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

Integers: TypeAlias = npt.NDArray[np.int32]
_Integer = TypeVar("_Integer", np.int32, np.int64)

#: Fixed-point bits of positions: displacements are in 1/256 pixel.
POSITION_BITS = 8


def warp(fields: Integers, flow: Integers) -> Integers:
    """Fields (N x C x S x S) seen through a displacement (N x 2 x S x S; x, y in 1/256 pixel), bilinear.

    Beyond the border the picture is mirrored.
    """
    count, channels, side, _ = fields.shape
    top = (side - 1) << POSITION_BITS
    grid = np.arange(side, dtype=np.int32) << POSITION_BITS
    x, y = (top - np.abs(top - np.abs(at)) for at in (flow[:, 0] + grid, flow[:, 1] + grid[:, None]))
    x, y = np.clip(x, 0, top - 1), np.clip(y, 0, top - 1)
    column, row = x >> POSITION_BITS, y >> POSITION_BITS
    right, below = x & 255, y & 255
    corner = (row * side + column).reshape(count, 1, -1)
    flat = fields.reshape(count, channels, -1)
    at = [np.take_along_axis(flat, corner + step, axis=2).reshape(fields.shape) for step in (0, 1, side, side + 1)]
    right, below = right[:, None], below[:, None]
    upper = (at[0] << POSITION_BITS) + (at[1] - at[0]) * right
    lower = (at[2] << POSITION_BITS) + (at[3] - at[2]) * right
    between: Integers = shift(shift(lower - upper, POSITION_BITS) * below, POSITION_BITS)
    return shift(upper, POSITION_BITS) + between


def enlarge(fields: Integers) -> Integers:
    """Twice the size in the last two axes, bilinear (weights 3/4 and 1/4), pixel centres aligned, edges held."""
    for axis in (-2, -1):
        padded = _pad(fields, 1, axis)
        size = fields.shape[axis]
        before, here, after = (_slice(padded, start, size, axis) for start in (0, 1, 2))
        pair = np.stack([shift(3 * here + before, 2), shift(3 * here + after, 2)], axis=axis)
        shape = list(fields.shape)
        shape[axis] *= 2
        fields = pair.reshape(shape)
    return fields


def blur(fields: Integers, spacing: int) -> Integers:
    """The B3 spline (1, 4, 6, 4, 1) / 16 along the last two axes, its taps `spacing` pixels apart, edges held."""
    for axis in (-2, -1):
        size = fields.shape[axis]
        padded = _pad(fields, 2 * spacing, axis)
        a, b, c, d, e = (_slice(padded, spacing * tap, size, axis) for tap in range(5))
        fields = shift(a + e + 4 * (b + d) + 6 * c, 4)
    return fields


def shift(values: npt.NDArray[_Integer], bits: int) -> npt.NDArray[_Integer]:
    """Divide by 2^bits, rounded to nearest."""
    return np.right_shift(values + (1 << (bits - 1)), bits, dtype=values.dtype)


def _pad(fields: Integers, by: int, axis: int) -> Integers:
    widths = [(0, 0)] * fields.ndim
    widths[axis] = (by, by)
    return np.pad(fields, widths, mode="edge")


def _slice(fields: Integers, start: int, size: int, axis: int) -> Integers:
    return fields[..., start : start + size, :] if axis == -2 else fields[..., start : start + size]
