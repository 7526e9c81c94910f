"""Dense SIFT against its definition written out, and against OpenCV's SIFT at the same places."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from benchmark.recognisers.fisher.dense_sift import DIMENSION, dense_sift, orientation_maps

Floats = npt.NDArray[np.float32]


def _texture(seed: int, side: int = 80) -> Floats:
    noise = np.random.default_rng(seed).normal(size=(side, side)).astype(np.float32)
    return np.asarray(cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 2), None, 0, 255, cv2.NORM_MINMAX), np.float32)


def _written_out(image: Floats, row: int, column: int, cell: int) -> npt.NDArray[np.float64]:
    """One descriptor, pixel by pixel: bilinear in row, column and orientation; a Gaussian weight for each cell."""
    dy, dx = np.gradient(image.astype(np.float64))
    total = np.zeros((4, 4, 8))
    centres = (np.arange(4) - 1.5) * cell
    offsets = np.arange(-cell, cell + 1)
    triangle = 1 - abs(offsets) / cell
    window = [(np.exp(-0.5 * ((c + offsets) / (2 * cell)) ** 2) * triangle).sum() for c in centres]
    for y in range(len(image)):
        for x in range(len(image)):
            turn = (np.arctan2(dy[y, x], dx[y, x]) / (2 * np.pi) * 8) % 8
            for i, j in np.ndindex(4, 4):
                near = max(0, 1 - abs(y - row - centres[i]) / cell) * max(0, 1 - abs(x - column - centres[j]) / cell)
                if near > 0:
                    weight = near * window[i] * window[j] * np.hypot(dy[y, x], dx[y, x])
                    total[j, i, int(turn) % 8] += weight * (1 - turn % 1)
                    total[j, i, (int(turn) + 1) % 8] += weight * (turn % 1)
    unit = np.minimum(total.ravel() / np.linalg.norm(total), 0.2)
    return np.sqrt(unit / unit.sum())


def test_orientations_equal_numpy() -> None:
    image = _texture(5)
    image[:20] = np.rint(image[:20] / 50)  # gradients along the axes and diagonals, and none
    dy, dx = np.gradient(image.astype(np.float64))
    turn = (np.arctan2(dy, dx) / (2 * np.pi) * 8) % 8
    near = np.maximum(0, 1 - np.abs((turn[..., None] - np.arange(8) + 4) % 8 - 4))
    assert np.allclose(orientation_maps(image), near * np.hypot(dy, dx)[..., None], atol=1e-4)


@pytest.mark.parametrize("cell", [2, 4, 6])
def test_equals_the_definition_also_at_the_border(cell: int) -> None:
    image = _texture(cell, 40)
    rows, columns = np.array([4, 20, 33]), np.array([9, 38])
    found = dense_sift(orientation_maps(image), rows, columns, cell)
    for r, c in np.ndindex(3, 2):
        assert np.allclose(found[r, c], _written_out(image, rows[r], columns[c], cell), atol=2e-4)


def test_agrees_with_opencv() -> None:
    """OpenCV weighs pixels by a Gaussian, not cells, and blurs to deviation 1.6 first: alike, not equal."""
    image = _texture(7)
    rows, columns, cell = np.arange(30, 50, 4), np.arange(30, 50, 4), 4
    # A cell of OpenCV's is 1.5 keypoint sizes; its cells run along rows first, its angles the other way round.
    points = [cv2.KeyPoint(float(x), float(y), cell / 1.5, 0) for y in rows for x in columns]
    theirs = cv2.SIFT_create().compute(np.rint(image).astype(np.uint8), points)[1].reshape(-1, 4, 4, 8)
    theirs = np.sqrt(theirs / theirs.sum(axis=(1, 2, 3), keepdims=True))
    ours = dense_sift(orientation_maps(cv2.GaussianBlur(image, (0, 0), 1.5)), rows, columns, cell)
    ours = np.roll(ours.reshape(-1, 4, 4, 8).transpose(0, 2, 1, 3)[..., ::-1], 1, axis=-1)
    alike = (ours * theirs).sum(axis=(1, 2, 3))
    assert alike.mean() > 0.97
    assert alike.min() > 0.9
    others = (ours * np.roll(theirs, 5, axis=0)).sum(axis=(1, 2, 3))
    assert alike.mean() > others.mean() + 0.1


def test_length_is_one_and_contrast_does_not_matter() -> None:
    image = _texture(3)
    at = np.array([30, 44])
    found = dense_sift(orientation_maps(image), at, at, 4)
    assert found.shape == (2, 2, DIMENSION)
    assert np.allclose(np.linalg.norm(found, axis=-1), 1, atol=1e-5)
    assert np.allclose(dense_sift(orientation_maps(image / 3 + 40), at, at, 4), found, atol=1e-4)


def test_a_flat_image_has_no_descriptor() -> None:
    at = np.array([40])
    assert not dense_sift(orientation_maps(np.full((80, 80), 9, np.float32)), at, at, 4).any()
