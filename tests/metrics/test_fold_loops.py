"""The compiled fold accuracies against the plain ones, which are tested against their definition."""

from __future__ import annotations

import numpy as np
import pytest

from benchmark.metrics.fold_loops import weighted_fold_accuracies
from benchmark.metrics.operating_points import SortedScores
from benchmark.metrics.verification import fold_accuracies


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("decimals", [0, 3])
def test_accuracies_are_those_of_the_plain_rule_to_the_last_bit(seed, decimals):
    """Ties, failures to process, weights of 0, folds that a resample leaves out, and folds of one score."""
    random = np.random.default_rng(seed)
    size = int(random.integers(5, 80))
    scores = np.round(random.normal(size=size), decimals)
    scores[random.random(size) < 0.1] = -np.inf
    points = SortedScores.of(scores, random.random(size) < 0.5)
    fold = np.append(np.arange(2 + seed % 3), random.integers(2 + seed % 3, size=size - 2 - seed % 3))
    weights = random.integers(4, size=(7, size)).astype(np.int32) * (random.random((7, size)) < random.random())
    weights[0, fold == 1] = 0
    expected = fold_accuracies(points, weights, fold)
    assert np.isnan(expected[0, 1])
    np.testing.assert_array_equal(weighted_fold_accuracies(points, weights, fold), expected)
    np.testing.assert_array_equal(weighted_fold_accuracies(points, weights.T.copy().T, fold), expected)
    np.testing.assert_array_equal(weighted_fold_accuracies(points, weights[1], fold), expected[1])
