"""The warp against cases written out by hand, scipy, and what a mesh must keep to."""

from __future__ import annotations

import numpy as np
import pytest
from pictures import make_picture
from scipy import stats
from scipy.interpolate import RegularGridInterpolator
from scipy.ndimage import map_coordinates

from benchmark.cancelable import edges, source_positions, vertex_offsets, warp
from benchmark.crypto import derive_key
from benchmark.errors import InvalidInputError

KEYS = [derive_key(bytes(32), "sample", str(number)) for number in range(200)]
SAMPLES = np.stack([make_picture(112, 96, seed) for seed in range(3)])


def _still(shape: tuple[int, int], block_size: int, count: int = 1) -> np.ndarray:
    rows, columns = (len(edges(side, block_size)) for side in shape)
    return np.zeros((count, 2, rows, columns), np.float32)


@pytest.mark.parametrize("block_size", [1, 7, 8, 20, 95])
def test_no_displacement_leaves_the_image(block_size: int) -> None:
    positions = source_positions(_still((112, 96), block_size, 3), shape=(112, 96), block_size=block_size)
    assert np.array_equal(warp(SAMPLES, positions), SAMPLES)
    y, x = np.mgrid[:112, :96]
    assert np.allclose(positions[0], [x, y], atol=1e-4)


def test_a_constant_shift_moves_the_image_by_exactly_that() -> None:
    offsets = _still((112, 96), 16, 3)
    offsets[:, 0], offsets[:, 1] = 3, -5
    shifted = warp(SAMPLES, source_positions(offsets, shape=(112, 96), block_size=16))
    assert np.array_equal(shifted[:, 5:, :-3], SAMPLES[:, :-5, 3:])
    # Beyond the border the sample is mirrored at it: row -1 is row 0 again, row -5 is row 4.
    assert np.array_equal(shifted[:, :5, :-3], SAMPLES[:, 4::-1, 3:])


def test_one_vertex_by_hand() -> None:
    # A mesh of 2 x 2 blocks over 4 x 4 pixels; its only inner vertex, at (2, 2), looks one pixel to the right. Pixel
    # centres lie 0.5 and 1.5 from the border, so a quarter and three quarters of the vertex count for each axis.
    offsets = _still((4, 4), 2)
    offsets[0, 0, 1, 1] = 1
    x, y = source_positions(offsets, shape=(4, 4), block_size=2)[0]
    share = np.array([0.25, 0.75, 0.75, 0.25])
    assert np.allclose(x, np.arange(4) + np.outer(share, share))
    assert np.allclose(y, np.arange(4)[:, None])
    ramp = np.broadcast_to((16 * np.arange(4, dtype=np.uint8))[None, None, :, None], (1, 4, 4, 3))
    warped = warp(ramp, source_positions(offsets, shape=(4, 4), block_size=2))
    # Each pixel is 16 grey levels brighter for each pixel that it looks to the right; at 48 the ramp ends.
    assert warped[0, ..., 0].tolist() == [[1, 19, 35, 48], [3, 25, 41, 48], [3, 25, 41, 48], [1, 19, 35, 48]]


@pytest.mark.parametrize(("block_size", "max_offset"), [(8, 4), (20, 25)])
def test_it_is_scipys_bilinear_interpolation(block_size: int, max_offset: float) -> None:
    offsets = vertex_offsets(KEYS[:3], shape=(112, 96), block_size=block_size, max_offset=max_offset)
    positions = source_positions(offsets, shape=(112, 96), block_size=block_size)
    warped = warp(SAMPLES, positions)
    lines = edges(112, block_size), edges(96, block_size)
    y, x = np.mgrid[:112, :96]
    for number in range(3):
        at = RegularGridInterpolator(lines, np.moveaxis(offsets[number], 0, -1))(np.stack([y + 0.5, x + 0.5], -1))
        assert np.allclose(positions[number], [x + at[..., 0], y + at[..., 1]], atol=1e-4)
        for channel in range(3):
            plane = SAMPLES[number, ..., channel].astype(float)
            expected = map_coordinates(plane, [y + at[..., 1], x + at[..., 0]], order=1, mode="reflect")
            assert abs(warped[number, ..., channel] - expected).max() < 0.51


def test_offsets_are_uniform_and_leave_the_border() -> None:
    offsets = vertex_offsets(KEYS, shape=(112, 112), block_size=20, max_offset=9)
    assert offsets.shape == (200, 2, 7, 7)
    inner = offsets[:, :, 1:-1, 1:-1]
    assert stats.kstest(inner.ravel(), stats.uniform(-9, 18).cdf).pvalue > 0.01
    assert abs(np.corrcoef(inner[:, 0].ravel(), inner[:, 1].ravel())[0, 1]) < 0.05
    offsets[:, :, 1:-1, 1:-1] = 0
    assert not offsets.any()


def test_offsets_are_named_by_key_and_mesh() -> None:
    one = vertex_offsets(KEYS[:2], shape=(112, 112), block_size=8, max_offset=4)
    assert np.array_equal(one, vertex_offsets(KEYS[:2], shape=(112, 112), block_size=8, max_offset=4))
    assert np.array_equal(one[1:], vertex_offsets(KEYS[1:2], shape=(112, 112), block_size=8, max_offset=4))
    assert (one[0] != one[1])[:, 1:-1, 1:-1].all()
    # Golden: the first three words of OpenSSL's SHAKE256 over label and key, from 0 .. 2^16 to -4 .. 4.
    assert one[0, 0, 1, 1:4].tolist() == pytest.approx([3.906982, -1.255249, -0.968994], abs=1e-6)


@pytest.mark.parametrize(
    ("block_size", "max_offset", "least", "most"),
    [(16, 4, 0, 0), (8, 4, 0, 0.002), (16, 6, 0, 0.0005), (20, 9, 0, 0.001), (20, 25, 0.15, 0.25)],
)
def test_a_mesh_folds_as_its_offsets_say(block_size: int, max_offset: float, least: float, most: float) -> None:
    offsets = vertex_offsets(KEYS, shape=(112, 112), block_size=block_size, max_offset=max_offset)
    x, y = np.moveaxis(source_positions(offsets, shape=(112, 112), block_size=block_size), 1, 0)
    rightward = [np.diff(axis, axis=2)[:, :-1] for axis in (x, y)]
    downward = [np.diff(axis, axis=1)[..., :-1] for axis in (x, y)]
    folded = rightward[0] * downward[1] < rightward[1] * downward[0]
    assert least <= folded.mean() <= most
    turned = (rightward[0] < -1e-4) | (downward[1] < -1e-4)
    assert turned.any() == (max_offset > block_size / 2)


def test_a_mesh_without_a_line_inside_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="block_size 112 lays no mesh over a side of 112 pixels"):
        edges(112, 112)
