"""L-BFGS, for functions of a hundred variables that take less time than a general optimiser spends between two calls.

Nocedal and Wright, Numerical Optimization, 2nd edition, 2006, algorithms 7.4 and 7.5.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from numba import njit

Point: TypeAlias = npt.NDArray[np.float64]
#: Value and gradient at a point.
Function: TypeAlias = Callable[[Point], tuple[float, Point]]

#: A step is long enough where the function has fallen by this share of what its slope promised,
_FALL = 1e-4
#: and where the slope has fallen to this share.
_FLATTER = 0.9
#: Trials of a step's length.
_TRIALS = 20


def minimum(function: Function, start: Point, *, steps: int, gain: float = 1e-9) -> Point:
    """A point (float64, D) of a low value, at most so many steps from `start`; every step is remembered.

    A step that gains less than a share `gain` of the value is the last.

    >>> minimum(lambda x: (float((x - 3) @ (x - 3)), 2 * (x - 3)), np.zeros(2), steps=10).round(6).tolist()
    [3.0, 3.0]
    """
    point, (value, gradient) = start, function(start)
    memory = np.empty((2, steps, len(start)))
    for kept in range(steps):
        direction = _direction(gradient, memory[0], memory[1], kept)
        slope = float(gradient @ direction)
        if slope >= 0:
            break
        found = _along(function, point, direction, value, slope)
        if found is None:
            break
        moved, after, changed = found
        memory[0, kept], memory[1, kept] = moved - point, changed - gradient
        last = value - after <= gain * abs(value)
        point, value, gradient = moved, after, changed
        if last:
            break
    return point


def _along(
    function: Function, point: Point, direction: Point, value: float, slope: float
) -> tuple[Point, float, Point] | None:
    """The first length that is tried of those that satisfy Wolfe's conditions; None where rounding leaves no fall."""
    share, least, most = 1.0, 0.0, np.inf
    for _ in range(_TRIALS):
        moved = point + share * direction
        after, gradient = function(moved)
        slope_there = float(gradient @ direction)
        if after > value + _FALL * share * slope:
            most = share
            parabola = -slope * share * share / (2 * (after - value - slope * share))
            share = least + min(max((parabola - least) / (most - least), 0.1), 0.5) * (most - least)
        elif slope_there < _FLATTER * slope:
            least = share
            share = min(10 * share, 0.5 * (least + most))
        else:
            return moved, after, gradient
    return None


@njit(cache=True, nogil=True, fastmath={"reassoc"})
def _product(one, other):  # type: ignore[no-untyped-def]  # numba infers them
    total = 0.0
    for i in range(len(one)):
        total += one[i] * other[i]
    return total


@njit(cache=True, nogil=True)
def _direction(gradient, moved, changed, kept):  # type: ignore[no-untyped-def]
    """Against the gradient, by what the steps so far tell of the curvature: two loops over them."""
    direction = -gradient
    if kept == 0:
        return direction / max(1.0, np.sqrt(_product(gradient, gradient)))
    shares = np.empty(kept)
    for step in range(kept - 1, -1, -1):
        shares[step] = _product(moved[step], direction) / _product(moved[step], changed[step])
        direction -= shares[step] * changed[step]
    last = kept - 1
    direction *= _product(moved[last], changed[last]) / _product(changed[last], changed[last])
    for step in range(kept):
        back = _product(changed[step], direction) / _product(moved[step], changed[step])
        direction += (shares[step] - back) * moved[step]
    return direction
