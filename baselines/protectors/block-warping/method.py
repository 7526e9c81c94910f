"""Block-based warping: a mesh over the sample whose inner vertices the key displaces."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from benchmark.cancelable import source_positions, vertex_offsets, warp
from benchmark.interfaces import Protector, Samples

#: Samples whose positions are held at once: 100 kB each at 112 x 112, so that they stay in the processor's cache.
BATCH = 16


class BlockWarping(Protector):
    """Moves the vertices of a mesh of `block_size` by up to `max_offset` pixels in x and y, and the image with them."""

    def __init__(self, *, block_size: int, max_offset: float) -> None:
        self.block_size, self.max_offset = block_size, max_offset

    def protect(self, prepared: Samples, keys: Sequence[bytes], *, generator: np.random.Generator) -> Samples:
        """The samples (uint8, N x H x W x 3), each warped by the mesh of its key."""
        protected = np.empty_like(prepared)
        for start in range(0, len(prepared), BATCH):
            part = slice(start, start + BATCH)
            protected[part] = self._warped(prepared[part], keys[part])
        return protected

    def _warped(self, samples: Samples, keys: Sequence[bytes]) -> Samples:
        """Samples of one subject or system share a key: its mesh is laid once."""
        shape = samples.shape[1], samples.shape[2]
        number = {key: position for position, key in enumerate(dict.fromkeys(keys))}
        offsets = vertex_offsets(list(number), shape=shape, block_size=self.block_size, max_offset=self.max_offset)
        positions = source_positions(offsets, shape=shape, block_size=self.block_size)
        if len(number) == 1:
            return warp(samples, positions)
        return warp(samples, positions if len(number) == len(keys) else positions[[number[key] for key in keys]])
