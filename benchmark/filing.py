"""Filing a record beside its scores: what was only reproduced leaves the files as they are.

A recogniser with floating-point templates gives other last bits on another processor, so a result counts as reproduced
where every number agrees within TOLERANCE, the scores of every comparison included.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, Literal, TypeAlias, TypeGuard, cast

import numpy as np

from benchmark.errors import InvalidInputError
from benchmark.record import TOLERANCE, Record, read_record, record_path, write_record
from benchmark.score_sets.counts import CountTable, ScoreCounts, counts_digest, read_counts, write_counts
from benchmark.scores import ScoreTable, read_scores, score_path, scores_digest, write_scores

#: So many comparisons of a set may lie on the other side of an edge.
_MOVED = 8
#: What lies beside a record: scores of a pair list, or counts of all pairs of samples.
Table: TypeAlias = ScoreTable | CountTable


def file_record(folder: Path, record: Record, scores: Table | None) -> Literal["written", "unchanged"]:
    """File a record, and the scores behind it, under the leaderboard folder; `unchanged`: they were there already.

    Files that hold the same result, from no fewer decoders, stay byte for byte. Raises InvalidInputError where the disk
    does not take it.
    """
    names = record.protocol.id, record.setting, record.attack.setting
    if _stands(folder, record, scores):
        return "unchanged"
    if scores is not None:  # first the scores, so that no record stands without them
        _write(score_path(folder, *names), scores)
    write_record(record_path(folder, *names), record)
    return "written"


def _stands(folder: Path, record: Record, scores: Table | None) -> bool:
    """Whether a sound record with the same result is filed, with its scores."""
    names = record.protocol.id, record.setting, record.attack.setting
    try:
        filed = read_record(record_path(folder, *names))
        if not same_result(filed, record) or not _decoders(record) <= _decoders(filed):
            return False
        if filed.scores is None or scores is None:
            return filed.scores is None and scores is None
        path = score_path(folder, *names)
        if is_counts(scores):
            counts = read_counts(path)
            return counts_digest(counts) == filed.scores.digest and same_counts(counts, scores)
        kept = read_scores(path)
        return scores_digest(kept) == filed.scores.digest and same_scores(kept, cast(ScoreTable, scores))
    except InvalidInputError:  # missing, damaged, or of an older schema: replaced by what was just measured
        return False


def result_content(record: Record) -> dict[str, Any]:
    """What a rerun must reproduce: everything but measured times, the environment, and which decoders it has.

    Digests of scores are left out, too: they change with a score's last bit, and the scores are compared themselves.
    """
    content = record.model_dump(mode="json", exclude={"environment"})
    content["cost"] = {
        name: value for name, value in content["cost"].items() if not name.endswith("_ms") and name != "compliance"
    }
    content["scores"] = None if record.scores is None else record.scores.file
    content["baseline"] = {
        name: {field: value for field, value in one.items() if field != "scores_digest"}
        for name, one in content["baseline"].items()
    }
    return content


def same_result(a: Record, b: Record) -> bool:
    """Whether two records differ in nothing but measured times, environment, decoders there were, and last bits.

    A decoder that both have must have refused as many samples.
    """
    both = _decoders(a) & _decoders(b)
    refused = [{name: record.cost.compliance[name].failures for name in both} for record in (a, b)]
    return _agree(result_content(a), result_content(b)) and refused[0] == refused[1]


def same_scores(a: ScoreTable, b: ScoreTable) -> bool:
    """Whether two score tables hold the same comparisons, with scores that agree within TOLERANCE.

    >>> one = {"protected-protected": {"net": np.array([0.5, -np.inf], np.float32)}}
    >>> same_scores(one, {"protected-protected": {"net": np.array([0.500001, -np.inf], np.float32)}})
    True
    >>> same_scores(one, {"protected-protected": {"net": np.array([0.5, 0.0], np.float32)}})
    False
    """
    if {name: set(by) for name, by in a.items()} != {name: set(by) for name, by in b.items()}:
        return False
    return all(
        values.shape == b[comparison][recogniser].shape
        and np.allclose(values, b[comparison][recogniser], rtol=TOLERANCE, atol=TOLERANCE)
        for comparison, by_recogniser in a.items()
        for recogniser, values in by_recogniser.items()
    )


def is_counts(table: Table) -> TypeGuard[CountTable]:
    """Whether counts lie beside a record, not scores."""
    return any(isinstance(one, ScoreCounts) for by_recogniser in table.values() for one in by_recogniser.values())


def same_counts(a: CountTable, b: CountTable) -> bool:
    """Whether two tables count the same comparisons, but for a few that another processor's last bit moves to the next
    bin: edges agree within TOLERANCE, and so do the shares of scores up to each of them."""
    if {name: set(by) for name, by in a.items()} != {name: set(by) for name, by in b.items()}:
        return False
    return all(
        _same_histogram(one, b[scenario][recogniser])
        for scenario, by_recogniser in a.items()
        for recogniser, one in by_recogniser.items()
    )


def _same_histogram(a: ScoreCounts, b: ScoreCounts) -> bool:
    if a.edges.shape != b.edges.shape or not np.allclose(a.edges, b.edges, rtol=TOLERANCE, atol=TOLERANCE):
        return False
    for one, other in ((a.mated, b.mated), (a.non_mated, b.non_mated)):
        sums = np.cumsum(one, dtype=np.int64), np.cumsum(other, dtype=np.int64)
        if sums[0][-1] != sums[1][-1] or np.abs(sums[0] - sums[1]).max() > max(_MOVED, 1e-4 * sums[0][-1]):
            return False
    return True


def _write(path: Path, table: Table) -> None:
    if is_counts(table):
        write_counts(path, table)
    else:
        write_scores(path, cast(ScoreTable, table))


def _agree(a: Any, b: Any) -> bool:
    """Whether two trees of plain data are equal but for the last digits of their numbers."""
    if isinstance(a, float) and isinstance(b, float):
        return math.isclose(a, b, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(_agree(value, b[name]) for name, value in a.items())
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(_agree, a, b))
    return type(a) is type(b) and bool(a == b)


def _decoders(record: Record) -> set[str]:
    """The decoders that took part."""
    return {name for name, one in record.cost.compliance.items() if one.version is not None}
