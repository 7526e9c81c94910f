"""Batch normalisation with a PReLU behind it, forward and backward, for training on a CPU.

torch runs the two as four passes over memory forward and seven backward, and on a CPU its PReLU backward alone takes a
third of a training step. Here it is two passes each way over channels-last rows, compiled.
"""

from __future__ import annotations

from typing import Any, cast

import numba
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

Floats = npt.NDArray[np.float32]
#: Rows are taken together, so that short rows fill vector units.
_ROWS = 8
#: Sums are added up in that many parts, however many threads there are: the same bits for all of them.
_PARTS = 32


def normalised_prelu(x: Tensor, norm: nn.BatchNorm2d, slopes: Tensor | None) -> Tensor:
    """What `prelu(norm(x))` gives in training (without slopes: `norm(x)`), and what it does to the running statistics.

    x: float32, N x C x H x W; anything but channels-last is copied. slopes: C, or 1 for all channels.

    >>> x, norm = torch.randn(2, 3, 4, 4), nn.BatchNorm2d(3)
    >>> torch.allclose(normalised_prelu(x, norm, None), nn.BatchNorm2d(3)(x), atol=1e-5)
    True
    """
    given = torch.ones(1) if slopes is None else slopes
    y, mean, variance = _apply(x, norm.weight, norm.bias, given, norm.eps)
    with torch.no_grad():
        count = x.numel() // x.shape[1]
        momentum = cast(float, norm.momentum)
        cast(Tensor, norm.running_mean).lerp_(mean, momentum)
        cast(Tensor, norm.running_var).lerp_(variance * (count / (count - 1)), momentum)
        cast(Tensor, norm.num_batches_tracked).add_(1)
    return y


class _Fused(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, slopes: Tensor, epsilon: float) -> Any:
        x = x.contiguous(memory_format=torch.channels_last)
        channels = x.shape[1]
        rows = _rows(x)
        sums, squares = (_folded(part, channels) for part in _moments(rows))
        count = x.numel() // channels
        mean = sums / count
        variance = np.maximum(squares / count - mean**2, 0)
        scale = weight.detach().numpy() / np.sqrt(variance + epsilon)
        shift = bias.detach().numpy() - mean * scale
        slope = np.broadcast_to(slopes.detach().numpy(), channels)
        y = torch.empty_like(x, memory_format=torch.channels_last)
        tiles = _tiled(rows, scale, shift, slope)
        _forward(rows, tiles[0], tiles[1], tiles[2], _rows(y))
        ctx.save_for_backward(x)
        ctx.found = mean, variance, epsilon, scale, shift, slope, slopes.numel()
        found = (torch.from_numpy(one.astype(np.float32)) for one in (mean, variance))
        statistics = tuple(found)
        ctx.mark_non_differentiable(*statistics)
        return (y, *statistics)

    @staticmethod
    def backward(ctx: Any, grad: Tensor, *_: Any) -> Any:
        (x,) = ctx.saved_tensors
        mean, variance, epsilon, scale, shift, slope, count_slopes = ctx.found
        grad = grad.contiguous(memory_format=torch.channels_last)
        channels, count = x.shape[1], x.numel() // x.shape[1]
        rows, grads = _rows(x), _rows(grad)
        tiles = _tiled(rows, scale, shift, slope)
        sums = _gradient_sums(rows, grads, tiles[0], tiles[1], tiles[2])
        sum_g, sum_gx, sum_slope = (_folded(part, channels) for part in sums)
        deviation = np.sqrt(variance + epsilon)
        to_weight = (sum_gx - mean * sum_g) / deviation
        # gx = scale (gz - mean(gz) - normalised x mean(gz normalised x)): linear in gz and x.
        of_x = -scale * to_weight / deviation / count
        constant = -scale * sum_g / count - of_x * mean
        gx = torch.empty_like(x, memory_format=torch.channels_last)
        line = _tiled(rows, of_x, constant)
        _backward(rows, grads, tiles[0], tiles[1], tiles[2], line[0], line[1], _rows(gx))
        to_slopes = sum_slope if count_slopes > 1 else sum_slope.sum(keepdims=True)
        rest = (torch.from_numpy(one.astype(np.float32)) for one in (to_weight, sum_g, to_slopes))
        return gx, *rest, None


def _apply(*arguments: Any) -> tuple[Tensor, Tensor, Tensor]:
    return cast(tuple[Tensor, Tensor, Tensor], _Fused.apply(*arguments))  # type: ignore[no-untyped-call]  # torch's


def _rows(x: Tensor) -> Floats:
    """Channels-last memory as rows: several pixels side by side where their number allows."""
    channels = x.shape[1]
    flat: Floats = x.detach().permute(0, 2, 3, 1).reshape(-1, channels).numpy()
    taken = _ROWS if len(flat) % _ROWS == 0 else 1
    return flat.reshape(-1, taken * channels)


def _tiled(rows: Floats, *values: npt.NDArray[Any]) -> tuple[Floats, ...]:
    return tuple(np.tile(one.astype(np.float32), rows.shape[1] // one.size) for one in values)


def _folded(parts: npt.NDArray[np.float64], channels: int) -> npt.NDArray[np.float64]:
    return np.asarray(parts.reshape(-1, channels).sum(0))


@numba.njit(cache=True, nogil=True, fastmath=True)
def _moments(x: Any) -> Any:
    sums = np.zeros((_PARTS, x.shape[1]))
    squares = np.zeros((_PARTS, x.shape[1]))
    for part in range(_PARTS):
        for row in range(part * len(x) // _PARTS, (part + 1) * len(x) // _PARTS):
            for lane in range(x.shape[1]):
                value = np.float64(x[row, lane])
                sums[part, lane] += value
                squares[part, lane] += value * value
    return sums, squares


@numba.njit(cache=True, nogil=True, fastmath=True)
def _forward(x: Any, scale: Any, shift: Any, slope: Any, y: Any) -> None:
    for part in range(_PARTS):
        for row in range(part * len(x) // _PARTS, (part + 1) * len(x) // _PARTS):
            for lane in range(x.shape[1]):
                z = x[row, lane] * scale[lane] + shift[lane]
                y[row, lane] = z if z > 0 else z * slope[lane]


@numba.njit(cache=True, nogil=True, fastmath=True)
def _gradient_sums(x: Any, g: Any, scale: Any, shift: Any, slope: Any) -> Any:
    sum_g = np.zeros((_PARTS, x.shape[1]))
    sum_gx = np.zeros((_PARTS, x.shape[1]))
    sum_slope = np.zeros((_PARTS, x.shape[1]))
    for part in range(_PARTS):
        for row in range(part * len(x) // _PARTS, (part + 1) * len(x) // _PARTS):
            for lane in range(x.shape[1]):
                value, gradient = x[row, lane], g[row, lane]
                z = value * scale[lane] + shift[lane]
                through = gradient if z > 0 else gradient * slope[lane]
                sum_g[part, lane] += through
                sum_gx[part, lane] += np.float64(through * value)
                sum_slope[part, lane] += np.float64(np.float32(0) if z > 0 else gradient * z)
    return sum_g, sum_gx, sum_slope


@numba.njit(cache=True, nogil=True, fastmath=True)
def _backward(x: Any, g: Any, scale: Any, shift: Any, slope: Any, of_x: Any, constant: Any, gx: Any) -> None:
    for part in range(_PARTS):
        for row in range(part * len(x) // _PARTS, (part + 1) * len(x) // _PARTS):
            for lane in range(x.shape[1]):
                z = x[row, lane] * scale[lane] + shift[lane]
                through = g[row, lane] if z > 0 else g[row, lane] * slope[lane]
                gx[row, lane] = through * scale[lane] + x[row, lane] * of_x[lane] + constant[lane]
