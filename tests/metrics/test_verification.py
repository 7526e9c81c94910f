"""Verification metrics against scikit-learn, closed forms and the definitions written out as loops."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm
from sklearn.metrics import roc_auc_score, roc_curve

from benchmark.metrics.verification import (
    attack_success_rate,
    auc,
    d_prime,
    eer,
    fnmr_at_fmr,
    roc,
    threshold_at_fmr,
    view2_accuracy,
)

#: Few distinct values, so that ties within and between the two sides are the rule.
SCORES = st.lists(st.integers(-8, 8).map(lambda n: n / 8), min_size=1, max_size=30).map(np.array)


def normals(d: float, size: int = 200_000) -> tuple[np.ndarray, np.ndarray]:
    """Evenly spaced quantiles of N(d, 1) and N(0, 1): the two distributions without sampling noise."""
    grid = norm.ppf((np.arange(size) + 0.5) / size)
    return grid + d, grid


def eer_by_definition(genuine: np.ndarray, impostor: np.ndarray) -> float:
    """Walk down the thresholds one by one and intersect the line between the two points around the crossing."""
    thresholds = [np.inf, *sorted({*genuine, *impostor}, reverse=True)]
    points = [(np.mean(impostor >= t), np.mean(genuine < t)) for t in thresholds]
    for (x0, y0), (x1, y1) in pairwise(points):
        if y1 <= x1:
            share = (y0 - x0) / ((y0 - x0) - (y1 - x1))
            return float(x0 + share * (x1 - x0))
    raise AssertionError("no crossing")


@given(SCORES, SCORES)
def test_roc_and_auc_agree_with_scikit_learn(genuine, impostor):
    labels = np.repeat([1, 0], [genuine.size, impostor.size])
    scores = np.concatenate((genuine, impostor))
    fmr, tmr, thresholds = roc_curve(labels, scores, drop_intermediate=False)
    ours = roc(genuine, impostor)
    np.testing.assert_allclose(ours[0], fmr)
    np.testing.assert_allclose(1 - ours[1], tmr, atol=1e-12)
    np.testing.assert_array_equal(ours[2], thresholds)
    assert auc(genuine, impostor) == pytest.approx(roc_auc_score(labels, scores), abs=1e-12)


@given(SCORES, SCORES)
def test_eer_is_the_definition_written_out(genuine, impostor):
    assert eer(genuine, impostor) == pytest.approx(eer_by_definition(genuine, impostor), abs=1e-12)


@given(SCORES, SCORES)
def test_eer_and_auc_do_not_change_under_a_rising_map(genuine, impostor):
    def rising(scores):
        return np.exp(scores) + scores**3

    assert eer(rising(genuine), rising(impostor)) == eer(genuine, impostor)
    assert auc(rising(genuine), rising(impostor)) == auc(genuine, impostor)


@given(SCORES, SCORES)
def test_swapping_the_sides_mirrors_eer_and_auc(genuine, impostor):
    assert eer(impostor, genuine) == pytest.approx(1 - eer(genuine, impostor), abs=1e-12)
    assert auc(impostor, genuine) == pytest.approx(1 - auc(genuine, impostor), abs=1e-12)
    assert d_prime(impostor, genuine) == pytest.approx(d_prime(genuine, impostor))


@pytest.mark.parametrize("d", [0.0, 0.5, 1.0, 2.0, 4.0])
def test_two_normals_meet_their_closed_forms(d):
    genuine, impostor = normals(d)
    assert eer(genuine, impostor) == pytest.approx(norm.cdf(-d / 2), abs=2e-5)
    assert auc(genuine, impostor) == pytest.approx(norm.cdf(d / np.sqrt(2)), abs=2e-5)
    assert d_prime(genuine, impostor) == pytest.approx(d, abs=1e-3)
    for fmr in (0.01, 0.001):
        assert fnmr_at_fmr(genuine, impostor, fmr) == pytest.approx(norm.cdf(norm.ppf(1 - fmr) - d), abs=5e-4)


def test_eer_of_all_tied_scores_is_one_half():
    assert eer([0.3] * 7, [0.3] * 2) == 0.5


def test_eer_of_separated_scores_is_zero_and_of_swapped_ones_is_one():
    assert eer([2.0, 3.0], [0.0, 1.0]) == 0
    assert eer([0.0, 1.0], [2.0, 3.0]) == 1


def test_failures_to_process_count_as_non_matches_on_both_sides():
    assert eer([-np.inf] * 5, [-np.inf] * 4) == 0.5
    # Half of the genuine pairs failed: no threshold brings FNMR under one half but the lowest.
    assert fnmr_at_fmr([1.0, -np.inf], [0.0, 0.5], 0.0) == 0.5
    assert attack_success_rate([1.0, -np.inf], 0.5) == 0.5
    assert np.isnan(d_prime([1.0, -np.inf], [0.0, 0.5]))


def test_d_prime_of_constant_sets():
    assert d_prime([1.0, 1.0], [1.0]) == 0
    assert d_prime([1.0, 1.0], [0.0]) == np.inf


@pytest.mark.parametrize("metric", [eer, auc, d_prime, roc, lambda g, i: fnmr_at_fmr(g, i, 0.1)])
@pytest.mark.parametrize("genuine", [[np.nan, 1.0], [], [[1.0]], [np.inf]])
def test_scores_that_are_no_scores_are_refused(metric, genuine):
    with pytest.raises(ValueError, match="genuine scores"):
        metric(genuine, [0.0, 1.0])


def test_fnmr_is_read_off_the_line_between_operating_points():
    # FMR runs 0, 1/4, 2/4, ...; FNMR at 0 is 1/2, at 1/4 it is 0: half-way there it is 1/4.
    genuine, impostor = [0.9, 0.5], [0.7, 0.3, 0.2, 0.1]
    assert fnmr_at_fmr(genuine, impostor, 0.0) == 0.5
    assert fnmr_at_fmr(genuine, impostor, 0.25) == 0.0
    assert fnmr_at_fmr([0.9, 0.6, 0.65, 0.1], impostor, 0.25) == 0.25
    assert fnmr_at_fmr(genuine, impostor, 1.0) == 0.0


@given(SCORES, st.sampled_from([0.05, 0.1, 0.25, 0.5]))
def test_threshold_is_the_lowest_class_that_keeps_the_rate(impostor, fmr):
    try:
        threshold = threshold_at_fmr(impostor, fmr)
    except ValueError:
        # Nothing may be accepted: too few scores, or the highest ones are tied.
        assert np.mean(impostor >= impostor.max()) > fmr
        return
    assert 0 < np.mean(impostor >= threshold) <= fmr + 1e-9
    rejected = impostor[impostor < threshold]
    assert not rejected.size or np.mean(impostor >= rejected.max()) > fmr


def test_threshold_lies_between_scores_so_that_rounding_moves_nothing():
    assert threshold_at_fmr(np.arange(1000.0), 0.001) == 998.5


def view2_by_definition(scores, genuine, fold):
    accuracies = []
    for number in np.unique(fold):
        train = fold != number
        candidates = [np.inf, *sorted(set(scores[train]), reverse=True)]
        correct = [np.mean((scores[train] >= t) == genuine[train]) for t in candidates]
        threshold = candidates[int(np.argmax(correct))]
        accuracies.append(np.mean((scores[~train] >= threshold) == genuine[~train]))
    return np.mean(accuracies), np.std(accuracies, ddof=1)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(2, 10), st.booleans())
def test_view2_accuracy_is_the_definition_written_out(seed, folds, tied):
    random = np.random.default_rng(seed)
    fold = random.permutation(np.arange(60) % folds)
    genuine = random.random(60) < 0.5
    scores = random.normal(size=60) + genuine
    if tied:
        scores = np.round(scores, 0)
    assert view2_accuracy(scores, genuine, fold) == pytest.approx(view2_by_definition(scores, genuine, fold))


def test_view2_needs_two_folds():
    with pytest.raises(ValueError, match="two folds"):
        view2_accuracy([1.0, 0.0], [True, False], [1, 1])
