"""Small pictures with the statistics of natural ones, made on the spot."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def make_picture(height: int, width: int, seed: int = 0) -> npt.NDArray[np.uint8]:
    """Smooth colours, an edge and noise: uint8, height x width x 3."""
    generator = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width]
    base = 120 + 60 * np.sin(x / 9 + seed) + 50 * np.cos(y / 7) + 40 * (x + y > (height + width) / 2)
    noisy = base[..., None] * [1.0, 0.9, 0.8] + generator.normal(0, 6, (height, width, 3))
    return noisy.clip(0, 255).astype(np.uint8)
