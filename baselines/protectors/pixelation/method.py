"""Pixelation: every block of the sample becomes one colour, the same for everybody."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from benchmark.interfaces import Protector, Samples


class Pixelation(Protector):
    """Replaces blocks of `block_size` x `block_size` pixels by their mean; uses no key."""

    def __init__(self, *, block_size: int) -> None:
        self.block_size = block_size

    def protect(self, prepared: Samples, keys: Sequence[bytes], *, generator: np.random.Generator) -> Samples:
        """The samples (uint8, N x H x W x 3) in blocks from the top left corner on; the last ones may be narrower."""
        height, width = prepared.shape[1:3]
        tops, lefts = np.arange(0, height, self.block_size), np.arange(0, width, self.block_size)
        heights, widths = np.diff(np.append(tops, height)), np.diff(np.append(lefts, width))
        sums = np.add.reduceat(np.add.reduceat(prepared, tops, axis=1, dtype=np.int64), lefts, axis=2)
        pixels = (heights[:, None] * widths)[..., None]
        # In integers, rounded to the nearest and halves up: the same bytes on every machine.
        means = ((2 * sums + pixels) // (2 * pixels)).astype(np.uint8)
        return means.repeat(heights, axis=1).repeat(widths, axis=2)
