"""Warps undone: against the dense least-squares solution, and on pictures whose warp is known."""

from __future__ import annotations

import numpy as np
import pytest
from pictures import make_picture
from scipy.sparse.linalg import LinearOperator, cg

from benchmark.cancelable.inversion import unwarped
from benchmark.cancelable.warping import source_positions, vertex_offsets, warp
from benchmark.crypto import derive_key
from benchmark.errors import InvalidInputError

KEYS = [derive_key(bytes(32), "sample", str(number)) for number in range(3)]


def warped(samples: np.ndarray, block_size: int, max_offset: float) -> tuple[np.ndarray, np.ndarray]:
    mesh = {"shape": samples.shape[1:3], "block_size": block_size}
    positions = source_positions(vertex_offsets(KEYS[: len(samples)], max_offset=max_offset, **mesh), **mesh)
    return warp(samples, positions), positions


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    return float(10 * np.log10(255**2 / np.square(a.astype(float) - b).mean()))


@pytest.mark.parametrize(("block_size", "max_offset", "least"), [(8, 4, 33), (16, 6, 33), (20, 9, 33), (20, 25, 28)])
def test_a_warp_is_undone(block_size: int, max_offset: float, least: float) -> None:
    samples = np.stack([make_picture(112, 112, seed) for seed in range(3)])
    hidden, positions = warped(samples, block_size, max_offset)
    restored = unwarped(hidden, positions)
    assert psnr(restored, samples) > max(least, psnr(hidden, samples) + 8)
    assert np.array_equal(unwarped(hidden[1:2], positions[1:2])[0], restored[1])


def least_squares(hidden: np.ndarray, positions: np.ndarray, smoothness: float) -> tuple[np.ndarray, np.ndarray]:
    """Dense matrix of a sample's normal equations and their right side; positions at most a side beyond the border."""
    height, width, _ = hidden.shape
    pixels = height * width
    forward = np.zeros((pixels, pixels))
    x, y = positions.reshape(2, -1).astype(np.float64)
    left, top = np.floor(x).astype(int), np.floor(y).astype(int)
    for down, across, weight in [
        (0, 0, (1 - x + left) * (1 - y + top)), (0, 1, (x - left) * (1 - y + top)),
        (1, 0, (1 - x + left) * (y - top)), (1, 1, (x - left) * (y - top)),
    ]:  # fmt: skip
        row = np.array([-1 - r if r < 0 else 2 * height - 1 - r if r >= height else r for r in top + down])
        column = np.array([-1 - c if c < 0 else 2 * width - 1 - c if c >= width else c for c in left + across])
        np.add.at(forward, (np.arange(pixels), row * width + column), weight)
    grid = np.arange(pixels).reshape(height, width)
    differences = [np.eye(pixels)[grid[:, 1:].ravel()] - np.eye(pixels)[grid[:, :-1].ravel()],
                   np.eye(pixels)[grid[1:].ravel()] - np.eye(pixels)[grid[:-1].ravel()]]  # fmt: skip
    normal = forward.T @ forward + smoothness * sum(one.T @ one for one in differences)
    return normal, forward.T @ hidden.reshape(pixels, 3).astype(float)


def test_it_is_the_least_squares_solution() -> None:
    """Of the same quadratic form, built from dense matrices."""
    hidden, positions = warped(make_picture(12, 10)[None], 4, 3)
    normal, right = least_squares(hidden[0], positions[0], 0.05)
    expected = np.linalg.solve(normal, right)
    found = unwarped(hidden, positions, smoothness=0.05, iterations=300)
    assert abs(found[0].reshape(120, 3) - expected.clip(0, 255)).max() <= 1
    again, _ = cg(LinearOperator((120, 120), matvec=lambda v: normal @ v), right[:, 0])
    assert np.allclose(again, expected[:, 0], atol=0.1)


def test_so_it_is_where_positions_lie_anywhere() -> None:
    """Also beyond the border, where they are mirrored, and where most of the original is never seen."""
    random = np.random.default_rng(3)
    hidden = random.integers(0, 256, (2, 12, 10, 3), np.uint8)
    positions = random.uniform(-9, 19, (2, 2, 12, 10)).astype(np.float32)
    positions[1] = positions[1] / 4 - 1  # all of a corner, over and over, nothing of the rest
    found = unwarped(hidden, positions, smoothness=0.05, iterations=300)
    for number in range(2):
        expected = np.linalg.solve(*least_squares(hidden[number], positions[number], 0.05))
        assert abs(found[number].reshape(120, 3) - expected.clip(0, 255)).max() <= 1
    side = np.array([20, 24], np.float32).reshape(2, 1, 1)
    assert abs(unwarped(hidden, positions + 2 * side).astype(int) - unwarped(hidden, positions)).max() <= 1


def test_positions_have_to_fit() -> None:
    with pytest.raises(InvalidInputError, match="N x 2 x H x W"):
        unwarped(np.zeros((1, 4, 4, 3), np.uint8), np.zeros((1, 4, 4, 2), np.float32))
