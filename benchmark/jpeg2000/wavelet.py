"""Inverse wavelet transforms, 5/3 reversible and 9/7 irreversible, in compiled loops.

A plane holds a tile-component's coefficients as `geometry` lays them out, in rows of `stride`: low-pass coefficients
before high-pass ones in both directions, for each resolution within the low-pass corner of the next. Rows and columns
share their lifting steps: a target takes its two neighbours of the other kind, and beyond an end the neighbour is the
last one there is, which is what symmetric extension comes to. Source: ISO/IEC 15444-1 (T.800) annex F.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numba.core.types import Float
from numba.extending import overload

#: Lifting steps of the inverse 9/7, from delta to alpha with the signs of F.3.8.2, and its scale K (table F.4).
_STEPS_9_7 = (
    np.float32(-0.443506852043971),
    np.float32(-0.882911075530934),
    np.float32(0.052980118572961),
    np.float32(1.586134342059924),
)
#: The second one is 1 / K; as a fixed-point number in OpenJPEG, which shows in 16-bit samples, and ours shall equal it.
_SCALES_9_7 = (np.float32(1.230174104914001), np.float32(13318 / 16384))
#: In 5/3 a step is a rule, not a weight: 0 updates low-pass coefficients, 1 high-pass ones.
_STEPS_5_3, _SCALES_5_3 = (0, 1), (1, 1)


@njit(cache=True, nogil=True)
def inverse_5_3(plane, spare, stride, resolutions):  # type: ignore[no-untyped-def]  # numba infers them
    """Turns a plane of coefficients (int32, flat) into samples, in place.

    `spare` (int32) is at least as large; `resolutions` (N x 4) are x0, y0, x1, y1 of the resolutions, from the lowest
    up: whether a row or column begins with a low-pass sample depends on where. Values that leave 32 bits wrap around.

    >>> plane, spare = np.array([10, 12, 1, -1], dtype=np.int32), np.empty(4, dtype=np.int32)
    >>> inverse_5_3(plane, spare, 4, np.array([[0, 0, 2, 1], [0, 0, 4, 1]]))
    >>> plane.tolist()
    [9, 11, 12, 11]
    """
    _inverse(plane, spare, stride, resolutions, _STEPS_5_3, _SCALES_5_3)


@njit(cache=True, nogil=True)
def inverse_9_7(plane, spare, stride, resolutions):  # type: ignore[no-untyped-def]  # numba infers them
    """The same with 9/7, for float32.

    >>> plane, spare = np.float32([10, 10, 0, 0]), np.empty(4, dtype=np.float32)
    >>> inverse_9_7(plane, spare, 4, np.array([[0, 0, 2, 1], [0, 0, 4, 1]]))
    >>> plane.round(3).tolist()
    [10.0, 10.0, 10.0, 10.0]
    """
    _inverse(plane, spare, stride, resolutions, _STEPS_9_7, _SCALES_9_7)


# What follows is compiled into the two above, so it is not cached by itself.


def _lift(target: Any, before: Any, after: Any, step: Any) -> None:
    """One lifting step: adds to each target what its two neighbours say; which rule, the kind of numbers decides."""
    raise NotImplementedError("exists in compiled code only")


@overload(_lift)
def _lift_for(target, before, after, step):  # type: ignore[no-untyped-def]
    def lift_5_3(target, before, after, step):  # type: ignore[no-untyped-def]
        # Equations F-5 and F-6, kept in 32 bits, so that more of them fit into a vector.
        if step == 0:
            for i in range(target.size):
                target[i] -= np.int32(np.int32(before[i] + after[i]) + 2) >> 2
        else:
            for i in range(target.size):
                target[i] += np.int32(before[i] + after[i]) >> 1

    def lift_9_7(target, before, after, step):  # type: ignore[no-untyped-def]
        for i in range(target.size):
            target[i] += step * (before[i] + after[i])

    return lift_9_7 if isinstance(target.dtype, Float) else lift_5_3


@njit(nogil=True)
def _inverse(plane, spare, stride, resolutions, steps, scales):  # type: ignore[no-untyped-def]
    """Rows, then columns, of each resolution (2D_SR, F.3.2); 5/3 rounds, so their order matters."""
    for level in range(1, resolutions.shape[0]):
        x0, y0, x1, y1 = resolutions[level]
        below = resolutions[level - 1]
        width, height = x1 - x0, y1 - y0
        if width > 0 and height > 0:
            for row in range(height):
                line = plane[row * stride : row * stride + width]
                _row(line, below[2] - below[0], x0 & 1, steps, scales)
                _interleave(line, spare[row * stride : row * stride + width], below[2] - below[0], x0 & 1)
            _columns(plane, spare, stride, width, height, below[3] - below[1], y0 & 1, steps, scales)


@njit(nogil=True)
def _row(line, low_size, odd, steps, scales):  # type: ignore[no-untyped-def]
    """Lifts a row whose low-pass part is `low_size` long; `odd` where its first sample is a high-pass one."""
    if line.size == 1:
        if odd:
            # A lone high-pass sample stands for half of itself (F.3.6); 5/3 rounds it towards zero, as OpenJPEG does.
            line[0] = line[0] / 2
        return
    low, high = line[:low_size], line[low_size:]
    if scales[0] != 1:
        low *= scales[0]
        high *= scales[1]
    for number in range(len(steps)):
        target, other, shift = (high, low, 1 - odd) if number % 2 else (low, high, odd)
        # Targets from `first` to `end` have two neighbours; at most one on each side has but one, counted twice.
        first, end = min(1 - shift, target.size), min(target.size, other.size - shift)
        if first:
            _lift(target[:1], other[:1], other[:1], steps[number])
        if first < end:
            _lift(target[first:end], other[: end - first], other[1 : end - first + 1], steps[number])
        if max(first, end) < target.size:
            _lift(target[-1:], other[-1:], other[-1:], steps[number])


@njit(nogil=True)
def _interleave(line, out, low_size, odd):  # type: ignore[no-untyped-def]
    for i in range(low_size):
        out[2 * i + odd] = line[i]
    for i in range(line.size - low_size):
        out[2 * i + 1 - odd] = line[low_size + i]


@njit(nogil=True)
def _columns(plane, spare, stride, width, height, low_size, odd, steps, scales):  # type: ignore[no-untyped-def]
    """Lifts all columns of `spare` at once, row by row, and leaves them interleaved in `plane`."""
    if height == 1:
        for i in range(width):
            plane[i] = spare[i] / 2 if odd else spare[i]
        return
    if scales[0] != 1:
        for row in range(height):
            spare[row * stride : row * stride + width] *= scales[0 if row < low_size else 1]
    for number in range(len(steps)):
        low = number % 2 == 0
        targets, first_target = (low_size, 0) if low else (height - low_size, low_size)
        others, first_other = (height - low_size, low_size) if low else (low_size, 0)
        shift = odd if low else 1 - odd
        for row in range(targets):
            target = (first_target + row) * stride
            before = (first_other + min(max(row + shift - 1, 0), others - 1)) * stride
            after = (first_other + min(row + shift, others - 1)) * stride
            _lift(
                spare[target : target + width],
                spare[before : before + width],
                spare[after : after + width],
                steps[number],
            )
    for row in range(height):
        source = row * stride
        place = (2 * row + odd if row < low_size else 2 * (row - low_size) + 1 - odd) * stride
        plane[place : place + width] = spare[source : source + width]
