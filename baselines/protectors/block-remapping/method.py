"""Block re-mapping: target blocks filled from source blocks by a keyed many-to-one map."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from benchmark.cancelable import block_grid, block_sources, remap_blocks
from benchmark.interfaces import Protector, Samples


class BlockRemapping(Protector):
    """Fills every block from one that the key chooses; a share `lost` (in %) of the source blocks is never chosen."""

    def __init__(self, *, block_size: int, lost: float) -> None:
        self.block_size, self.lost = block_size, lost

    def protect(self, prepared: Samples, keys: Sequence[bytes], *, generator: np.random.Generator) -> Samples:
        """The samples (uint8, N x H x W x 3), each re-mapped under its key."""
        rows, columns = block_grid((prepared.shape[1], prepared.shape[2]), self.block_size)
        lost = round(rows * columns * self.lost / 100)
        number = {key: position for position, key in enumerate(dict.fromkeys(keys))}
        sources = block_sources(list(number), blocks=rows * columns, lost=lost)[[number[key] for key in keys]]
        return remap_blocks(prepared, sources, block_size=self.block_size)
