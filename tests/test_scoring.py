from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from records import pair_list, scores_for

from benchmark.errors import InvalidInputError
from benchmark.metrics import verification
from benchmark.record import KEPT_REPLICATES
from benchmark.scoring import Comparisons, sample_mean, score_baseline, score_metrics

PAIRS = pair_list()
COMPARISONS = Comparisons.of(PAIRS, "f" * 64)


def ids(flags):
    return [(flag.id, flag.where) for flag in flags]


def test_estimates_are_those_of_the_plain_functions_and_lie_in_their_intervals():
    scores = scores_for(PAIRS, 1.5)
    found = score_metrics(scores, COMPARISONS, threshold=1.0)
    genuine, impostor = scores[PAIRS.genuine], scores[~PAIRS.genuine]
    expected = {
        "eer": verification.eer(genuine, impostor),
        "auc": verification.auc(genuine, impostor),
        "d_prime": verification.d_prime(genuine, impostor),
        "attack_success_rate": verification.attack_success_rate(genuine, 1.0),
    }
    mean, deviation = verification.view2_accuracy(scores, PAIRS.genuine, PAIRS.fold)
    expected |= {"view2_accuracy": mean, "view2_accuracy_std": deviation}
    for name, value in expected.items():
        one = found.metrics[name]
        assert one.value == pytest.approx(value, rel=1e-5)
        if name != "view2_accuracy_std":  # a spread is biased upwards under the bootstrap
            assert one.low < one.value < one.high
    assert len(found.replicates) == KEPT_REPLICATES
    assert np.std(found.replicates) > 0
    assert found.metrics["attack_success_rate"].n == PAIRS.genuine.sum()


def test_fnmr_needs_thirty_impostors_per_error():
    found = score_metrics(scores_for(PAIRS, 1.0), COMPARISONS, metrics=("eer", "fnmr_at_fmr_0.01", "fnmr_at_fmr_0.2"))
    assert found.metrics["fnmr_at_fmr_0.01"].value is None
    assert found.metrics["fnmr_at_fmr_0.2"].value is not None  # 30 / 0.2 = 150 of 200
    assert ids(found.flags) == [("too-few-impostors", "fnmr_at_fmr_0.01")]
    assert "needs 3,000 impostor comparisons" in found.flags[0].message


def test_only_the_metrics_asked_for_are_given():
    found = score_metrics(scores_for(PAIRS, 1.0), COMPARISONS, metrics=("auc", "psnr"))
    assert set(found.metrics) == {"auc"}


def test_without_a_threshold_there_is_no_success_rate():
    found = score_metrics(scores_for(PAIRS, 1.0), COMPARISONS, metrics=("attack_success_rate",), where="c/r")
    assert found.metrics["attack_success_rate"].value is None
    assert ids(found.flags) == [("too-few-impostors", "c/r/attack_success_rate")]


def test_turned_scores_are_flagged_but_chance_is_not():
    turned = score_metrics(-scores_for(PAIRS, 1.0), COMPARISONS, metrics=("eer",))
    chance = score_metrics(scores_for(PAIRS, 0.0), COMPARISONS, metrics=("eer",))
    assert ids(turned.flags) == [("eer-above-50", "")]
    assert chance.flags == ()


def test_all_failed_gives_an_eer_of_one_half_and_says_so():
    found = score_metrics(np.full(len(PAIRS), -np.inf), COMPARISONS, threshold=1.0)
    assert found.metrics["eer"].value == 0.5
    assert found.metrics["attack_success_rate"].value == 0
    assert found.metrics["d_prime"].value is None
    assert ("failures-to-process", "") in ids(found.flags)
    assert ("not-estimable", "d_prime") in ids(found.flags)


def test_constant_scores_are_flagged():
    found = score_metrics(np.zeros(len(PAIRS)), COMPARISONS, metrics=("eer",))
    assert ids(found.flags) == [("constant-output", "")]
    assert found.metrics["eer"].value == 0.5


def test_resamples_are_shared_by_the_settings_of_a_protocol_and_differ_between_protocols():
    scores = scores_for(PAIRS, 1.0)
    again = score_metrics(scores, Comparisons.of(PAIRS, "f" * 64), metrics=("eer",))
    other = score_metrics(scores, Comparisons.of(PAIRS, "0" * 64), metrics=("eer",))
    first = score_metrics(scores, COMPARISONS, metrics=("eer",))
    assert again == first
    assert other.replicates != first.replicates
    # Paired: a small change of the scores moves every replicate a little, not the resamples.
    nudged = score_metrics(scores + np.float32(0.01) * PAIRS.genuine, COMPARISONS, metrics=("eer",))
    difference = np.array(nudged.replicates) - np.array(first.replicates)
    assert np.std(difference) < 0.3 * np.std(first.replicates)


def test_the_order_of_the_samples_does_not_matter():
    order = np.random.default_rng(0).permutation(len(PAIRS.ids))
    shuffled = replace(
        PAIRS,
        ids=tuple(PAIRS.ids[i] for i in order),
        subjects=tuple(PAIRS.subjects[i] for i in order),
        a_index=np.argsort(order)[PAIRS.a_index],
        b_index=np.argsort(order)[PAIRS.b_index],
    )
    scores = scores_for(PAIRS, 1.0)
    assert score_metrics(scores, Comparisons.of(shuffled, "f" * 64)) == score_metrics(scores, COMPARISONS)


def test_baseline_gives_the_threshold_of_one_in_a_thousand():
    pairs = pair_list(count=80_000, subjects=300)
    scores = scores_for(pairs, 3.0)
    baseline, flags = score_baseline(scores, Comparisons.of(pairs, "f" * 64, resamples=10), where="net")
    assert flags == ()
    assert baseline.impostors == 40_000
    assert baseline.fmr == 0.001
    assert (scores[~pairs.genuine] >= baseline.threshold).sum() == 40
    assert baseline.eer.value == pytest.approx(0.0668, abs=0.003)  # Phi(-1.5)


def test_baseline_with_few_impostors_is_flagged_and_more_may_be_handed_in():
    scores = scores_for(PAIRS, 3.0)
    none, flags = score_baseline(scores, COMPARISONS, where="net")
    assert none.threshold is None
    assert ids(flags) == [("too-few-impostors", "baseline/net")]
    more, flags = score_baseline(scores, COMPARISONS, where="net", impostors=np.arange(40_000.0))
    assert (more.threshold, more.fmr, more.impostors, flags) == (39_959.5, 0.001, 40_000, ())
    assert more.eer == none.eer


def test_means_over_samples_have_an_interval_over_subjects():
    values = np.linspace(10, 20, len(PAIRS.ids))
    found = sample_mean(values, np.arange(values.size), COMPARISONS)
    assert (found.value, found.n) == (15.0, 120)
    # 60 subjects whose values are evenly spread over 10: standard error 10 / sqrt(12 * 60).
    assert found.high - found.low == pytest.approx(2 * 1.96 * 10 / np.sqrt(720), rel=0.1)
    assert sample_mean([], [], COMPARISONS).value is None


def test_wrong_scores_and_pair_lists_are_refused():
    with pytest.raises(ValueError, match="3 scores for 400"):
        score_metrics([1, 2, 3], COMPARISONS)
    with pytest.raises(ValueError, match="NaN"):
        score_metrics(np.full(len(PAIRS), np.nan), COMPARISONS)
    with pytest.raises(InvalidInputError, match="only one kind"):
        Comparisons.of(replace(PAIRS, genuine=np.ones(len(PAIRS), bool)), "f" * 64)


def test_a_threshold_that_accepts_impostors_too_is_flagged():
    """Samples that are all alike, as noise of one kind is: a success rate of 100 % says nothing about identity."""
    pairs = pair_list()
    comparisons = Comparisons.of(pairs, "p" * 64, resamples=20)
    alike = np.full(len(pairs.genuine), 0.9) + np.linspace(0, 0.01, len(pairs.genuine))
    flagged = score_metrics(alike, comparisons, threshold=0.5, metrics=("eer", "attack_success_rate"))
    assert flagged.metrics["attack_success_rate"].value == 1.0
    assert [flag.id for flag in flagged.flags] == ["impostors-accepted"]
    apart = np.where(pairs.genuine, 0.9, 0.1) + np.linspace(0, 0.01, len(pairs.genuine))
    assert score_metrics(apart, comparisons, threshold=0.5, metrics=("eer", "attack_success_rate")).flags == ()
