"""How alike two images look: PSNR, SSIM and MS-SSIM per sample. They describe; they never rank.

Hofbauer and Uhl (Identifying deficits of visual security metrics for images, Signal Processing: Image Communication 46,
2016) found such metrics unfit to rank security.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from benchmark.interfaces import Samples
from benchmark.metrics.operating_points import Floats

#: PSNR of identical images, in dB: more than any two different 8-bit images of up to 10^8 values can reach.
PSNR_CAP = 130.0
#: Weights of the scales, from fine to coarse (Wang, Simoncelli and Bovik 2003).
SCALES = np.array([0.0448, 0.2856, 0.3001, 0.2363, 0.1333])
#: MS-SSIM's window in pixels. The usual 11 needs a side of more than 160 for five scales; with 7, all five scales and
#: their weights fit into 112 x 112 (the coarsest is 7 x 7).
MS_SSIM_WINDOW = 7
_SIGMA = 1.5
_C1, _C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2


def psnr(originals: Samples, others: Samples) -> Floats:
    """Peak signal-to-noise ratio in dB (float64, N) of uint8 images, N x H x W x 3, over all channels.

    Identical images have an infinite ratio; they get PSNR_CAP, so that means stay finite.

    >>> image = np.zeros((1, 8, 8, 3), np.uint8)
    >>> psnr(image, image), psnr(image, image + np.uint8(255))
    (array([130.]), array([0.]))
    """
    _check(originals, others)
    error = np.empty(len(originals))
    for i, (a, b) in enumerate(zip(originals, others, strict=True)):
        error[i] = np.square(a.astype(np.int32) - b).mean()
    with np.errstate(divide="ignore"):
        return np.minimum(10.0 * np.log10(255.0**2 / error), PSNR_CAP)


def ssim(originals: Samples, others: Samples) -> Floats:
    """Structural similarity (float64, N; -1..1) of uint8 images, N x H x W x 3: mean over pixels and channels.

    Gaussian window of 11 pixels, sigma 1.5, K = (0.01, 0.03), only where the window fits (Wang, Bovik, Sheikh and
    Simoncelli, IEEE TIP 13, 2004).

    >>> image = np.zeros((1, 16, 16, 3), np.uint8)
    >>> ssim(image, image)
    array([1.])
    """
    _check(originals, others, smallest=11)
    pairs = zip(originals, others, strict=True)
    return np.array([_structure(a.astype(np.float32), b.astype(np.float32), 11)[0].mean() for a, b in pairs])


def ms_ssim(originals: Samples, others: Samples) -> Floats:
    """Multi-scale structural similarity (float64, N; 0..1) of uint8 images, N x H x W x 3, both sides at least 112.

    Five scales with the weights of Wang, Simoncelli and Bovik (Asilomar 2003), halved by 2 x 2 averages; Gaussian
    window of MS_SSIM_WINDOW pixels, sigma 1.5; per channel, negative terms count as 0 (as in pytorch-msssim).

    >>> image = np.zeros((1, 112, 112, 3), np.uint8)
    >>> ms_ssim(image, image)
    array([1.])
    """
    _check(originals, others, smallest=MS_SSIM_WINDOW << (len(SCALES) - 1))
    return np.array([_over_scales(a, b) for a, b in zip(originals, others, strict=True)])


def visual_scores(originals: Samples, others: Samples) -> dict[str, Floats]:
    """`psnr`, `ssim` and `ms_ssim` (float64, N each) of images against their originals, by metric id.

    >>> sorted(visual_scores(np.zeros((0, 112, 112, 3), np.uint8), np.zeros((0, 112, 112, 3), np.uint8)))
    ['ms_ssim', 'psnr', 'ssim']
    """
    return {
        "psnr": psnr(originals, others),
        "ssim": ssim(originals, others),
        "ms_ssim": ms_ssim(originals, others),
    }


def _check(originals: Samples, others: Samples, smallest: int = 1) -> None:
    if originals.dtype != np.uint8 or others.dtype != np.uint8:
        raise ValueError(f"images must be uint8, got {originals.dtype} and {others.dtype}")
    if originals.shape != others.shape or originals.ndim != 4 or originals.shape[-1] != 3:
        raise ValueError(f"images must be two equal N x H x W x 3 batches, got {originals.shape} and {others.shape}")
    if min(originals.shape[1:3]) < smallest:
        raise ValueError(f"images must have sides of at least {smallest} pixels, got {originals.shape[1:3]}")


def _over_scales(a: Samples, b: Samples) -> float:
    x, y = a.astype(np.float32), b.astype(np.float32)
    product = np.ones(3)
    for scale, weight in enumerate(SCALES):
        if scale:
            x, y = _halved(x), _halved(y)
        whole, contrast = _structure(x, y, MS_SSIM_WINDOW)
        term = whole if scale == len(SCALES) - 1 else contrast
        product *= np.maximum(term, 0.0) ** weight
    return float(product.mean())


def _halved(image: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    height, width = image.shape[0] // 2 * 2, image.shape[1] // 2 * 2
    return np.asarray(cv2.resize(image[:height, :width], (width // 2, height // 2), interpolation=cv2.INTER_AREA))


def _structure(x: npt.NDArray[np.float32], y: npt.NDArray[np.float32], window: int) -> tuple[Floats, Floats]:
    """SSIM and its contrast-structure part, each the mean over all places where the window fits: float64, 3."""
    offsets = np.arange(window) - window // 2
    kernel = np.exp(-np.square(offsets) / (2 * _SIGMA**2))
    kernel /= kernel.sum()
    # Variances do not change with the zero point; near it float32 loses less of them.
    x, y = x - np.float32(127.5), y - np.float32(127.5)
    edge = window // 2
    inner = slice(edge, x.shape[0] - edge), slice(edge, x.shape[1] - edge)
    mean_x, mean_y, square_x, square_y, product = (
        np.ascontiguousarray(cv2.sepFilter2D(plane, -1, kernel, kernel)[inner]) for plane in (x, y, x * x, y * y, x * y)
    )
    variances = square_x - mean_x * mean_x + square_y - mean_y * mean_y
    contrast = (2 * (product - mean_x * mean_y) + _C2) / (variances + _C2)
    mean_x, mean_y = mean_x + np.float32(127.5), mean_y + np.float32(127.5)
    luminance = (2 * mean_x * mean_y + _C1) / (mean_x * mean_x + mean_y * mean_y + _C1)
    whole = (luminance * contrast).mean(axis=(0, 1), dtype=np.float64)
    return whole, contrast.mean(axis=(0, 1), dtype=np.float64)
