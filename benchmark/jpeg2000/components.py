"""From wavelet samples to component values: inverse colour transforms, DC level shift, clamping; compiled loops.

Source: ISO/IEC 15444-1 (T.800) annex G.
"""

from __future__ import annotations

import numpy as np
from numba import njit

# Equation G-12.
_RED, _GREEN_RED, _GREEN_BLUE, _BLUE = np.float32(1.402), np.float32(0.71414), np.float32(0.34413), np.float32(1.772)


@njit(cache=True, nogil=True)
def inverse_rct(first, second, third):  # type: ignore[no-untyped-def]  # numba infers them
    """The reversible transform, in place: Y, U, V (int32, same sizes) to R, G, B (G.2.2).

    >>> y, u, v = np.int32([100]), np.int32([-4]), np.int32([8])
    >>> inverse_rct(y, u, v)
    >>> y.tolist(), u.tolist(), v.tolist()
    ([107], [99], [95])
    """
    for i in range(first.size):
        blue, red = second[i], third[i]
        green = np.int32(first[i] - (np.int32(blue + red) >> 2))
        first[i] = np.int32(red + green)
        second[i] = green
        third[i] = np.int32(blue + green)


@njit(cache=True, nogil=True)
def inverse_ict(first, second, third):  # type: ignore[no-untyped-def]  # numba infers them
    """The irreversible transform, in place: Y, Cb, Cr (float32, same sizes) to R, G, B (G.3.2).

    >>> y, cb, cr = np.float32([100]), np.float32([0]), np.float32([10])
    >>> inverse_ict(y, cb, cr)
    >>> [round(float(value[0]), 2) for value in (y, cb, cr)]
    [114.02, 92.86, 100.0]
    """
    for i in range(first.size):
        luma, blue, red = first[i], second[i], third[i]
        first[i] = luma + red * _RED
        second[i] = luma - blue * _GREEN_BLUE - red * _GREEN_RED
        third[i] = luma + blue * _BLUE


@njit(cache=True, nogil=True)
def round_samples(samples, rounded):  # type: ignore[no-untyped-def]  # numba infers them
    """Writes samples (float32, flat) as integers (int32) into `rounded`: the nearest, halves to even, within +-2**30.

    >>> rounded = np.empty(3, dtype=np.int32)
    >>> round_samples(np.float32([0.5, -1.5, 1e30]), rounded)
    >>> rounded.tolist()
    [0, -2, 1073741824]
    """
    for i in range(samples.size):
        rounded[i] = np.int32(min(max(np.rint(samples[i]), np.float32(-(1 << 30))), np.float32(1 << 30)))


@njit(cache=True, nogil=True)
def place(samples, width, shift, low, high, plane, row, column):  # type: ignore[no-untyped-def]  # numba infers them
    """Writes a tile-component (int32, flat, `width` a row) into its component's plane (int32, H x W) at row, column.

    Its samples are shifted by `shift` (the DC level shift, G.1) and clamped to low..high.

    >>> plane = np.zeros((1, 3), dtype=np.int32)
    >>> place(np.int32([-200, 2]), 2, 128, 0, 255, plane, 0, 1)
    >>> plane.tolist()
    [[0, 0, 130]]
    """
    for y in range(samples.size // width):
        source = samples[y * width : (y + 1) * width]
        target = plane[row + y, column : column + width]
        for x in range(width):
            target[x] = min(max(source[x] + shift, low), high)
