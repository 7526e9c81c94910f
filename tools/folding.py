"""How often and how much the meshes of block-based warping fold, and what they lose: counted on keys that a seed names.

python tools/folding.py [BLOCK_SIZE MAX_OFFSET]
"""

from __future__ import annotations

import sys
from functools import cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from benchmark.cancelable import source_positions, vertex_offsets
from benchmark.digest import generator

#: Meshes that are looked at, and the side of a sample.
MESHES, SIDE = 400, 112


class Folding(NamedTuple):
    """Shares (0..1) over MESHES meshes."""

    #: Meshes that turn some piece of the sample over.
    meshes: float
    #: The protected sample's area that shows the original turned over.
    area: float
    #: Pixels of the original that no pixel of the protected sample shows any of.
    lost: float


@cache
def folding(block_size: int, max_offset: float) -> Folding:
    """How a setting of block-based warping folds; offsets in pixels, samples of SIDE x SIDE.

    A piece is turned over where the Jacobian determinant of the map of positions is negative, by finite differences
    between neighbouring pixels.
    """
    random = generator("folding of warps")
    keys = [random.bytes(32) for _ in range(MESHES)]
    offsets = vertex_offsets(keys, shape=(SIDE, SIDE), block_size=block_size, max_offset=max_offset)
    positions = source_positions(offsets, shape=(SIDE, SIDE), block_size=block_size)
    turned = turned_over(positions)
    lost = [unseen(x, y).mean() for x, y in positions]
    return Folding(float(turned.any(axis=(1, 2)).mean()), float(turned.mean()), float(np.mean(lost)))


def turned_over(positions: npt.NDArray[np.float32]) -> npt.NDArray[np.bool_]:
    """Where maps of positions (float32, N x 2 x H x W) turn the sample over: bool, N x (H - 1) x (W - 1)."""
    across = np.diff(positions, axis=3)[:, :, :-1]
    down = np.diff(positions, axis=2)[:, :, :, :-1]
    return np.asarray(across[:, 0] * down[:, 1] - across[:, 1] * down[:, 0] < 0)


def unseen(x: npt.NDArray[np.float32], y: npt.NDArray[np.float32]) -> npt.NDArray[np.bool_]:
    """Pixels of the original (bool, H x W) to which bilinear interpolation at (x, y) gives no weight."""
    height, width = x.shape
    seen = np.zeros((height, width), bool)
    for right in (0, 1):
        for below in (0, 1):
            column, row = np.floor(x) + right, np.floor(y) + below
            weighs = (np.abs(x - column) < 1) & (np.abs(y - row) < 1)
            seen[_mirrored(row[weighs], height), _mirrored(column[weighs], width)] = True
    return ~seen


def _mirrored(index: npt.NDArray[np.float32], side: int) -> npt.NDArray[np.int64]:
    """Positions beyond the border, mirrored at it as often as it takes."""
    turned = index.astype(np.int64) % (2 * side)
    return np.minimum(turned, 2 * side - 1 - turned)


def main() -> None:
    given = [float(word) for word in sys.argv[1:]]
    for block_size, max_offset in [given] if given else [(8, 4), (16, 6), (20, 9), (20, 25)]:
        found = folding(int(block_size), max_offset)
        print(
            f"block {block_size:g}, offset {max_offset:g} pixels: {100 * found.meshes:.1f} % of meshes fold, "
            f"{100 * found.area:.2f} % of the area, {100 * found.lost:.1f} % of the pixels are lost"
        )


if __name__ == "__main__":
    main()
