"""Integer pictures against floating-point references."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from scipy import ndimage

from benchmark.datasets.fields import Integers, blur, enlarge, shift, warp
from benchmark.digest import generator


def _fields(*shape: int) -> Integers:
    smooth = ndimage.gaussian_filter(generator("tests", "fields", *shape).normal(size=shape), (0, 0, 2, 2))
    return np.rint(smooth * 12_000).astype(np.int32)


def test_shift_rounds_to_nearest() -> None:
    values = np.arange(-40, 40)
    assert shift(values, 3).tolist() == np.floor(values / 8 + 0.5).tolist()


def test_enlarge_is_bilinear() -> None:
    fields = _fields(2, 3, 28, 28)
    flat = fields.reshape(6, 28, 28).astype(np.float64)
    expected = np.stack([cv2.resize(field, (56, 56), interpolation=cv2.INTER_LINEAR) for field in flat])
    assert np.abs(enlarge(fields).reshape(6, 56, 56) - expected).max() <= 1.01


@pytest.mark.parametrize("spacing", [1, 2])
def test_blur_is_the_b3_spline(spacing: int) -> None:
    fields = _fields(1, 2, 40, 30)
    taps = np.zeros(4 * spacing + 1)
    taps[::spacing] = np.array([1, 4, 6, 4, 1]) / 16
    expected = ndimage.convolve1d(
        ndimage.convolve1d(fields.astype(float), taps, 2, mode="nearest"), taps, 3, mode="nearest"
    )
    assert np.abs(blur(fields, spacing) - expected).max() <= 1.01


@pytest.mark.parametrize("side", [28, 112])
def test_warp_is_bilinear_and_mirrors(side: int) -> None:
    fields, flow = _fields(2, 2, side, side), _fields(2, 2, side, side) // 2
    y, x = np.mgrid[0:side, 0:side]
    seen = np.stack([y + flow[:, 1] / 256, x + flow[:, 0] / 256], axis=1)
    expected = np.array(
        [
            [ndimage.map_coordinates(field.astype(float), at, order=1, mode="mirror") for field in row]
            for row, at in zip(fields, seen, strict=True)
        ]
    )
    assert seen.min() < -5  # far enough out to need the mirror
    assert seen.max() > side + 4
    slope = max(np.abs(np.diff(fields, axis=axis)).max() for axis in (2, 3))
    assert np.abs(warp(fields, flow) - expected).max() <= 2 + slope / 256
