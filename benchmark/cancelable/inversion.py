"""What a warp has left of a sample, put back where it came from: the inverse of a known map of positions.

The warp takes every pixel of the protected sample from four of the original, with weights that its position alone
decides: protected = A original, A known, linear, with four entries a row. So no inverse mesh has to be found and folds
are no special case: what is wanted is the smoothest original that explains the protected sample,

    minimise |A x - protected|^2 + smoothness |gradient x|^2,

in each channel. Where the mesh folds, or nothing was sampled, the second term interpolates between neighbours. The
conjugate gradient method on the normal equations (Hestenes & Stiefel, 1952) is compiled, one sample at a time.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

from benchmark.errors import InvalidInputError
from benchmark.interfaces import Samples

#: Chosen by PSNR on drawn faces under the settings of the literature, baselines/attacks/unwarp/README.md.
SMOOTHNESS = 0.006
ITERATIONS = 8


def unwarped(
    protected: Samples,
    positions: npt.NDArray[np.float32],
    *,
    smoothness: float = SMOOTHNESS,
    iterations: int = ITERATIONS,
) -> Samples:
    """The originals (uint8, N x H x W x 3) of samples that were warped to `positions` (float32, N x 2 x H x W).

    `positions` are those of `benchmark.cancelable.warping.source_positions`; a position beyond the border is mirrored
    at it, as there. Raises InvalidInputError where the shapes do not fit.

    >>> sample = np.arange(75, dtype=np.uint8).reshape(1, 5, 5, 3)
    >>> still = np.stack(np.meshgrid(np.arange(5.0), np.arange(5.0)))[None].astype(np.float32)
    >>> bool(abs(unwarped(sample, still, smoothness=1e-6).astype(int) - sample).max() <= 1)
    True
    """
    count, height, width, _ = protected.shape
    if positions.shape != (count, 2, height, width):
        raise InvalidInputError(f"positions of {protected.shape} samples are N x 2 x H x W, not {positions.shape}")
    restored = np.empty(protected.shape, np.uint8)
    for sample, (x, y), out in zip(protected, positions, restored, strict=True):
        _restore(sample, x, y, np.float32(smoothness), iterations, out)
    return restored


@njit(cache=True, nogil=True)
def _mirrored(index, side):  # type: ignore[no-untyped-def]  # numba infers them
    """As OpenCV's BORDER_REFLECT: the outermost pixel twice."""
    while index < 0 or index >= side:
        index = -1 - index if index < 0 else 2 * side - 1 - index
    return index


@njit(cache=True, nogil=True)
def _taps(x, y, places, weights):  # type: ignore[no-untyped-def]
    """The four pixels of the original that each pixel was taken from (P x 4), and their weights."""
    height, width = x.shape
    for row in range(height):
        for column in range(width):
            left, top = int(np.floor(x[row, column])), int(np.floor(y[row, column]))
            across, down = x[row, column] - left, y[row, column] - top
            pixel = row * width + column
            for tap in range(4):
                right, below = tap & 1, tap >> 1
                place = _mirrored(top + below, height) * width + _mirrored(left + right, width)
                places[pixel, tap] = place
                weights[pixel, tap] = (across if right else 1 - across) * (down if below else 1 - down)


@njit(cache=True, nogil=True, fastmath=True)
def _normal(image, places, weights, smoothness, height, width, out):  # type: ignore[no-untyped-def]
    """out = (A'A + smoothness G'G) image, all of P x 3; G: differences of neighbours."""
    out[:] = 0
    for pixel in range(places.shape[0]):
        a, b, c, d = places[pixel, 0], places[pixel, 1], places[pixel, 2], places[pixel, 3]
        p, q, r, s = weights[pixel, 0], weights[pixel, 1], weights[pixel, 2], weights[pixel, 3]
        for channel in range(3):
            seen = p * image[a, channel] + q * image[b, channel] + r * image[c, channel] + s * image[d, channel]
            out[a, channel] += p * seen
            out[b, channel] += q * seen
            out[c, channel] += r * seen
            out[d, channel] += s * seen
    for row in range(height):
        for column in range(width):
            pixel = row * width + column
            for channel in range(3):
                if column + 1 < width:
                    step = smoothness * (image[pixel + 1, channel] - image[pixel, channel])
                    out[pixel + 1, channel] += step
                    out[pixel, channel] -= step
                if row + 1 < height:
                    step = smoothness * (image[pixel + width, channel] - image[pixel, channel])
                    out[pixel + width, channel] += step
                    out[pixel, channel] -= step


@njit(cache=True, nogil=True, fastmath=True)
def _restore(sample, x, y, smoothness, iterations, restored):  # type: ignore[no-untyped-def]
    height, width = x.shape
    pixels = height * width
    places, weights = np.empty((pixels, 4), np.int32), np.empty((pixels, 4), np.float32)
    _taps(x, y, places, weights)
    seen = sample.reshape(pixels, 3)
    target, sums = np.zeros((pixels, 3), np.float32), np.zeros(pixels, np.float32)
    diagonal = np.full(pixels, 4 * smoothness, np.float32)
    for pixel in range(pixels):
        for tap in range(4):
            place, weight = places[pixel, tap], weights[pixel, tap]
            diagonal[place] += weight * weight
            sums[place] += weight
            for channel in range(3):
                target[place, channel] += weight * seen[pixel, channel]
    image = np.empty((pixels, 3), np.float32)
    for place in range(pixels):  # begins with what was seen of each pixel on average
        for channel in range(3):
            image[place, channel] = target[place, channel] / sums[place] if sums[place] > 1e-3 else np.float32(128)
    _conjugate_gradient(image, target, places, weights, smoothness, diagonal, height, width, iterations)
    flat = restored.reshape(pixels, 3)
    for pixel in range(pixels):
        for channel in range(3):
            flat[pixel, channel] = np.uint8(min(max(image[pixel, channel] + np.float32(0.5), 0), 255))


@njit(cache=True, nogil=True, fastmath=True)
def _conjugate_gradient(  # type: ignore[no-untyped-def]
    image, target, places, weights, smoothness, diagonal, height, width, iterations
):
    """Improves `image`, in place; the diagonal of the matrix preconditions. The channels share one step length."""
    pixels = len(diagonal)
    product = np.empty_like(image)
    _normal(image, places, weights, smoothness, height, width, product)
    residual = target - product
    direction = np.zeros_like(image)
    before = np.float32(1)
    for iteration in range(iterations):
        size = np.float32(0)
        for pixel in range(pixels):
            for channel in range(3):
                size += residual[pixel, channel] ** 2 / diagonal[pixel]
        if size < np.float32(1e-3):
            break
        share = size / before if iteration else np.float32(0)
        before = size
        for pixel in range(pixels):
            for channel in range(3):
                direction[pixel, channel] = (
                    residual[pixel, channel] / diagonal[pixel] + share * direction[pixel, channel]
                )
        _normal(direction, places, weights, smoothness, height, width, product)
        along = np.float32(0)
        for pixel in range(pixels):
            for channel in range(3):
                along += direction[pixel, channel] * product[pixel, channel]
        step = size / along
        for pixel in range(pixels):
            for channel in range(3):
                image[pixel, channel] += step * direction[pixel, channel]
                residual[pixel, channel] -= step * product[pixel, channel]
