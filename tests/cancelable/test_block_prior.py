"""What is learned of blocks and seams: against closed forms and plain loops."""

from __future__ import annotations

import numpy as np
import pytest
from pictures import make_picture

from benchmark.cancelable import block_prior
from benchmark.cancelable.block_prior import GRAIN, borders, cut, difference, learn_blocks, seams
from benchmark.errors import InvalidInputError


def test_blocks_are_cut_row_by_row() -> None:
    sample = make_picture(24, 16)[None]
    blocks = cut(sample, 8)
    assert blocks.shape == (1, 6, 8, 8, 3)
    for number in range(6):
        top, left = 8 * (number // 2), 8 * (number % 2)
        assert np.array_equal(blocks[0, number], sample[0, top : top + 8, left : left + 8])


def test_a_slope_goes_on_through_its_seams() -> None:
    y, x = np.mgrid[0:16, 0:16]
    plane = (20 + 3 * x + 5 * y).astype(np.uint8)[None, ..., None].repeat(3, axis=3)
    blocks = cut(plane, 4)[0]
    right, left, bottom, top = borders(blocks)
    assert right.shape == (16, 12)
    for a, b, way in seams(4, 4):
        one, other = ((right, left), (bottom, top))[way]
        assert difference(one[a], other[b]) == pytest.approx(np.log(GRAIN))
        assert difference(one[b], other[a]) > difference(one[a], other[b])
    assert difference(right[0], left[2]) == pytest.approx(np.log(GRAIN + 12))  # four columns of 3 are missing between


def test_every_two_neighbours_have_one_seam() -> None:
    found = {(int(a), int(b)) for a, b, _ in seams(3, 5)}
    places = np.indices((3, 5)).reshape(2, -1).T
    expected = {
        (i, j) for i in range(15) for j in range(i + 1, 15) if abs(places[i] - places[j]).sum() == 1
    }  # fmt: skip
    assert found == expected
    assert len(seams(3, 5)) == len(expected)


def test_faces_with_one_factor_are_learned_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    """Brightness is all that two places have in common: its variance is found, and what is left is independent."""
    monkeypatch.setattr(block_prior, "FACTORS", 1)
    random = np.random.default_rng(3)
    light = random.normal(0, 12, 800)
    samples = 120 + light[:, None, None, None] + random.normal(0, 3, (800, 4, 8, 3))
    learned = learn_blocks(samples.round().clip(0, 255).astype(np.uint8), block_size=4)
    assert learned["loadings"].shape == (2, block_prior.COMPONENTS + 4, 1)
    # 48 equal values of deviation 12 make one component of deviation 12 sqrt 48 in each of two places.
    assert np.linalg.norm(learned["loadings"], axis=(1, 2)) == pytest.approx(np.full(2, 12 * np.sqrt(48)), rel=0.05)
    assert np.diagonal(learned["noise"], axis1=1, axis2=2).max() < 3**2 * 1.5 + 1
    # Borders that only share the light go on in each other nowhere better than elsewhere.
    assert learned["seams"].shape == (1, 2)


def test_seams_of_pictures_are_told_from_blocks_laid_side_by_side() -> None:
    samples = np.stack([make_picture(32, 32, seed) for seed in range(40)])
    slope, offset = learn_blocks(samples, block_size=8)["seams"].T
    assert (slope >= 0).all()
    right, left, _, _ = borders(cut(samples, 8))
    beside, apart = difference(right[:, 0], left[:, 1]), difference(right[:, 0], left[:, 14])
    assert (slope[0] * beside - offset[0]).mean() < 0 < (slope[0] * apart - offset[0]).mean()


def test_too_few_samples_are_refused() -> None:
    with pytest.raises(InvalidInputError, match="from 1 samples"):
        learn_blocks(np.zeros((1, 16, 16, 3), np.uint8), block_size=8)


def test_two_samples_are_enough_to_learn_something_finite() -> None:
    learned = learn_blocks(np.stack([make_picture(16, 16, seed) for seed in range(2)]), block_size=8)
    assert all(np.isfinite(values).all() for values in learned.values())
    assert (np.linalg.eigvalsh(learned["noise"]) > 0).all()
