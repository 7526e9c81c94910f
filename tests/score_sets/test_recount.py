"""A true record is borne out by its counts; everything that they can tell is noticed when it is altered."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from made_score_sets import SUBJECTS, WEIGHTS, score_set
from records import record

from benchmark.record import Record, ScoreFile
from benchmark.score_sets.build import RowScores, ScoreSet
from benchmark.score_sets.counts import counts_digest, write_counts
from benchmark.score_sets.measure import Measured, baseline_of, measure
from benchmark.score_sets.recount import recount
from benchmark.verify import verify

METRICS = ["eer", "fnmr_at_fmr_0.001", "d_sys", "maximal_linkability", "attack_success_rate", "revoked_match_rate",
           "key_sensitivity"]  # fmt: skip


def rows(n: int = SUBJECTS.size) -> RowScores:
    scores = np.random.default_rng(5).normal(size=n).astype(np.float32)
    return RowScores(scores, SUBJECTS[:n].astype(np.int32), np.roll(SUBJECTS, 4)[:n].astype(np.int32))


def one(score_set: ScoreSet, **more) -> Measured:
    return measure(score_set, WEIGHTS, metrics=METRICS, **more)


@pytest.fixture(scope="module", params=["sample", "template"])
def domain(request) -> str:
    """What is protected: it says whose threshold counts between different keys."""
    return request.param


@pytest.fixture(scope="module")
def scenarios(domain: str) -> dict[str, Measured]:
    plain, own = one(score_set(4.0)), score_set(2.5, seed=2)
    same, owned = one(score_set(3.0, seed=1)), one(own)
    stolen = replace(own, non_mated=rows().scores, non_mated_subjects=(rows().first, rows().second))
    return {
        "unprotected": plain,
        "same-key": same,
        "key-per-subject": owned,
        "different-keys": one(
            score_set(0.8, seed=3),
            thresholds={
                "mated": plain.threshold if domain == "sample" else same.threshold,
                "revoked": owned.threshold,
                "flipped": owned.threshold,
            },
            rows={"revoked": rows(), "flipped": rows()},
        ),
        "stolen-key": one(stolen, thresholds={"non_mated": owned.threshold}),
        "protected-original": one(score_set(1.0, seed=4), thresholds={"mated": plain.threshold}),
    }


@pytest.fixture(scope="module")
def table(scenarios):
    return {name: {"net": found.counts} for name, found in scenarios.items()}


@pytest.fixture(scope="module")
def true_record(scenarios, table, domain: str) -> Record:
    judged = {name: found for name, found in scenarios.items() if name != "unprotected"}
    plain = record(resamples=50)
    return plain.model_copy(
        update={
            "protector": plain.protector.model_copy(update={"domain": domain}),
            "results": {name: {"net": found.metrics} for name, found in judged.items()},
            "replicates": {name: {"net": found.replicates} for name, found in judged.items()},
            "baseline": {"net": baseline_of(scenarios["unprotected"], "net")[0]},
            "scores": ScoreFile(digest=counts_digest(table), file="scores/s.npz"),
        }
    )


def test_counts_bear_a_true_record_out(true_record, table, tmp_path) -> None:
    assert recount(true_record, table) == []
    write_counts(tmp_path / "scores" / "s.npz", table)
    assert verify(true_record, tmp_path, None) == []


def test_what_they_cannot_bear_out_is_named(true_record, table) -> None:
    for scenario, by_recogniser in true_record.results.items():
        for name, value in by_recogniser["net"].items():
            if name in ("revoked_match_rate", "key_sensitivity"):
                continue
            # A rate may lie anywhere in a bin of the scores, which holds few of them; sums over bins are exact.
            step = 0.08 if name.startswith(("eer", "fnmr", "attack")) else 2e-4
            for field, more in (("value", step), ("n", 1)):
                if (kept := getattr(value, field)) is None:
                    continue
                altered = {**by_recogniser["net"], name: value.model_copy(update={field: kept + more})}
                results = {**true_record.results, scenario: {"net": altered}}
                found = recount(true_record.model_copy(update={"results": results}), table)
                assert [line.partition(":")[0] for line in found] == [f"{scenario}/net/{name}.{field}"]


def test_exchanged_ends_other_metrics_and_missing_values_are_named(true_record, table) -> None:
    metrics = true_record.results["same-key"]["net"]
    value = metrics["d_sys"]
    for altered, message in [
        ({"d_sys": value.model_copy(update={"low": value.high, "high": value.low})}, "has its ends exchanged"),
        ({"auc": value}, "same-key/net/auc: not a metric that counts give"),
        ({"eer": metrics["eer"].model_copy(update={"value": None})}, "same-key/net/eer.value: None in the record"),
    ]:
        results = {**true_record.results, "same-key": {"net": {**metrics, **altered}}}
        found = recount(true_record.model_copy(update={"results": results}), table)
        assert len(found) == 1
        assert message in found[0]


def test_other_counts_are_noticed(true_record, table) -> None:
    other = one(score_set(2.0, seed=9)).counts
    found = recount(true_record, {**table, "different-keys": {"net": other}})
    assert found[0] == "the score file's digest is not the one in the record"
    assert {line.partition(".")[0] for line in found[1:]} >= {f"different-keys/net/{name}" for name in METRICS[:3:2]}
    found = recount(true_record, {**table, "unprotected": {"net": other}})
    assert any(line.startswith("baseline/net/threshold") for line in found)
    assert "baseline/net: the digest of the counts is not the one in the record" in found


def test_missing_and_surplus_counts_and_replicates_are_noticed(true_record, table) -> None:
    less = {name: held for name, held in table.items() if name != "same-key"} | {"x": {"y": table["same-key"]["net"]}}
    found = recount(true_record, less)
    assert "same-key/net: the score file holds no such counts" in found
    assert "x/y: counts without a result" in found
    without = true_record.model_copy(update={"replicates": {}})
    assert "same-key/net: 0 bootstrap replicates are kept of 50" in recount(without, table)


@pytest.mark.parametrize("field", ["threshold", "fmr", "impostors"])
def test_an_altered_baseline_is_noticed(true_record, table, field) -> None:
    kept = true_record.baseline["net"]
    altered = kept.model_copy(update={field: getattr(kept, field) + (1 if field == "impostors" else 0.1)})
    found = recount(true_record.model_copy(update={"baseline": {"net": altered}}), table)
    assert any(line.startswith(f"baseline/net/{field}") for line in found)
