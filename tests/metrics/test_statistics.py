"""The bootstrap against repeated comparisons in a plain loop, and against the spread that it should estimate."""

from __future__ import annotations

import numpy as np
import pytest

from benchmark.metrics import verification
from benchmark.metrics.statistics import bootstrap, bootstrap_mean, interval, subject_weights


@pytest.fixture
def comparisons():
    """300 comparisons of 40 subjects, rounded so that scores are tied, in 5 folds."""
    random = np.random.default_rng(7)
    genuine = np.arange(300) % 2 == 0
    first = random.integers(40, size=300)
    second = np.where(genuine, first, (first + 1 + random.integers(39, size=300)) % 40)
    scores = np.round(random.normal(size=300) + genuine, 1)
    return scores, genuine, first, second, random.integers(5, size=300)


def test_replicates_equal_metrics_of_comparisons_repeated_by_their_weights(comparisons):
    scores, genuine, first, second, fold = comparisons
    weights = subject_weights(40, generator=np.random.default_rng(1), resamples=37)
    found = bootstrap(scores, genuine, first, second, weights, fold=fold, threshold=0.95, fmrs=(0.01, 0.1))
    for r, drawn in enumerate(weights):
        times = np.where(genuine, drawn[first], drawn[first] * drawn[second])
        s, g, f = (np.repeat(values, times) for values in (scores, genuine, fold))
        sides = s[g], s[~g]
        expected = {
            "eer": verification.eer(*sides),
            "auc": verification.auc(*sides),
            "d_prime": verification.d_prime(*sides),
            "fnmr_at_fmr_0.01": verification.fnmr_at_fmr(*sides, 0.01),
            "fnmr_at_fmr_0.1": verification.fnmr_at_fmr(*sides, 0.1),
            "attack_success_rate": verification.attack_success_rate(s[g], 0.95),
        }
        expected["view2_accuracy"], expected["view2_accuracy_std"] = verification.view2_accuracy(s, g, f)
        assert {name: values[r] for name, values in found.items()} == pytest.approx(expected)


def test_resamples_depend_on_the_generator_alone():
    weights = subject_weights(10, generator=np.random.default_rng(3), resamples=5)
    np.testing.assert_array_equal(weights, subject_weights(10, generator=np.random.default_rng(3), resamples=5))
    assert (weights.sum(axis=1) == 10).all()
    assert not np.array_equal(weights[0], weights[1])


def test_subjects_with_many_comparisons_widen_the_interval():
    """With 20 subjects of 50 genuine scores each, what varies is the subject, not the comparison."""
    random = np.random.default_rng(5)
    subject = np.repeat(np.arange(20), 50)
    scores = random.normal(size=20)[subject] + 0.01 * random.normal(size=1000)
    weights = subject_weights(20, generator=np.random.default_rng(1))
    over_subjects = bootstrap_mean(scores, subject, weights).std()
    independent = scores.std() / np.sqrt(1000)
    assert over_subjects == pytest.approx(scores.std() / np.sqrt(20), rel=0.15)
    assert over_subjects > 5 * independent


def test_interval_covers_the_truth_as_often_as_it_says():
    """Attack success rate of one genuine comparison a subject: truth 0.3, 95 % intervals, 200 experiments."""
    random = np.random.default_rng(11)
    covered = 0
    for _ in range(200):
        scores = np.concatenate(((random.random(150) < 0.3).astype(float), np.zeros(2)))
        genuine = np.arange(152) < 150
        first, second = np.arange(152) % 150, np.where(genuine, np.arange(152) % 150, 5)
        weights = subject_weights(150, generator=random, resamples=200)
        replicates = bootstrap(scores, genuine, first, second, weights, threshold=0.5)
        low, high = interval(replicates["attack_success_rate"])
        covered += low <= 0.3 <= high
    assert 0.88 <= covered / 200 <= 0.99


def test_failures_and_empty_resamples_give_nan_not_a_number_made_up():
    weights = np.array([[1, 1], [2, 0]], np.int32)
    found = bootstrap([0.9, -np.inf, 0.1], [True, True, False], [0, 1, 0], [0, 1, 1], weights)
    assert found["eer"][0] == pytest.approx(0.5)
    assert np.isnan(found["eer"][1])
    assert np.isnan(found["d_prime"]).all()


def test_interval_leaves_nan_out():
    assert interval([np.nan, 1.0, 1.0]) == (1.0, 1.0)
    assert np.isnan(interval([np.nan])).all()


def test_interval_is_numpys_percentile():
    values = np.random.default_rng(0).normal(size=1000)
    assert interval(values) == pytest.approx(tuple(np.percentile(values, [2.5, 97.5])))


def test_no_subjects_is_refused():
    with pytest.raises(ValueError, match="at least 1"):
        subject_weights(0, generator=np.random.default_rng(0))
