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


def _lift(values: Any, target: Any, before: Any, after: Any, count: Any, step: Any) -> None:
    """One lifting step on `count` places from `target` on, whose neighbours lie from `before` and from `after` on.

    Which wavelet's rule it is, the kind of numbers decides.
    """
    raise NotImplementedError("exists in compiled code only")


@overload(_lift)
def _lift_for(values, target, before, after, count, step):  # type: ignore[no-untyped-def]  # numba infers them
    # Indices are unsigned, since numba counts negative ones from the end, and no arrays are sliced, since it counts
    # references to them: either takes longer than the arithmetic.
    def lift_5_3(values, target, before, after, count, step):  # type: ignore[no-untyped-def]
        # Equations F-5 and F-6, kept in 32 bits, so that more of them fit into a vector.
        if step == 0:
            for i in range(count):
                around = np.int32(values[np.uintp(before + i)] + values[np.uintp(after + i)])
                values[np.uintp(target + i)] -= np.int32(around + 2) >> 2
        else:
            for i in range(count):
                around = np.int32(values[np.uintp(before + i)] + values[np.uintp(after + i)])
                values[np.uintp(target + i)] += around >> 1

    def lift_9_7(values, target, before, after, count, step):  # type: ignore[no-untyped-def]
        for i in range(count):
            values[np.uintp(target + i)] += step * (values[np.uintp(before + i)] + values[np.uintp(after + i)])

    return lift_9_7 if isinstance(values.dtype, Float) else lift_5_3


@njit(nogil=True)
def _inverse(plane, spare, stride, resolutions, steps, scales):  # type: ignore[no-untyped-def]
    """Rows, then columns, of each resolution (2D_SR, F.3.2); 5/3 rounds, so their order matters."""
    for level in range(1, resolutions.shape[0]):
        width, height = resolutions[level, 2] - resolutions[level, 0], resolutions[level, 3] - resolutions[level, 1]
        low_width = resolutions[level - 1, 2] - resolutions[level - 1, 0]
        low_height = resolutions[level - 1, 3] - resolutions[level - 1, 1]
        if width > 0 and height > 0:
            _rows(plane, spare, stride, width, height, low_width, resolutions[level, 0] & 1, steps, scales)
            _columns(plane, spare, stride, width, height, low_height, resolutions[level, 1] & 1, steps, scales)


@njit(nogil=True)
def _rows(plane, spare, stride, width, height, low_size, odd, steps, scales):  # type: ignore[no-untyped-def]
    """Lifts each row of `plane`, its low-pass part `low_size` long, and leaves it interleaved in `spare`.

    `odd`: whether its first sample is a high-pass one.
    """
    for start in range(0, height * stride, stride):
        high = start + low_size
        if width == 1:
            # A lone high-pass sample stands for half of itself (F.3.6); 5/3 rounds it towards zero, as OpenJPEG does.
            spare[start] = plane[start] / 2 if odd else plane[start]
            continue
        if scales[0] != 1:
            for i in range(width):
                plane[start + i] *= scales[0 if i < low_size else 1]
        for number in range(len(steps)):
            if number % 2:
                target, targets, other, others, shift = high, width - low_size, start, low_size, 1 - odd
            else:
                target, targets, other, others, shift = start, low_size, high, width - low_size, odd
            # Targets from `first` to `end` have two neighbours; at most one on each side has but one, counted twice.
            first, end = 1 - shift, max(min(targets, others - shift), 1 - shift)
            if first and targets:
                _lift(plane, target, other, other, 1, steps[number])
            _lift(plane, target + first, other, other + 1, end - first, steps[number])
            if end < targets:
                _lift(plane, target + end, other + others - 1, other + others - 1, 1, steps[number])
        for i in range(low_size):
            spare[np.uintp(start + 2 * i + odd)] = plane[np.uintp(start + i)]
        for i in range(width - low_size):
            spare[np.uintp(start + 2 * i + 1 - odd)] = plane[np.uintp(high + i)]


@njit(nogil=True)
def _columns(plane, spare, stride, width, height, low_size, odd, steps, scales):  # type: ignore[no-untyped-def]
    """Lifts all columns of `spare` at once, row by row, and leaves them interleaved in `plane`."""
    if height == 1:
        for i in range(width):
            plane[i] = spare[i] / 2 if odd else spare[i]
        return
    if scales[0] != 1:
        for row in range(height):
            for i in range(width):
                spare[row * stride + i] *= scales[0 if row < low_size else 1]
    for number in range(len(steps)):
        if number % 2:
            targets, first_target, others, first_other, shift = height - low_size, low_size, low_size, 0, 1 - odd
        else:
            targets, first_target, others, first_other, shift = low_size, 0, height - low_size, low_size, odd
        for row in range(targets):
            before = first_other + min(max(row + shift - 1, 0), others - 1)
            after = first_other + min(row + shift, others - 1)
            _lift(spare, (first_target + row) * stride, before * stride, after * stride, width, steps[number])
    for row in range(height):
        source = row * stride
        target = (2 * row + odd if row < low_size else 2 * (row - low_size) + 1 - odd) * stride
        for i in range(width):
            plane[np.uintp(target + i)] = spare[np.uintp(source + i)]
