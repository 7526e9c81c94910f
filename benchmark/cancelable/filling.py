"""What a block re-mapping has left of a sample, put back under a known map, and what it has lost, filled.

The fill is harmonic: every lost pixel is the mean of its neighbours, so that it joins what is known around without a
seam and is as smooth as can be (a membrane). Successive over-relaxation (Young, 1954), compiled, one sample at a time.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

from benchmark.cancelable.remapping import block_grid
from benchmark.errors import InvalidInputError
from benchmark.interfaces import Samples

#: Sweeps of the relaxation, and its factor: enough for holes of two blocks of 16 pixels.
SWEEPS = 30
RELAXATION = 1.9


def put_back(
    protected: Samples, sources: npt.NDArray[np.int64], *, block_size: int
) -> tuple[Samples, npt.NDArray[np.bool_]]:
    """Every block where the original had it (uint8, N x H x W x 3), and which pixels are known (bool, N x H x W).

    Lost blocks are 0.

    `sources` (int64, N x blocks) are those of `benchmark.cancelable.remapping.block_sources`. Raises InvalidInputError
    where shapes do not fit.

    >>> sample = np.array([5, 5, 2, 3], np.uint8).reshape(1, 2, 2, 1).repeat(3, axis=3)
    >>> image, known = put_back(sample, np.array([[3, 3, 0, 1]]), block_size=1)
    >>> image[0, ..., 0].tolist(), known[0].tolist()
    ([[2, 3], [0, 5]], [[True, True], [False, True]])
    """
    count, height, width, channels = protected.shape
    rows, columns = block_grid((height, width), block_size)
    if sources.shape != (count, rows * columns):
        raise InvalidInputError(f"sources of {count} samples are {count} x {rows * columns}, not {sources.shape}")
    blocks = protected.reshape(count, rows, block_size, columns, block_size, channels).swapaxes(2, 3)
    blocks = blocks.reshape(count, rows * columns, block_size, block_size, channels)
    image, known = np.zeros_like(blocks), np.zeros((count, rows * columns), np.bool_)
    every = np.arange(count)[:, None]
    image[every, sources] = blocks  # copies of one source are equal
    known[every, sources] = True
    image = image.reshape(count, rows, columns, block_size, block_size, channels).swapaxes(2, 3)
    grid = known.reshape(count, rows, columns)
    return image.reshape(protected.shape), grid.repeat(block_size, axis=1).repeat(block_size, axis=2)


def filled(samples: Samples, known: npt.NDArray[np.bool_], *, sweeps: int = SWEEPS) -> Samples:
    """The samples (uint8, N x H x W x 3) with all pixels that are not `known` (bool, N x H x W) filled.

    Known pixels stay as they are. A sample of which nothing is known comes out grey.

    >>> row = np.array([10, 0, 0, 40], np.uint8).reshape(1, 1, 4, 1).repeat(3, axis=3)
    >>> filled(row, row[..., 0] > 0)[0, 0, :, 0].tolist()
    [10, 20, 30, 40]
    """
    out = samples.copy()
    for sample, mask in zip(out, known, strict=True):
        if not mask.any():
            sample[:] = 128
        elif not mask.all():
            sample[~mask] = sample[mask].mean(axis=0)
            _fill(sample, mask, np.float32(RELAXATION), sweeps)
    return out


@njit(cache=True, nogil=True)
def _fill(sample, known, relaxation, sweeps):  # type: ignore[no-untyped-def]  # numba infers them
    height, width = known.shape
    image = sample.astype(np.float32)
    for _ in range(sweeps):
        for row in range(height):
            for column in range(width):
                if not known[row, column]:
                    _relax(image, row, column, relaxation)
    for row in range(height):
        for column in range(width):
            if not known[row, column]:
                for channel in range(3):
                    value = image[row, column, channel] + np.float32(0.5)
                    sample[row, column, channel] = np.uint8(min(max(value, 0), 255))


@njit(cache=True, nogil=True)
def _relax(image, row, column, relaxation):  # type: ignore[no-untyped-def]
    """Moves one pixel towards the mean of its neighbours, and beyond."""
    for channel in range(3):
        around, neighbours = np.float32(0), np.float32(0)
        if row > 0:
            around += image[row - 1, column, channel]
            neighbours += 1
        if row + 1 < image.shape[0]:
            around += image[row + 1, column, channel]
            neighbours += 1
        if column > 0:
            around += image[row, column - 1, channel]
            neighbours += 1
        if column + 1 < image.shape[1]:
            around += image[row, column + 1, channel]
            neighbours += 1
        image[row, column, channel] += relaxation * (around / neighbours - image[row, column, channel])
