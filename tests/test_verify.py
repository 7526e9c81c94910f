from __future__ import annotations

import numpy as np
import pytest
from records import pair_list, record, scores_for

from benchmark.record import Record, ScoreFile, Utility
from benchmark.scores import scores_digest, write_scores
from benchmark.scoring import Comparisons, score_baseline, score_metrics
from benchmark.verify import verify, verify_scores

PAIRS = pair_list(count=4000, subjects=200)
PLAIN = scores_for(PAIRS, 3.0)
TABLE = {
    "protected-protected": {"lbp": scores_for(PAIRS, 0.5, seed=2), "net": scores_for(PAIRS, 1.0, seed=3)},
    "recovered": {"lbp": PLAIN},
}


@pytest.fixture(scope="module")
def true_record() -> Record:
    base = record(resamples=200)
    comparisons = Comparisons.of(PAIRS, base.protocol.digest, resamples=200)
    baseline, _ = score_baseline(PLAIN, comparisons)
    assert baseline.threshold is not None
    scored = {
        name: score_metrics(scores, comparisons, threshold=baseline.threshold)
        for name, scores in TABLE["protected-protected"].items()
    }
    return base.model_copy(
        update={
            "results": {"protected-protected": {name: one.metrics for name, one in scored.items()}},
            "replicates": {"protected-protected": {name: one.replicates for name, one in scored.items()}},
            "baseline": {"lbp": baseline, "net": baseline},
            "utility": Utility(eer_after_recovery={"lbp": baseline.eer}),
            "scores": ScoreFile(digest=scores_digest(TABLE), file="scores/s.npz"),
        }
    )


def test_a_true_record_has_no_discrepancies(true_record, tmp_path):
    write_scores(tmp_path / "scores" / "s.npz", TABLE)
    assert verify(true_record, tmp_path, PAIRS) == []
    assert verify_scores(true_record, TABLE, PAIRS, baseline={"lbp": PLAIN, "net": PLAIN}) == []


def test_every_altered_metric_is_found(true_record):
    for name, value in true_record.results["protected-protected"]["net"].items():
        for field in ("value", "low", "high", "n"):
            kept = getattr(value, field)
            if kept is None:
                continue
            altered = value.model_copy(update={field: kept + (1 if field == "n" else 0.001)})
            results = {"protected-protected": {"net": {name: altered}, "lbp": {}}}
            found = verify_scores(true_record.model_copy(update={"results": results}), TABLE, PAIRS)
            assert len(found) == 1
            assert found[0].startswith(f"protected-protected/net/{name}.{field}:")


def test_altered_scores_are_found(true_record):
    net = TABLE["protected-protected"]["net"].copy()
    net[:40] += 1
    found = verify_scores(
        true_record, {**TABLE, "protected-protected": {**TABLE["protected-protected"], "net": net}}, PAIRS
    )
    assert "the score file's digest is not the one in the record" in found
    assert any(line.startswith("protected-protected/net/eer.value") for line in found)
    assert not any("lbp" in line for line in found)


def test_missing_surplus_and_short_scores_are_found(true_record):
    table = {"protected-protected": {"net": TABLE["protected-protected"]["net"][:9]}, "x": {"y": PLAIN}}
    found = verify_scores(true_record, table, PAIRS)
    assert "protected-protected/lbp: the score file holds no such scores" in found
    assert "protected-protected/net: 9 scores, but the protocol has 4000 pairs" in found
    assert "recovered/lbp: the score file holds no such scores" in found
    assert "x/y: scores without a result" in found


def test_altered_replicates_recovery_and_baseline_are_found(true_record):
    swapped = {"protected-protected": {**true_record.replicates["protected-protected"], "net": (0.5,) * 200}}
    found = verify_scores(true_record.model_copy(update={"replicates": swapped}), TABLE, PAIRS)
    assert found == ["protected-protected/net: the bootstrap replicates do not come out again"]
    eer = true_record.baseline["lbp"].eer.model_copy(update={"value": 0.3})
    found = verify_scores(
        true_record.model_copy(update={"utility": Utility(eer_after_recovery={"lbp": eer})}), TABLE, PAIRS
    )
    assert [line.partition(":")[0] for line in found] == ["recovered/lbp/eer.value"]
    baseline = {"lbp": true_record.baseline["lbp"].model_copy(update={"threshold": 0.1})}
    found = verify_scores(true_record.model_copy(update={"baseline": baseline}), TABLE, PAIRS, baseline={"lbp": PLAIN})
    assert any(line.startswith("baseline/lbp/threshold: 0.1 in the record") for line in found)


def test_a_record_without_scores_is_right_only_where_it_failed(tmp_path):
    assert verify(record(scores=None, status="failed", reason="raised"), tmp_path, PAIRS) == []
    assert verify(record(scores=None), tmp_path, PAIRS) == ["status is ok, but the record names no score file"]


def test_other_pairs_do_not_pass(true_record):
    other = pair_list(count=4000, subjects=200, seed=5)
    assert np.array_equal(other.genuine, PAIRS.genuine)
    assert verify_scores(true_record, TABLE, other)
