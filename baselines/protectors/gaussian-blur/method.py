"""Gaussian blur: a low-pass filter over the whole sample, the same for everybody."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from benchmark.interfaces import Protector, Samples


class GaussianBlur(Protector):
    """Convolves every channel with a Gaussian of standard deviation `sigma`, cut off at 3 sigma; uses no key."""

    def __init__(self, *, sigma: float) -> None:
        self.sigma = sigma

    def protect(self, prepared: Samples, keys: Sequence[bytes], *, generator: np.random.Generator) -> Samples:
        """The samples (uint8, N x H x W x 3), blurred; mirrored beyond the border (the outermost pixel once)."""
        blurred = np.empty(prepared.shape, np.uint8)
        for sample, out in zip(prepared, blurred, strict=True):
            cv2.GaussianBlur(sample, (0, 0), self.sigma, dst=out, borderType=cv2.BORDER_REFLECT_101)
        return blurred
