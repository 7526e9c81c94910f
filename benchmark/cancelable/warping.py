"""Block-based warping: a regular mesh over the sample, its inner vertices displaced by the key.

The reading that is built (the literature leaves details open): blocks of `block_size` x `block_size` pixels from the
top left corner on, the last ones of a row or column narrower where the side is no multiple. Every vertex inside the
sample gets an offset, uniform in [-max_offset, max_offset] in x and in y; those on the sample's border stay. The
protected sample shows at each vertex what the original shows at the vertex plus its offset (backward mapping), and
between vertices what bilinear interpolation of the four offsets around points at. So every pixel has exactly one
source, also where the mesh folds, and a part of the original may then be seen twice or not at all. Offsets up to a
quarter of a block cannot fold it; up to half a block no row or column turns back, and folds are few and small.

Coordinates are those of the sample's area: pixel i covers i to i + 1, the mesh runs from 0 to the side. Pixels are
interpolated bilinearly. A position beyond the border is mirrored at it; only folding meshes ever reach there.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from benchmark.cancelable.expansion import expand
from benchmark.errors import InvalidInputError
from benchmark.interfaces import Samples

Field = npt.NDArray[np.float32]


def edges(side: int, block_size: int) -> npt.NDArray[np.int64]:
    """Where the mesh's lines lie along a side of so many pixels (int64, 0 and `side` included).

    Raises InvalidInputError where no line lies inside, since nothing would move then.

    >>> edges(112, 20).tolist()
    [0, 20, 40, 60, 80, 100, 112]
    """
    if not 1 <= block_size < side:
        raise InvalidInputError(
            f"block_size {block_size} lays no mesh over a side of {side} pixels; it has to be 1 to {side - 1}"
        )
    return np.append(np.arange(0, side, block_size), side)


def vertex_offsets(keys: Sequence[bytes], *, shape: tuple[int, int], block_size: int, max_offset: float) -> Field:
    """Offsets of the mesh's vertices under each of N 32-byte keys, in pixels: float32, N x 2 (x, y) x rows x columns.

    `shape` is (height, width). 16 bits of SHAKE256 over the key make one offset, uniform in
    [-max_offset, max_offset]; those of the border are 0. The same key moves vertices alike for every max_offset.

    >>> vertex_offsets([bytes(32)], shape=(4, 4), block_size=2, max_offset=0.5)[0, 0, [0, 2], 1].tolist()
    [0.0, 0.0]
    """
    rows, columns = len(edges(shape[0], block_size)), len(edges(shape[1], block_size))
    inner = 2, rows - 2, columns - 2
    label = "mesh vertices", f"{shape[0]}x{shape[1]}", str(block_size)
    drawn = b"".join([expand(key, 2 * inner[0] * inner[1] * inner[2], *label) for key in keys])
    offsets = np.zeros((len(keys), 2, rows, columns), np.float32)
    words = np.frombuffer(drawn, "<u2").reshape(-1, *inner)
    offsets[:, :, 1:-1, 1:-1] = words * np.float32(2 * max_offset / 2**16) - np.float32(max_offset)
    return offsets


def source_positions(offsets: Field, *, shape: tuple[int, int], block_size: int, out: Field | None = None) -> Field:
    """Where each pixel of the protected samples comes from: float32, N x 2 (x, y) x H x W, in pixel indices.

    `offsets` are those of `vertex_offsets` (N x 2 x rows x columns). An index is the centre of its pixel, so that
    positions without any offset are the pixels' own indices. `out`, as long or longer, takes them up: memory that was
    used before is several times faster than new one.

    >>> still = np.zeros((1, 2, 3, 3), np.float32)
    >>> source_positions(still, shape=(4, 4), block_size=2)[0, 0, 0].tolist()
    [0.0, 1.0, 2.0, 3.0]
    """
    down, across, vertices = _interpolation(shape, block_size)
    # One small product a sample and axis: numpy goes through the stack, so no result depends on what else is in it.
    return np.matmul(down @ (vertices + offsets), across, out=None if out is None else out[: len(offsets)])


def warp(samples: Samples, positions: Field | Sequence[Field], *, out: Samples | None = None) -> Samples:
    """The samples (uint8, N x H x W x 3) seen at `positions` (float32, 2 x H x W for each), in `out` if it is given.

    Bilinear interpolation; a position beyond the border is mirrored at it.
    """
    warped = np.empty(samples.shape, np.uint8) if out is None else out
    for sample, (x, y), shown in zip(samples, positions, warped, strict=True):
        cv2.remap(sample, x, y, cv2.INTER_LINEAR, dst=shown, borderMode=cv2.BORDER_REFLECT)
    return warped


@lru_cache(maxsize=8)
def _interpolation(shape: tuple[int, int], block_size: int) -> tuple[Field, Field, Field]:
    """Weights of the mesh's rows in each row of pixels (H x rows) and of its columns (columns x W), and its vertices.

    The vertices (2 x rows x columns: x, y) are in pixel indices: half a pixel less than in the sample's area.
    """
    down, across = (_weights(side, edges(side, block_size)) for side in shape)
    y, x = np.meshgrid(edges(shape[0], block_size) - 0.5, edges(shape[1], block_size) - 0.5, indexing="ij")
    constants = down, np.ascontiguousarray(across.T), np.stack([x, y]).astype(np.float32)
    for constant in constants:
        constant.flags.writeable = False
    return constants


def _weights(side: int, lines: npt.NDArray[np.int64]) -> Field:
    """Linear interpolation from the mesh's lines to the pixels' centres: side x lines, two weights a row."""
    centres = np.arange(side) + 0.5
    before = np.searchsorted(lines, centres) - 1
    share = (centres - lines[before]) / (lines[before + 1] - lines[before])
    weights = np.zeros((side, len(lines)), np.float32)
    weights[np.arange(side), before] = 1 - share
    weights[np.arange(side), before + 1] = share
    return weights
