"""What a warp has left of a sample, put back where it came from: the inverse of a known map of positions.

The warp takes every pixel of the protected sample from four of the original, with weights that its position alone
decides: protected = A original, A known, linear, with four entries a row. So no inverse mesh has to be found and folds
are no special case: what is wanted is the smoothest original that explains the protected sample,

    minimise |A x - protected|^2 + smoothness |gradient x|^2,

in each channel. Where the mesh folds, or nothing was sampled, the second term interpolates between neighbours. The
conjugate gradient method on the normal equations (Hestenes & Stiefel, 1952) is compiled, one sample after another.

Their matrix N = A'A + smoothness G'G, with G the differences of neighbours, joins only pixels that were interpolated
together: each with its eight neighbours, wherever a fold shows them. So it is summed up once a sample, as a stencil of
four planes, and multiplied without looking up any position: `_OWN` joins a pixel with itself, `_RIGHT` with the next
in its row, `_BELOW` with the one below, `_ACROSS` with the one below that. Interpolation joins the two others of such
four pixels just as much, and N is symmetric. Planes are rows of pixels one behind another, between margins of a row and
a pixel of zeros, so that neighbours beyond the sample need no exception.
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

_OWN, _RIGHT, _BELOW, _ACROSS = range(4)
#: Typed, since a plain 1 would have numba compute in double precision.
_ZERO, _HALF, _ONE = np.float32(0), np.float32(0.5), np.float32(1)
_GREY, _UNSEEN, _DONE, _WHITE = np.float32(128), np.float32(1e-3), np.float32(1e-3), np.float32(255)


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
    smooth = _smooth(height, width, smoothness)
    _restore(np.ascontiguousarray(protected), np.ascontiguousarray(positions), smooth, iterations, restored)
    return restored


def _smooth(height: int, width: int, smoothness: float) -> npt.NDArray[np.float32]:
    """The stencil of smoothness G'G, which samples of one size share: 4 x (pixels and margins)."""
    stencil = np.zeros((4, (height + 2) * width + 2), np.float32)
    own, right, below, _ = stencil[:, width + 1 : -width - 1].reshape(4, height, width)
    right[:, :-1] = below[:-1] = -smoothness
    own[:] = -right - below
    own[:, 1:] -= right[:, :-1]
    own[1:] -= below[:-1]
    return stencil


@njit(cache=True, nogil=True, error_model="numpy")
def _restore(protected, positions, smooth, iterations, restored):  # type: ignore[no-untyped-def]  # numba infers them
    """Conjugate gradients; the diagonal of N preconditions, and the channels share one step length."""
    count, height, width, _ = protected.shape
    cells, shares = np.empty((height, width), np.int32), np.empty((2, height, width), np.float32)
    stencil, inverse = np.empty_like(smooth), np.zeros(smooth.shape[1], np.float32)
    image, residual = np.empty((3, smooth.shape[1]), np.float32), np.empty((3, smooth.shape[1]), np.float32)
    direction, product = np.zeros_like(image), np.zeros_like(image)
    for number in range(count):
        stencil[:] = smooth
        image[:] = _ZERO
        residual[:] = _ZERO
        _locate(positions[number], cells, shares)
        _sum_up(protected[number], cells, shares, stencil, residual)
        _begin(stencil, residual, width, direction, inverse)
        size = _ZERO
        for iteration in range(iterations + 1):  # the first one goes from nothing to where the others begin
            along = _multiply(stencil, direction, width, product)
            step = size / along if iteration else _ONE
            before, size = size, _advance(step, direction, product, inverse, image, residual)
            if size < _DONE or iteration == iterations:
                break
            _turn(residual, inverse, size / before if iteration else _ZERO, direction)
        _round(image, width, restored[number])


@njit(cache=True, nogil=True, fastmath=True)
def _locate(positions, cells, shares):  # type: ignore[no-untyped-def]
    """Index of the upper left one of the four pixels that each was taken from; how far to the right and down of it.

    A position beyond the border is mirrored at it as by OpenCV's BORDER_REFLECT, the outermost pixel twice: between the
    two there is nothing to interpolate, so it lies on that pixel.
    """
    height, width = cells.shape
    sides = np.float32(width), np.float32(height)
    for row in range(height):
        for column in range(width):
            x = _mirrored(positions[0, row, column], sides[0])
            y = _mirrored(positions[1, row, column], sides[1])
            left, top = np.int32(x), np.int32(y)
            cells[row, column] = top * np.int32(width) + left
            shares[0, row, column] = x - np.float32(left)
            shares[1, row, column] = y - np.float32(top)


@njit(cache=True, nogil=True, fastmath=True)
def _mirrored(position, side):  # type: ignore[no-untyped-def]
    """A position along a side, mirrored as often as it takes; one within the sample stays as it is, to the last bit."""
    period = side + side
    position -= period * np.floor((position + _HALF) / period)
    return min(max(min(position, period - _ONE - position), _ZERO), side - _ONE)


@njit(cache=True, nogil=True, fastmath=True)
def _sum_up(sample, cells, shares, stencil, target):  # type: ignore[no-untyped-def]
    """Adds A'A to the stencil and A'sample to the target."""
    height, width = cells.shape
    own, right, below, across = stencil[_OWN], stencil[_RIGHT], stencil[_BELOW], stencil[_ACROSS]
    for row in range(height):
        for column in range(width):
            u, v = shares[0, row, column], shares[1, row, column]
            # The four pixels, row by row; an unsigned index is not looked at for being counted from the end.
            a = np.uintp(cells[row, column] + width + 1)
            b, c, d = a + np.uintp(1), a + np.uintp(width), a + np.uintp(width + 1)
            left, top = _ONE - u, _ONE - v
            left2, both, right2 = left * left, left * u, u * u
            top2, bottom2 = top * top, v * v
            own[a] += left2 * top2
            own[b] += right2 * top2
            own[c] += left2 * bottom2
            own[d] += right2 * bottom2
            right[a] += both * top2
            right[c] += both * bottom2
            below[a] += left2 * (top * v)
            below[b] += right2 * (top * v)
            across[a] += both * (top * v)
            for channel in range(3):
                seen = np.float32(sample[row, column, channel])
                target[channel, a] += left * top * seen
                target[channel, b] += u * top * seen
                target[channel, c] += left * v * seen
                target[channel, d] += u * v * seen


@njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def _begin(stencil, target, width, image, inverse):  # type: ignore[no-untyped-def]
    """The image begins with what was seen of each pixel on average, or grey; the inverse diagonal of N.

    How much was seen of a pixel is the sum of its row of N, since the weights of every pixel sum to 1. In
    numpy's error model no division looks for zeros, which would keep the loop from being vectorised.
    """
    own, right, below, across = stencil[_OWN], stencil[_RIGHT], stencil[_BELOW], stencil[_ACROSS]
    red, green, blue = image[0], image[1], image[2]
    sums_red, sums_green, sums_blue = target[0], target[1], target[2]
    for pixel in range(own.size - 2 * width - 2):
        nw, n, w, at = np.uintp(pixel), np.uintp(pixel + 1), np.uintp(pixel + width), np.uintp(pixel + width + 1)
        seen = own[at] + right[at] + right[w] + below[at] + below[n] + across[at] + across[w] + across[n] + across[nw]
        share = _ONE / seen if seen > _UNSEEN else _ZERO
        grey = _ZERO if seen > _UNSEEN else _GREY
        inverse[at] = _ONE / own[at]
        red[at] = sums_red[at] * share + grey
        green[at] = sums_green[at] * share + grey
        blue[at] = sums_blue[at] * share + grey


@njit(cache=True, nogil=True, fastmath=True)
def _multiply(stencil, image, width, product):  # type: ignore[no-untyped-def]
    """product = N image, in three channels; returns their inner product."""
    own, right, below, across = stencil[_OWN], stencil[_RIGHT], stencil[_BELOW], stencil[_ACROSS]
    red, green, blue = image[0], image[1], image[2]
    new_red, new_green, new_blue = product[0], product[1], product[2]
    along = _ZERO
    for pixel in range(own.size - 2 * width - 2):
        nw, n, w, at = np.uintp(pixel), np.uintp(pixel + 1), np.uintp(pixel + width), np.uintp(pixel + width + 1)
        a, b, c = across[nw], below[n], across[n]
        d, e, f = right[w], own[at], right[at]
        g, h, i = across[w], below[at], across[at]
        r = _weighted(red, pixel, width, a, b, c, d, e, f, g, h, i)
        s = _weighted(green, pixel, width, a, b, c, d, e, f, g, h, i)
        t = _weighted(blue, pixel, width, a, b, c, d, e, f, g, h, i)
        along += r * red[at] + s * green[at] + t * blue[at]
        new_red[at] = r
        new_green[at] = s
        new_blue[at] = t
    return along


@njit(cache=True, nogil=True, fastmath=True)
def _weighted(plane, first, width, a, b, c, d, e, f, g, h, i):  # type: ignore[no-untyped-def]
    """Weighted sum of three by three pixels, the first of them given."""
    top, middle, bottom = np.uintp(first), np.uintp(first + width), np.uintp(first + 2 * width)
    one, two = np.uintp(1), np.uintp(2)
    total = a * plane[top] + b * plane[top + one] + c * plane[top + two]
    total += d * plane[middle] + e * plane[middle + one] + f * plane[middle + two]
    return total + g * plane[bottom] + h * plane[bottom + one] + i * plane[bottom + two]


@njit(cache=True, nogil=True, fastmath=True)
def _turn(residual, inverse, share, direction):  # type: ignore[no-untyped-def]
    """The next direction: along the preconditioned residual, conjugate to the one before."""
    for channel in range(3):
        for pixel in range(inverse.size):
            ahead = residual[channel, pixel] * inverse[pixel]
            direction[channel, pixel] = ahead + share * direction[channel, pixel]


@njit(cache=True, nogil=True, fastmath=True)
def _advance(step, direction, product, inverse, image, residual):  # type: ignore[no-untyped-def]
    """Improves the image along the direction; returns the size of the residual that is left."""
    size = _ZERO
    for channel in range(3):
        for pixel in range(inverse.size):
            image[channel, pixel] += step * direction[channel, pixel]
            left = residual[channel, pixel] - step * product[channel, pixel]
            residual[channel, pixel] = left
            size += left * left * inverse[pixel]
    return size


@njit(cache=True, nogil=True, fastmath=True)
def _round(image, width, restored):  # type: ignore[no-untyped-def]
    """To 8 bits, pixel by pixel. Three stores in a row are vectorised, a loop over the channels is not."""
    red, green, blue = image[0], image[1], image[2]
    values = restored.reshape(-1)
    for pixel in range(restored.shape[0] * width):
        at, first = np.uintp(pixel + width + 1), np.uintp(3 * pixel)
        values[first] = _grey_level(red[at])
        values[first + np.uintp(1)] = _grey_level(green[at])
        values[first + np.uintp(2)] = _grey_level(blue[at])


@njit(cache=True, nogil=True, fastmath=True)
def _grey_level(value):  # type: ignore[no-untyped-def]
    return np.uint8(np.int32(min(max(value + _HALF, _ZERO), _WHITE)))
