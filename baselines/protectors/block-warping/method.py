"""Block-based warping: a mesh over the sample whose inner vertices the key displaces."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmark.cancelable import source_positions, vertex_offsets, warp
from benchmark.interfaces import Protector, Samples

#: Samples whose positions are held at once: 100 kB each at 112 x 112, so that they stay in the processor's cache.
BATCH = 8


class BlockWarping(Protector):
    """Moves the vertices of a mesh of `block_size` by up to `max_offset` pixels in x and y, and the image with them."""

    def __init__(self, *, block_size: int, max_offset: float) -> None:
        self.block_size, self.max_offset = block_size, max_offset

    def protect(self, prepared: Samples, keys: Sequence[bytes], *, generator: np.random.Generator) -> Samples:
        """The samples (uint8, N x H x W x 3), each warped by the mesh of its key."""
        protected = np.empty(prepared.shape, np.uint8)
        positions = np.empty((BATCH, 2, *prepared.shape[1:3]), np.float32)
        for start in range(0, len(prepared), BATCH):
            part = slice(start, start + BATCH)
            self._warp(prepared[part], keys[part], positions, protected[part])
        return protected

    def _warp(self, samples: Samples, keys: Sequence[bytes], positions: npt.NDArray[np.float32], out: Samples) -> None:
        """Samples of one subject or system share a key: its mesh is laid once."""
        mesh: dict[str, Any] = {"shape": samples.shape[1:3], "block_size": self.block_size}
        number = {key: position for position, key in enumerate(dict.fromkeys(keys))}
        source_positions(vertex_offsets(list(number), max_offset=self.max_offset, **mesh), out=positions, **mesh)
        warp(samples, [positions[number[key]] for key in keys], out=out)
