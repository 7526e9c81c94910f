"""A black box over the eyes, where alignment has put them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from benchmark.interfaces import Protector, Samples

#: Centres of the eyes (x, y) in an aligned sample of 112 x 112 pixels: InsightFace's reference points.
EYES = np.array([[38.2946, 51.6963], [73.5318, 51.5014]])
SIDE = 112


class EyeMask(Protector):
    """Blackens a box of `width` x `height` pixels (of 112 x 112) around the point between the eyes; uses no key."""

    def __init__(self, *, width: float, height: float) -> None:
        self.size = np.array([width, height])

    def protect(self, prepared: Samples, keys: Sequence[bytes], *, generator: np.random.Generator) -> Samples:
        """The samples (uint8, N x H x W x 3) with the box; its edges scale with the sample, rounded to whole pixels."""
        scale = np.array([prepared.shape[2], prepared.shape[1]]) / SIDE
        centre = EYES.mean(axis=0)
        left, top = np.rint(np.maximum(centre - self.size / 2, 0) * scale).astype(int)
        right, bottom = np.rint((centre + self.size / 2) * scale).astype(int)
        masked = prepared.copy()
        masked[:, top:bottom, left:right] = 0
        return masked
