"""Varied crops stay crops, differ from each other, and depend on their generator alone."""

from __future__ import annotations

import cv2
import numpy as np

from benchmark.datasets.synthetic import SyntheticDataset, SyntheticParameters
from benchmark.training.augmentation import blended, cut, varied, varied_batch

FACES = SyntheticDataset(SyntheticParameters()).load(["s0001/0", "s0002/0"]).samples


def test_equal_generators_give_equal_crops_and_the_input_is_untouched() -> None:
    before = FACES.copy()
    a, b = (varied_batch(FACES, np.random.default_rng(5)) for _ in range(2))
    assert np.array_equal(a, b)
    assert a.dtype == np.uint8
    assert a.shape == FACES.shape
    assert not np.array_equal(a, varied_batch(FACES, np.random.default_rng(6)))
    assert np.array_equal(FACES, before)


def test_a_varied_face_is_still_like_itself() -> None:
    """Of many variations the middle one correlates with the face it came from, or with its mirror image."""
    grey = cv2.cvtColor(FACES[0], cv2.COLOR_RGB2GRAY).astype(float)
    random = np.random.default_rng(7)
    likeness = []
    for _ in range(60):
        found = cv2.cvtColor(varied(FACES[0], random), cv2.COLOR_RGB2GRAY).astype(float)
        likeness.append(max(np.corrcoef(found.ravel(), side.ravel())[0, 1] for side in (grey, grey[:, ::-1])))
    assert 0.5 < np.median(likeness) < 0.999


def test_blending_lies_between_both() -> None:
    a, b = np.full((112, 112, 3), 40, np.uint8), np.full((112, 112, 3), 200, np.uint8)
    for seed in range(20):
        value = blended(a, b, np.random.default_rng(seed))
        assert 80 <= value.min() == value.max() <= 160


def test_a_cut_holds_a_fifth_to_a_half_of_the_other() -> None:
    a, b = np.zeros((112, 112, 3), np.uint8), np.full((112, 112, 3), 255, np.uint8)
    shares = [(cut(a, b, np.random.default_rng(seed)) == 255).mean() for seed in range(50)]
    assert min(shares) > 0.18
    assert max(shares) < 0.51
    assert not a.any()
