"""Every metric against the plain functions, intervals against scores that are really repeated."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from made_score_sets import SUBJECTS, WEIGHTS, score_set

from benchmark.metrics import template_protection, verification
from benchmark.metrics.statistics import interval
from benchmark.score_sets.build import RowScores, ScoreSet
from benchmark.score_sets.measure import baseline_of, measure


def test_values_are_those_of_the_plain_functions() -> None:
    scores = score_set()
    found = measure(scores, WEIGHTS, metrics=["eer", "fnmr_at_fmr_0.01", "d_sys", "maximal_linkability"])
    m, n = scores.mated, scores.non_mated
    d_sys, floor = template_protection.unlinkability(m, n)
    expected = {
        "eer": verification.eer(m, n),
        "fnmr_at_fmr_0.01": verification.fnmr_at_fmr(m, n, 0.01),
        "d_sys": d_sys,
        "d_sys_floor": floor,
        "d_sys_null": 1 / 1001,
        "maximal_linkability": template_protection.maximal_linkability(m, n),
    }
    assert {name: value.value for name, value in found.metrics.items()} == pytest.approx(expected, rel=1e-5)
    assert {value.n for value in found.metrics.values()} == {m.size + n.size}
    assert found.threshold == verification.threshold_at_fmr(n, 0.001)
    assert found.fmr == pytest.approx((n >= found.threshold).mean())
    for name in ("eer", "fnmr_at_fmr_0.01", "d_sys", "maximal_linkability"):
        value = found.metrics[name]
        assert value.low <= value.value <= value.high
    assert found.flags == ()


def test_the_interval_of_a_rate_is_that_of_repeated_comparisons() -> None:
    scores = score_set()
    m, n = scores.mated, scores.non_mated
    a, b = scores.non_mated_subjects
    found = measure(scores, WEIGHTS, metrics=["fnmr_at_fmr_0.01"])
    plain = [
        verification.fnmr_at_fmr(np.repeat(m, w[scores.mated_subject]), np.repeat(n, w[a] * w[b]), 0.01)
        for w in WEIGHTS
    ]
    value = found.metrics["fnmr_at_fmr_0.01"]
    # One mated score, drawn three times, is 7e-3 of them all.
    assert (value.low, value.high) == pytest.approx(interval(plain), abs=7e-3)
    assert len(found.replicates) == 50
    eers = [verification.eer(np.repeat(m, w[scores.mated_subject]), np.repeat(n, w[a] * w[b])) for w in WEIGHTS]
    assert found.replicates == pytest.approx(eers, abs=3e-3)


def test_intervals_hold_their_estimates_where_nothing_can_be_linked() -> None:
    scores = score_set()
    noise = np.random.default_rng(5).normal(size=scores.mated.size).astype(np.float32)
    strangers = np.random.default_rng(6).normal(size=scores.non_mated.size).astype(np.float32)
    found = measure(replace(scores, mated=noise, non_mated=strangers), WEIGHTS).metrics
    for name in ("d_sys", "maximal_linkability"):
        assert 0 <= found[name].low < found[name].value < found[name].high < 1
    assert found["d_sys_null"].value > 0.01


def test_counts_are_the_histogram() -> None:
    scores = score_set()
    counts = measure(scores, WEIGHTS, metrics=["eer"]).counts
    assert np.array_equal(counts.mated, np.histogram(scores.mated.astype(float), counts.edges)[0])
    assert np.array_equal(counts.non_mated, np.histogram(scores.non_mated.astype(float), counts.edges)[0])
    assert counts.mated.dtype == np.uint32


def test_success_is_of_the_comparisons_that_the_threshold_is_given_for() -> None:
    scores = score_set()
    for kind, values in (("mated", scores.mated), ("non_mated", scores.non_mated)):
        value = measure(scores, WEIGHTS, thresholds={kind: 2.0}).metrics["attack_success_rate"]
        assert (value.value, value.n) == (pytest.approx((values >= 2).mean(), rel=1e-5), values.size)
        assert value.low < value.value < value.high
    assert "attack_success_rate" not in measure(scores, WEIGHTS).metrics
    left = measure(scores, WEIGHTS, thresholds={"mated": None})
    assert left.metrics["attack_success_rate"].value is None
    assert [flag.id for flag in left.flags] == ["too-few-impostors"]
    with pytest.raises(ValueError, match="mated or of non_mated"):
        measure(scores, WEIGHTS, thresholds={"mated": 1.0, "non_mated": 1.0})


def test_revoked_templates() -> None:
    rows = np.random.default_rng(2).normal(size=SUBJECTS.size).astype(np.float32)
    rows[0] = -np.inf
    revoked = RowScores(rows, SUBJECTS.astype(np.int32), SUBJECTS.astype(np.int32))
    value = measure(score_set(), WEIGHTS, thresholds={"revoked": 1.0}, rows={"revoked": revoked}).metrics[
        "revoked_match_rate"
    ]
    assert value.value == pytest.approx((rows >= 1).mean(), rel=1e-5)
    assert value.n == SUBJECTS.size


def test_key_sensitivity_is_what_the_threshold_rejects() -> None:
    rows = np.random.default_rng(3).normal(size=SUBJECTS.size).astype(np.float32)
    rows[0] = -np.inf  # a failure to process matches nothing
    flipped = RowScores(rows, SUBJECTS.astype(np.int32), SUBJECTS.astype(np.int32))
    value = measure(score_set(), WEIGHTS, thresholds={"flipped": 1.0}, rows={"flipped": flipped}).metrics[
        "key_sensitivity"
    ]
    assert value.value == pytest.approx((rows < 1).mean(), rel=1e-5)
    assert value.low < value.value < value.high
    revoked = measure(score_set(), WEIGHTS, thresholds={"revoked": 1.0}, rows={"revoked": flipped}).metrics
    assert value.high == pytest.approx(1 - revoked["revoked_match_rate"].low, abs=1e-5)


def test_flags() -> None:
    def flags(scores: ScoreSet, **more) -> list[tuple[str, str]]:
        return [(flag.id, flag.where) for flag in measure(scores, WEIGHTS, where="s/r", **more).flags]

    assert flags(score_set(failed=(2, 5)), metrics=["eer"]) == [("failures-to-process", "s/r")]
    assert flags(score_set(-2.0), metrics=["eer"]) == [("eer-above-50", "s/r")]
    assert flags(score_set(), metrics=["attack_success_rate"], thresholds={"mated": 0.5}) == [
        ("impostors-accepted", "s/r/attack_success_rate")
    ]
    few, n = score_set(), 900
    a, b = few.non_mated_subjects
    few = replace(few, non_mated=few.non_mated[:n], non_mated_subjects=(a[:n], b[:n]))
    found = measure(few, WEIGHTS, metrics=["fnmr_at_fmr_0.001"])
    assert found.metrics["fnmr_at_fmr_0.001"].value is None
    assert found.threshold is None
    constant = replace(few, mated=np.zeros_like(few.mated), non_mated=np.zeros_like(few.non_mated))
    assert flags(constant, metrics=["eer"]) == [("constant-output", "s/r")]


def test_the_baseline() -> None:
    baseline, flags = baseline_of(measure(score_set(3.0), WEIGHTS), "lbp")
    assert baseline.threshold == verification.threshold_at_fmr(score_set(3.0).non_mated, 0.001)
    assert baseline.impostors == score_set().non_mated.size > 30_000
    assert flags == ()
