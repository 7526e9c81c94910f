"""Normal numbers against their law, and against Box and Muller's formula by numpy's functions."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from benchmark.template_schemes.normals import standard_normals

NUMBERS = standard_normals(1_000_000, np.random.default_rng(0)).astype(np.float64)


@pytest.mark.parametrize("count", [0, 1, 2, 2047, 2048, 4097])
def test_as_many_as_are_asked_for_and_always_the_same(count: int) -> None:
    numbers = standard_normals(count, np.random.default_rng(7))
    assert numbers.shape == (count,)
    assert numbers.dtype == np.float32
    assert np.array_equal(numbers, standard_normals(count, np.random.default_rng(7)))


def test_they_follow_the_normal_law() -> None:
    assert stats.kstest(NUMBERS, "norm").pvalue > 0.01
    assert abs(stats.skew(NUMBERS)) < 0.01
    assert abs(stats.kurtosis(NUMBERS)) < 0.02
    beyond = [(abs(NUMBERS) > edge).mean() for edge in (3, 4)]
    assert beyond == pytest.approx([2 * stats.norm.sf(3), 2 * stats.norm.sf(4)], rel=0.2)


def test_neighbours_pairs_and_their_squares_are_independent() -> None:
    halves = NUMBERS.reshape(2, -1)  # a pair's numbers are half of all apart
    for one, other in (halves, (NUMBERS[1:], NUMBERS[:-1])):
        assert abs(np.corrcoef(one, other)[0, 1]) < 0.005
        assert abs(np.corrcoef(one**2, other**2)[0, 1]) < 0.005
    angles = np.arctan2(*halves)
    assert stats.kstest(angles, stats.uniform(-np.pi, 2 * np.pi).cdf).pvalue > 0.01


def test_the_series_are_the_functions() -> None:
    far, direction = np.random.default_rng(5).bit_generator.random_raw(50_000).view(np.uint32).reshape(2, -1)
    radius = np.sqrt(-2 * np.log((far + 1.0) * 2.0**-32))
    angle = (direction >> 2) * (np.pi / 2 * 2.0**-30)
    one = radius * np.cos(angle) * np.where(direction & 1, 1, -1)
    other = radius * np.sin(angle) * np.where(direction & 2, 1, -1)
    found = standard_normals(100_000, np.random.default_rng(5))
    assert np.allclose(found, np.concatenate((one, other)), atol=1e-4)
    assert np.median(abs(found - np.concatenate((one, other)))) < 1e-7
