"""Lost DC coefficients, guessed from the AC coefficients and from the blocks around.

Where two blocks meet, a picture is mostly continuous: the means of both blocks along their border are nearly equal. The
DC coefficients that are not known (or that a group of blocks knows up to a constant) are set so that these means differ
least, in the least-squares sense over all borders. This is a Poisson equation on the grid of blocks, whose gradients
the AC coefficients give and whose boundary values are the DC coefficients that are known.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

#: How strongly a block is drawn to mid-grey, beside a border's 1: it decides only where nothing is known around.
_TOWARDS_GREY = 1e-3
_MOST_STEPS = 400
#: Steps end where the residual is this small, in units of a dequantised DC coefficient (8 are a grey level).
_ENOUGH = 0.05


def complete_dc(values: npt.NDArray[np.int32], groups: npt.NDArray[np.int32], across: int) -> None:
    """Adds to the DC coefficients of every group the constant that fits best, in place.

    `values`: dequantised coefficients (int32, blocks x 64) of a component with `across` blocks side by side; `groups`
    (int32, a block each): 0 where DC is known, else the group that shares a constant.

    >>> values = np.zeros((3, 64), dtype=np.int32)
    >>> values[:, 0] = 80, 0, 80
    >>> complete_dc(values, np.array([0, 2, 0], dtype=np.int32), 3)
    >>> values[:, 0].tolist()
    [80, 80, 80]
    """
    names, members = np.unique(np.append(0, groups), return_inverse=True)
    members = members[1:]
    known = values[:, 0].astype(np.float64)
    left, right, top, bottom = (known + edge for edge in _edges(values))
    number = np.arange(len(values)).reshape(-1, across)
    beside, below = (number[:, :-1].ravel(), number[:, 1:].ravel()), (number[:-1].ravel(), number[1:].ravel())
    one, other = (np.concatenate(ends) for ends in zip(beside, below, strict=True))
    steps = np.concatenate([left[beside[1]] - right[beside[0]], top[below[1]] - bottom[below[0]]])
    free = members[one] != members[other]
    # Constants far beyond what a picture can need come from damaged files; rounding must not leave 32 bits.
    pull = -_TOWARDS_GREY * np.bincount(members, known)
    weight = _TOWARDS_GREY * np.bincount(members).astype(np.float64)
    constants = _solve(members[one][free], members[other][free], steps[free], pull, weight, np.zeros(len(names)))
    values[:, 0] += np.rint(constants.clip(-(1 << 24), 1 << 24)).astype(np.int32)[members]


def _edges(values: npt.NDArray[np.int32]) -> tuple[npt.NDArray[np.float64], ...]:
    """What AC coefficients add to DC on a block's left, right, upper and lower border (float64, a block each).

    A block's mean along a border is, times 8, its DC coefficient and sqrt(2) times the sum of the coefficients of the
    one direction across that border, with alternating signs on the far side.
    """
    signs = (-1.0) ** np.arange(1, 8)
    horizontal, vertical = np.sqrt(2) * values[:, 1:8], np.sqrt(2) * values[:, 8::8]
    return horizontal.sum(axis=1), horizontal @ signs, vertical.sum(axis=1), vertical @ signs


@njit(cache=True, nogil=True)
def _solve(one, other, steps, residual, weight, constants):  # type: ignore[no-untyped-def]  # numba infers them
    """Conjugate gradients for the constants; the first one stays 0.

    Each border wants constants[one] - constants[other] to be its step. `residual`: the pull towards grey, `weight`: how
    strong it is; both are changed.
    """
    diagonal = weight.copy()
    for border in range(one.size):
        residual[one[border]] += steps[border]
        residual[other[border]] -= steps[border]
        diagonal[one[border]] += 1.0
        diagonal[other[border]] += 1.0
    diagonal[0], residual[0] = 1.0, 0.0
    direction = residual / diagonal
    size = (residual * direction).sum()
    for _ in range(_MOST_STEPS):
        if np.abs(residual).max() < _ENOUGH:
            break
        applied = weight * direction
        for border in range(one.size):
            slope = direction[one[border]] - direction[other[border]]
            applied[one[border]] += slope
            applied[other[border]] -= slope
        applied[0] = 0.0
        length = size / (direction * applied).sum()
        constants += length * direction
        residual -= length * applied
        conditioned = residual / diagonal
        before, size = size, (residual * conditioned).sum()
        direction = conditioned + (size / before) * direction
    return constants
