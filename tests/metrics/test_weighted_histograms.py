"""Binning against numpy's histogram, weighted counts against a loop, the quick EER against the plain one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark.metrics.verification import eer
from benchmark.metrics.weighted_histograms import LANES, bin_numbers, eer_of_many, resampled_counts

scores = st.lists(st.integers(-40, 40).map(lambda x: x / 8), min_size=1, max_size=40)


@given(scores, st.integers(1, 50))
def test_bins_are_numpy_s(values, bins):
    edges = np.histogram_bin_edges(values, bins)
    assert np.bincount(bin_numbers(values, edges), minlength=bins).tolist() == np.histogram(values, edges)[0].tolist()


@given(
    st.floats(-1e6, 1e6), st.sampled_from([1e-12, 1e-9, 1e-3, 1.0, 1e5]), st.integers(1, 3000),
    st.sampled_from([np.float32, np.float64]), st.integers(0, 2**32 - 1),
)  # fmt: skip
def test_a_score_lies_between_the_edges_of_its_bin(low, width, bins, kind, seed):
    """Also where edges are hardly apart, or not apart at all, and at the edges themselves."""
    edges = np.linspace(low, low + width, bins + 1)
    random = np.random.default_rng(seed)
    values = np.concatenate((random.uniform(edges[0], edges[-1], 200), random.choice(edges, 200))).astype(kind)
    values = values[(values >= edges[0]) & (values <= edges[-1])]
    expected = np.minimum(np.searchsorted(edges, values.astype(np.float64), side="right") - 1, bins - 1)
    assert np.array_equal(bin_numbers(values, edges), expected)


def test_uneven_edges_hold_scores_too():
    edges = np.array([0.0, 0.1, 0.2, 1.0, 1.5])
    assert bin_numbers([0.0, 0.1, 0.15, 0.2, 0.99, 1.0, 1.5], edges).tolist() == [0, 1, 1, 2, 2, 3, 3]


@given(scores, scores)
def test_the_quick_eer_is_the_eer(genuine, impostor):
    assert eer_of_many(genuine, impostor) == pytest.approx(eer(genuine, impostor), abs=1e-12)
    assert eer_of_many(np.float32(genuine), np.float32(impostor)) == pytest.approx(eer(genuine, impostor), abs=1e-12)


def test_a_failure_to_process_does_not_match():
    assert eer_of_many([1, -np.inf, 3], [0, 2, -np.inf]) == eer([1, -np.inf, 3], [0, 2, -np.inf])
    with pytest.raises(ValueError, match="NaN"):
        eer_of_many([np.nan], [0.0])


# Drawn once or twice; so often that bytes, a few comparisons at a time, and 32 bits do not suffice.
@pytest.mark.parametrize("most", [3, 200, 5000, 60_000])
@pytest.mark.parametrize("resamples", [1, LANES, LANES + 3])
def test_counts_are_sums_of_products(resamples, most):
    random = np.random.default_rng(0)
    bins, first, second = random.integers(7, size=500), random.integers(9, size=500), random.integers(9, size=500)
    bins[:300], first[:300] = 3, 4  # a run that is longer than what adds up in bytes
    weights = random.integers(most, size=(resamples, 9)).astype(np.int32)
    found = np.concatenate(list(resampled_counts(bins.astype(np.int16), first, second, weights, 7)))
    expected = np.zeros((resamples, 7), np.int64)
    for bin, a, b in zip(bins, first, second, strict=True):
        expected[:, bin] += weights[:, a] if a == b else weights[:, a].astype(np.int64) * weights[:, b]
    assert np.array_equal(found, expected)


def test_what_does_not_fit_is_refused():
    one = np.zeros(1, np.int16)
    weights = np.ones((1, 2), np.int32)
    for bins, first, second, message in [
        (one, one, np.zeros(2, int), "two subjects"),
        (one + 3, one, one, r"bins must be numbered 0\.\.2"),
        (one, one + 2, one, r"columns 0\.\.1"),
    ]:
        with pytest.raises(ValueError, match=message):
            list(resampled_counts(bins, first, second, weights, 3))
    for number in (-1, 1 << 16):
        with pytest.raises(ValueError, match=r"weights must be 0\.\.65535"):
            list(resampled_counts(one, one, one, np.array([[1, number]], np.int32), 3))
    with pytest.raises(ValueError, match="within"):
        bin_numbers([2.0], np.linspace(0, 1, 3))
    for edges in (np.linspace(0, 1, 3), np.array([0, 0.9, 1])):
        for outside in (np.nan, -np.inf, np.inf, -1e-9, 1e300):
            with pytest.raises(ValueError, match=r"within 0\.\.1"):
                bin_numbers([0.5, outside, 0.5], edges)
    with pytest.raises(ValueError, match="32767"):
        bin_numbers([0.5], np.linspace(0, 1, 40_000))
