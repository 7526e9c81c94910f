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


@numba.njit(cache=True, nogil=True)
def _orient(image: Any, maps: Any) -> None:
    height, width = image.shape
    turn = np.float32(ORIENTATIONS / (2 * np.pi))
    for y in range(height):
        above, below = max(y - 1, 0), min(y + 1, height - 1)
        for x in range(width):
            left, right = max(x - 1, 0), min(x + 1, width - 1)
            dx = (image[y, right] - image[y, left]) / np.float32(right - left)
            dy = (image[below, x] - image[above, x]) / np.float32(below - above)
            magnitude = np.sqrt(dx * dx + dy * dy)
            if magnitude > 0:
                angle = np.arctan2(dy, dx) * turn
                if angle < 0:
                    angle += np.float32(ORIENTATIONS)
                first = int(angle)
                share = angle - np.float32(first)
                maps[y, x, first % ORIENTATIONS] += magnitude * (np.float32(1) - share)
                maps[y, x, (first + 1) % ORIENTATIONS] += magnitude * share


@numba.njit(cache=True, nogil=True)
def _describe(maps: Any, rows: Any, columns: Any, cell: int, window: Any, out: Any) -> None:
    height, width = maps.shape[:2]
    half = 3 * cell // 2
    # Blurred down the columns at the rows that are needed, all of these side by side: the inner loops are long.
    blurred = np.zeros((len(rows) * CELLS, width * ORIENTATIONS), np.float32)
    for n in range(len(blurred)):
        centre = rows[n // CELLS] + n % CELLS * cell - half
        for y in range(max(centre - cell + 1, 0), min(centre + cell, height)):
            _add(np.float32(cell - abs(y - centre)) * window[n % CELLS], maps[y].reshape(-1), blurred[n])
    strips = np.empty((width, len(rows) * CELLS, ORIENTATIONS), np.float32)
    for n in range(len(blurred)):
        strips[:, n] = blurred[n].reshape(width, ORIENTATIONS)
    sums = np.empty((CELLS, len(rows) * CELLS * ORIENTATIONS), np.float32)
    values = np.empty(DIMENSION, np.float32)
    for c in range(len(columns)):
        sums[:] = 0
        for j in range(CELLS):
            centre = columns[c] + j * cell - half
            for x in range(max(centre - cell + 1, 0), min(centre + cell, width)):
                _add(np.float32(cell - abs(x - centre)) * window[j], strips[x].reshape(-1), sums[j])
        for r in range(len(rows)):
            for j in range(CELLS):
                for k in range(CELLS * ORIENTATIONS):
                    values[j * CELLS * ORIENTATIONS + k] = sums[j, r * CELLS * ORIENTATIONS + k]
            _normalise(values, out[r, c])


@numba.njit(cache=True, nogil=True)
def _add(weight: Any, values: Any, total: Any) -> None:
    for k in range(len(total)):
        total[k] += weight * values[k]


@numba.njit(cache=True, nogil=True)
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
    for d in range(DIMENSION):
        out[d] = np.sqrt(min(sums[d], bound) / total)
