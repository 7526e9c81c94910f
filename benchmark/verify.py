"""Recompute a record's metrics from its score file and the protocol's pair list, and say what does not agree.

Of an all-pairs protocol the file holds counts, which `benchmark.score_sets.recount` holds the record against.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmark.errors import InvalidInputError
from benchmark.record import RECOVERED, TOLERANCE, Record, Value
from benchmark.score_sets.counts import read_counts
from benchmark.score_sets.recount import recount
from benchmark.scores import ScoreTable, read_scores, scores_digest
from benchmark.scoring import Comparisons, PairList, score_baseline, score_metrics


def verify(record: Record, folder: Path, pairs: PairList | None) -> list[str]:
    """What is wrong with a record, one line each; empty where everything agrees.

    `folder` is the leaderboard's, from which the record names its score file. `pairs` None: the protocol compares all
    pairs, and the file holds their counts, not their scores. Raises InvalidInputError where it cannot be read.
    """
    if record.scores is None:
        return [] if record.status != "ok" else ["status is ok, but the record names no score file"]
    file = folder / record.scores.file
    return recount(record, read_counts(file)) if pairs is None else verify_scores(record, read_scores(file), pairs)


def verify_scores(
    record: Record,
    scores: ScoreTable,
    pairs: PairList,
    *,
    baseline: Mapping[str, npt.NDArray[np.float32]] | None = None,
) -> list[str]:
    """Hold every metric of a record against its scores, one line for each discrepancy.

    `baseline`: {recogniser: scores of unprotected data}, where they are at hand.
    """
    found = []
    if record.scores is not None and scores_digest(scores) != record.scores.digest:
        found.append("the score file's digest is not the one in the record")
    comparisons = Comparisons.of(pairs, record.protocol.digest, resamples=record.resamples)
    for comparison, by_recogniser in record.results.items():
        for recogniser, metrics in by_recogniser.items():
            found += _verify_cell(record, scores, comparisons, comparison, recogniser, metrics)
    for recogniser, value in record.utility.eer_after_recovery.items():
        found += _verify_cell(record, scores, comparisons, RECOVERED, recogniser, {"eer": value})
    named = {(comparison, r) for comparison, by_recogniser in record.results.items() for r in by_recogniser}
    named |= {(RECOVERED, recogniser) for recogniser in record.utility.eer_after_recovery}
    held = {(comparison, r) for comparison, by_recogniser in scores.items() for r in by_recogniser}
    found += [f"{comparison}/{r}: scores without a result" for comparison, r in sorted(held - named)]
    for recogniser, values in (baseline or {}).items():
        found += _verify_baseline(record, comparisons, recogniser, values)
    return found


def _verify_cell(
    record: Record, scores: ScoreTable, comparisons: Comparisons, comparison: str, recogniser: str,
    metrics: Mapping[str, Value],
) -> list[str]:  # fmt: skip
    where = f"{comparison}/{recogniser}"
    values = scores.get(comparison, {}).get(recogniser)
    if values is None:
        return [f"{where}: the score file holds no such scores"]
    if values.size != comparisons.genuine.size:
        return [f"{where}: {values.size} scores, but the protocol has {comparisons.genuine.size} pairs"]
    baseline = record.baseline.get(recogniser)
    threshold = None if baseline is None else baseline.threshold
    try:
        again = score_metrics(values, comparisons, threshold=threshold, metrics=list(metrics), where=where)
    except (ValueError, InvalidInputError) as error:
        return [f"{where}: {error}"]
    found = [
        line for name, value in metrics.items() for line in _compare(f"{where}/{name}", value, again.metrics, name)
    ]
    kept = record.replicates.get(comparison, {}).get(recogniser)
    if comparison != RECOVERED and (kept is None or not _equal_lists(kept, again.replicates)):
        found.append(f"{where}: the bootstrap replicates do not come out again")
    return found


def _verify_baseline(
    record: Record, comparisons: Comparisons, recogniser: str, values: npt.NDArray[np.float32]
) -> list[str]:
    where, kept = f"baseline/{recogniser}", record.baseline.get(recogniser)
    if kept is None:
        return [f"{where}: missing in the record"]
    again, _ = score_baseline(values, comparisons, where=recogniser)
    found = _compare(f"{where}/eer", kept.eer, {"eer": again.eer}, "eer")
    if kept.scores_digest != again.scores_digest:
        found.append(f"{where}: the digest of the scores is not the one in the record")
    # A threshold that rests on more comparisons than the pair list's cannot be recomputed from it.
    if kept.impostors == again.impostors and not _equal(kept.threshold, again.threshold):
        found.append(f"{where}/threshold: {kept.threshold} in the record, {again.threshold} from the scores")
    return found


def _compare(where: str, value: Value, again: Mapping[str, Value], name: str) -> list[str]:
    if name not in again:
        return [f"{where}: not a metric that scores give"]
    return [
        f"{where}.{field}: {getattr(value, field)} in the record, {getattr(again[name], field)} from the scores"
        for field in ("value", "low", "high", "n")
        if not _equal(getattr(value, field), getattr(again[name], field))
    ]


def _equal_lists(a: tuple[float | None, ...], b: tuple[float | None, ...]) -> bool:
    return len(a) == len(b) and all(_equal(x, y) for x, y in zip(a, b, strict=True))


def _equal(a: float | None, b: float | None) -> bool:
    if a is None or b is None:
        return a is b
    return math.isclose(a, b, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
