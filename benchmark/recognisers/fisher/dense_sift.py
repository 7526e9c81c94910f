"""Dense SIFT: gradient histograms on a grid, sampled from blurred maps of orientations as in VLFeat.

Lowe, "Distinctive Image Features from Scale-Invariant Keypoints" (IJCV 60(2), 2004), upright and at fixed places;
square roots of the L1-normalised descriptor (Arandjelović and Zisserman, "Three things everyone should know to improve
object retrieval", CVPR 2012).
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
import numpy.typing as npt

ORIENTATIONS, CELLS = 8, 4
#: Numbers in a descriptor: 4 x 4 cells of 8 orientations.
DIMENSION = CELLS * CELLS * ORIENTATIONS
#: Lowe's bound of one entry of the unit vector, against changes of illumination that are not linear.
_BOUND = np.float32(0.2)
#: arctan(x) / x for 0 <= x <= 1 as a polynomial in x^2, highest power first, in eighths of a turn: wrong by less than
#: 1e-7 (Abramowitz and Stegun, "Handbook of Mathematical Functions", 4.4.49).
_ARCTANGENT = tuple(
    np.float32(4 / np.pi * coefficient)
    for coefficient in (
        0.0028662257, -0.0161657367, 0.0429096138, -0.0752896400, 0.1065626393, -0.1420889944, 0.1999355085,
        -0.3333314528, 1.0,
    )
)  # fmt: skip


def orientation_maps(image: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Gradient magnitude split between the two nearest of 8 orientations: float32, H x W x 8.

    Central differences of a grey image (float32, H x W), one-sided at the border; orientation 0 is brighter to the
    right, 2 brighter below.

    >>> orientation_maps(np.tile(np.arange(4, dtype=np.float32), (4, 1)))[2, 2].tolist()
    [1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]
    """
    maps = np.zeros((*image.shape, ORIENTATIONS), np.float32)
    _orient(image, maps)
    return maps


def dense_sift(
    maps: npt.NDArray[np.float32], rows: npt.NDArray[np.int64], columns: npt.NDArray[np.int64], cell: int
) -> npt.NDArray[np.float32]:
    """Descriptors (float32, R x C x 128) around every pair of `rows` (R) and `columns` (C), pixels inside the image.

    `maps` are those of `orientation_maps` (float32, H x W x 8); `cell` is the side of a cell in pixels, an even number.
    A descriptor lists columns of cells from the left, in each its cells from the top, in each 8 orientations. It has
    length 1, or is all 0 where nothing changes. What lies outside the image has no gradient.

    >>> ramp = np.tile(np.arange(16, dtype=np.float32), (16, 1))
    >>> dense_sift(orientation_maps(ramp), np.array([8]), np.array([8]), 4)[0, 0].reshape(16, 8).any(axis=0).tolist()
    [True, False, False, False, False, False, False, False]
    """
    out = np.empty((len(rows), len(columns), DIMENSION), np.float32)
    _describe(maps, rows, columns, cell, _window(cell), out)
    return out


def _window(cell: int) -> npt.NDArray[np.float32]:
    """The weight of each of four cells in a row: the mean over it of a Gaussian whose deviation is two cells."""
    offsets = np.arange(-cell, cell + 1)
    triangle = 1 - np.abs(offsets) / cell
    centres = (np.arange(CELLS) - (CELLS - 1) / 2) * cell
    weights = np.exp(-0.5 * ((centres[:, None] + offsets) / (CELLS / 2 * cell)) ** 2) @ triangle / triangle.sum()
    return np.asarray(weights, np.float32)


# Rounding may fall otherwise where sums are vectorised, but alike for every sample.
@numba.njit(cache=True, nogil=True, fastmath=True)
def _orient(image: Any, maps: Any) -> None:
    height, width = image.shape
    half = np.float32(0.5)
    dx, angles, magnitudes = (np.empty(width, np.float32), np.empty(width, np.float32), np.empty(width, np.float32))
    for y in range(height):
        above, below, line = image[max(y - 1, 0)], image[min(y + 1, height - 1)], image[y]
        dx[0], dx[-1] = line[1] - line[0], line[-1] - line[-2]
        for x in range(1, width - 1):
            dx[x] = half * (line[x + 1] - line[x - 1])
        share = half if 0 < y < height - 1 else np.float32(1)
        for x in range(width):
            angles[x], magnitudes[x] = _polar(dx[x], share * (below[x] - above[x]))
        for x in range(width):
            first = int(angles[x])
            upper = magnitudes[x] * (angles[x] - np.float32(first))
            maps[y, x, first % ORIENTATIONS] += magnitudes[x] - upper
            maps[y, x, (first + 1) % ORIENTATIONS] += upper


@numba.njit(cache=True, nogil=True, fastmath=True, inline="always")
def _polar(dx: Any, dy: Any) -> Any:
    """Angle in eighths of a turn (0..8) and length, without branches, so that the compiler can do many at once."""
    across, down = abs(dx), abs(dy)
    ratio = min(across, down) / max(max(across, down), np.float32(1e-30))
    square = ratio * ratio
    series = np.float32(0)
    for coefficient in _ARCTANGENT:
        series = series * square + coefficient
    angle = series * ratio
    angle = np.float32(2) - angle if down > across else angle
    angle = np.float32(4) - angle if dx < 0 else angle
    angle = np.float32(8) - angle if dy < 0 else angle
    return angle, np.sqrt(dx * dx + dy * dy)


@numba.njit(cache=True, nogil=True)
def _describe(maps: Any, rows: Any, columns: Any, cell: int, window: Any, out: Any) -> None:
    height, width = maps.shape[:2]
    down, row_at = _cells(rows, cell)
    across, column_at = _cells(columns, cell)
    left, right = max(across[0] - cell + 1, 0), min(across[-1] + cell, width)
    # Blurred down the columns at the rows that are needed, all of these side by side: the inner loops are long.
    blurred = np.zeros((len(down), (right - left) * ORIENTATIONS), np.float32)
    for n in range(len(down)):
        for y in range(max(down[n] - cell + 1, 0), min(down[n] + cell, height)):
            _add(np.float32(cell - abs(y - down[n])), maps[y, left:right].reshape(-1), blurred[n])
    strips = np.empty((right - left, len(down), ORIENTATIONS), np.float32)
    for n in range(len(down)):
        strips[:, n] = blurred[n].reshape(right - left, ORIENTATIONS)
    sums = np.zeros((len(across), len(down) * ORIENTATIONS), np.float32)
    for m in range(len(across)):
        for x in range(max(across[m] - cell + 1, left), min(across[m] + cell, right)):
            _add(np.float32(cell - abs(x - across[m])), strips[x - left].reshape(-1), sums[m])
    values = np.empty(DIMENSION, np.float32)
    for r in range(len(rows)):
        for c in range(len(columns)):
            for j in range(CELLS):
                for i in range(CELLS):
                    weight, start = window[j] * window[i], (j * CELLS + i) * ORIENTATIONS
                    column, place = column_at[c, j], row_at[r, i] * ORIENTATIONS
                    for k in range(ORIENTATIONS):
                        values[start + k] = weight * sums[column, place + k]
            _normalise(values, out[r, c])


@numba.njit(cache=True, nogil=True)
def _cells(lines: Any, cell: int) -> Any:
    """The middles of the cells around lines (R), each once since neighbours share them; and whose they are (R x 4)."""
    offsets = np.arange(CELLS) * cell - (CELLS - 1) * cell // 2
    lowest = lines.min() + offsets[0]
    place = np.full(lines.max() + offsets[-1] - lowest + 1, -1)
    for line in lines:
        for offset in offsets:
            place[line + offset - lowest] = 0
    middles = np.flatnonzero(place == 0)
    place[middles] = np.arange(len(middles))
    at = np.empty((len(lines), CELLS), np.int64)
    for n in range(len(lines)):
        for i in range(CELLS):
            at[n, i] = place[lines[n] + offsets[i] - lowest]
    return middles + lowest, at


@numba.njit(cache=True, nogil=True, fastmath=True)
def _add(weight: Any, values: Any, total: Any) -> None:
    for k in range(len(total)):
        total[k] += weight * values[k]


@numba.njit(cache=True, nogil=True, fastmath=True)
def _normalise(sums: Any, out: Any) -> None:
    squares = np.float32(0)
    for d in range(DIMENSION):
        squares += sums[d] * sums[d]
    if squares == 0:
        out[:] = 0
        return
    bound = _BOUND * np.sqrt(squares)
    total = np.float32(0)
    for d in range(DIMENSION):
        total += min(sums[d], bound)
    scale = np.float32(1) / total
    for d in range(DIMENSION):
        out[d] = np.sqrt(min(sums[d], bound) * scale)
