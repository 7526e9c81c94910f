"""Replicates against the plain metrics of comparisons that are really repeated."""

from __future__ import annotations

import numpy as np
import pytest

from benchmark.metrics.binned_scores import nested_edges
from benchmark.metrics.protection_intervals import match_rate_bootstrap, protection_bootstrap
from benchmark.metrics.statistics import bootstrap, interval, subject_weights
from benchmark.metrics.template_protection import maximal_linkability, unlinkability
from benchmark.metrics.verification import eer

PEOPLE, EACH = 40, 4


def all_pairs(shift: float, spread: float = 0.3, seed: int = 0):
    """Mated scores with their subject, non-mated ones with both; subjects differ in how alike they are to all."""
    random = np.random.default_rng(seed)
    subject = np.repeat(np.arange(PEOPLE), EACH)
    own = random.normal(0, spread, PEOPLE)
    i, j = np.triu_indices(subject.size, 1)
    a, b = subject[i], subject[j]
    scores = random.normal(size=i.size) + own[a] + own[b] + shift * (a == b)
    same = a == b
    return scores[same], a[same], scores[~same], (a[~same], b[~same])


def weights(resamples: int, seed: int = 1):
    return subject_weights(PEOPLE, generator=np.random.default_rng(seed), resamples=resamples)


def test_replicates_are_the_metrics_of_repeated_comparisons() -> None:
    mated, subject, non_mated, (a, b) = all_pairs(2.0)
    w = weights(40)
    found = protection_bootstrap(mated, subject, non_mated, (a, b), w)
    assert {len(values) for values in found.values()} == {40}
    low, high = min(mated.min(), non_mated.min()), max(mated.max(), non_mated.max())
    for replicate in (0, 17, 39):
        m = np.repeat(mated, w[replicate, subject])
        n = np.repeat(non_mated, w[replicate, a] * w[replicate, b])
        assert found["eer"][replicate] == pytest.approx(eer(m, n), abs=2e-3)
        # The plain functions span the resample's own range; the ends put it back to the whole one.
        bins = min(mated.size // 10, 100)
        shares = [np.histogram(x, bins, (low, high))[0] / len(x) for x in (m, n)]
        total = shares[0] + shares[1]
        local = np.divide(shares[0] - shares[1], total, out=np.zeros(bins), where=total > 0)
        assert found["d_sys"][replicate] == pytest.approx((shares[0] * np.maximum(local, 0)).sum(), abs=1e-12)
        thirty = [np.histogram(x, 30, (low, high))[0] / len(x) for x in (m, n)]
        expected = np.log2(np.maximum(*thirty).sum())
        assert found["maximal_linkability"][replicate] == pytest.approx(expected, abs=1e-12)


def test_weights_of_one_give_the_estimates() -> None:
    mated, subject, non_mated, pairs = all_pairs(1.5)
    found = protection_bootstrap(mated, subject, non_mated, pairs, np.ones((1, PEOPLE), np.int32), omega=2)
    assert found["d_sys"][0] == pytest.approx(unlinkability(mated, non_mated, omega=2)[0], abs=1e-12)
    assert found["maximal_linkability"][0] == pytest.approx(maximal_linkability(mated, non_mated), abs=1e-12)
    assert found["eer"][0] == pytest.approx(eer(mated, non_mated), abs=1e-3)


def test_it_draws_as_the_bootstrap_of_verification_does() -> None:
    mated, subject, non_mated, (a, b) = all_pairs(2.0)
    w = weights(200)
    found = protection_bootstrap(mated, subject, non_mated, (a, b), w)["eer"]
    scores, genuine = np.r_[mated, non_mated], np.arange(mated.size + non_mated.size) < mated.size
    plain = bootstrap(scores, genuine, np.r_[subject, a], np.r_[subject, b], w)["eer"]
    assert np.allclose(found, plain, atol=3e-3)
    low, high = interval(found)
    assert low < eer(mated, non_mated) < high


def test_match_rates() -> None:
    mated, subject, non_mated, (a, b) = all_pairs(1.0)
    mated[0] = -np.inf
    w = weights(5)
    rate = match_rate_bootstrap(mated, subject, subject, 1.2, w)
    assert rate == pytest.approx([np.average(mated >= 1.2, weights=one[subject]) for one in w])
    rate = match_rate_bootstrap(non_mated, a, b, 1.2, w)
    assert rate == pytest.approx([np.average(non_mated >= 1.2, weights=one[a] * one[b]) for one in w])


def test_a_resample_without_comparisons_is_nan_and_failures_are_refused() -> None:
    one, other = np.zeros(30, int), np.ones(30, int)
    nothing = np.array([[0, 2]], np.int32)
    found = protection_bootstrap(np.ones(30), one, np.zeros(30), (one, other), nothing)
    assert all(np.isnan(values).all() for values in found.values())
    assert np.isnan(match_rate_bootstrap(np.ones(30), one, one, 0.5, nothing)).all()
    with pytest.raises(ValueError, match="finite"):
        protection_bootstrap([-np.inf], one[:1], np.zeros(30), (one, other), nothing)


@pytest.mark.parametrize("coarse", [1, 7, 42, 99, 100])
def test_edges_hold_the_coarse_ones_to_the_last_digit(coarse) -> None:
    edges = nested_edges(-0.3, 0.7, coarse)
    assert 1000 <= edges.size - 1 < 4000
    assert np.all(np.diff(edges) > 0)
    assert np.array_equal(edges[:: (edges.size - 1) // coarse], np.linspace(-0.3, 0.7, coarse + 1))
