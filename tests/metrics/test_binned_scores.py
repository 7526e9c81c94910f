"""Metrics read from bins against the plain functions, ties and all."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark.metrics import verification
from benchmark.metrics.binned_scores import BinnedScores, rates_at_edges

scores = st.lists(st.integers(-40, 40).map(lambda x: x / 8), min_size=1, max_size=40)
kinds = st.sampled_from([np.float32, np.float64])


@given(scores, scores, kinds)
def test_eer_is_the_eer(mated, non_mated, kind) -> None:
    binned = BinnedScores.of(np.asarray(mated, kind), np.asarray(non_mated, kind))
    assert binned.eer() == pytest.approx(verification.eer(mated, non_mated), abs=1e-12)


@given(scores, scores, st.floats(0, 1))
def test_fnmr_is_the_fnmr(mated, non_mated, fmr) -> None:
    found = BinnedScores.of(mated, non_mated).fnmr_at_fmr(fmr)
    assert found == pytest.approx(verification.fnmr_at_fmr(mated, non_mated, fmr), abs=1e-12)


@given(scores, st.floats(0.001, 1))
def test_thresholds_are_the_thresholds(non_mated, fmr) -> None:
    binned = BinnedScores.of([0.0], non_mated)
    try:
        expected = verification.threshold_at_fmr(non_mated, fmr)
    except ValueError as error:
        with pytest.raises(ValueError, match=str(error).split(":")[0].replace("(", ".").replace(")", ".")):
            binned.threshold_at_fmr(fmr)
    else:
        assert binned.threshold_at_fmr(fmr) == expected


def test_many_untied_scores() -> None:
    random = np.random.default_rng(0)
    mated, non_mated = random.normal(2, size=3000), random.normal(size=50_000)
    binned = BinnedScores.of(mated, non_mated)
    assert binned.eer() == pytest.approx(verification.eer(mated, non_mated), abs=1e-15)
    for fmr in (0, 0.001, 0.01, 0.5, 1):
        assert binned.fnmr_at_fmr(fmr) == pytest.approx(verification.fnmr_at_fmr(mated, non_mated, fmr), abs=1e-15)
    assert binned.threshold_at_fmr(0.001) == verification.threshold_at_fmr(non_mated, 0.001)
    assert binned.mated_counts.tolist() == np.histogram(mated, binned.edges)[0].tolist()


def test_rates_at_edges_are_shares_of_scores() -> None:
    random = np.random.default_rng(1)
    mated, non_mated = random.normal(1, size=300), random.normal(size=500)
    binned = BinnedScores.of(mated, non_mated)
    fmr, fnmr = rates_at_edges(binned.mated_counts, binned.non_mated_counts)
    thresholds = binned.edges[::-1]
    assert fmr[1:] == pytest.approx([(non_mated >= t).mean() for t in thresholds[1:]])
    assert fnmr[1:] == pytest.approx([(mated < t).mean() for t in thresholds[1:]])


def test_failures_are_refused() -> None:
    with pytest.raises(ValueError, match="finite"):
        BinnedScores.of([-np.inf], [0.0])
    with pytest.raises(ValueError, match=r"0\.\.1"):
        BinnedScores.of([1.0], [0.0]).fnmr_at_fmr(2)
