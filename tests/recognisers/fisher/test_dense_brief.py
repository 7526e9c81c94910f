"""Dense BRIEF against scikit-image's comparisons and against its definition beyond the border."""

from __future__ import annotations

import numpy as np
import pytest
from skimage.feature.brief_cy import _brief_loop

from benchmark.recognisers.fisher.dense_brief import DIMENSION, dense_brief, point_pairs


@pytest.mark.parametrize("patch", [16, 32, 48])
def test_equals_scikit_image_inside(patch: int) -> None:
    image = np.random.default_rng(patch).normal(size=(90, 80))
    rows, columns = np.array([24, 40, 65]), np.array([24, 55])
    places = np.array([(r, c) for r in rows for c in columns], np.int64)
    pairs = point_pairs(patch).astype(np.int32)
    theirs = np.zeros((len(places), DIMENSION), np.uint8)
    _brief_loop(
        image.astype(np.float32), theirs, places, np.ascontiguousarray(pairs[:, 0]), np.ascontiguousarray(pairs[:, 1])
    )
    ours = dense_brief(image.astype(np.float32), rows, columns, patch)
    assert np.array_equal(ours.reshape(-1, DIMENSION), theirs)


def test_beyond_the_border_the_image_goes_on() -> None:
    image = np.random.default_rng(1).normal(size=(40, 40)).astype(np.float32)
    found = dense_brief(image, np.array([0, 39]), np.array([2]), 32)
    for row, bits in zip((0, 39), found[:, 0], strict=True):
        points = np.clip(point_pairs(32) + np.array([row, 2]), 0, 39)
        values = image[points[..., 0], points[..., 1]]
        assert np.array_equal(bits, values[:, 0] < values[:, 1])


def test_pairs_are_always_the_same_and_grow_with_the_patch() -> None:
    assert point_pairs(32)[0].tolist() == point_pairs.__wrapped__(32)[0].tolist()
    assert np.abs(point_pairs(48) - 1.5 * point_pairs(32)).max() <= 1.25
    assert np.abs(point_pairs(320) / 320).std() < 1 / 5 < np.std(point_pairs(320) / 320) + 0.01


def test_brightness_does_not_matter() -> None:
    image = np.random.default_rng(2).integers(0, 100, (60, 60)).astype(np.float32)
    at = np.array([30])
    assert np.array_equal(dense_brief(image, at, at, 32), dense_brief(2 * image + 5, at, at, 32))
