"""Hold the record of an all-pairs protocol against its counts: what is a sum over bins exactly, every rate within bins.

Counts give D_sys, its floor and p value, maximal linkability and the numbers of comparisons exactly; EER, FNMR and
rates at a threshold lie between the values at two neighbouring edges. Intervals, replicates, the match rate of
revoked templates and key sensitivity rest on single scores, which are not filed: of them only the form is checked.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from benchmark.metrics.binned_scores import rates_at_edges
from benchmark.metrics.operating_points import Ints
from benchmark.record import KEPT_REPLICATES, TOLERANCE, Baseline, Record, Value
from benchmark.score_sets.counts import UNPROTECTED, CountTable, ScoreCounts, counts_digest
from benchmark.score_sets.measure import linkability_of
from benchmark.score_sets.thresholds import STOLEN_KEY, threshold_source
from benchmark.scoring import OPERATING_FMR, RULE

_LINKABILITY = ("d_sys", "d_sys_floor", "d_sys_null", "maximal_linkability")
#: Lowest and highest value that something may have.
_Range = tuple[float, float]


def recount(record: Record, counts: CountTable) -> list[str]:
    """What the counts alone contradict in a record, one line each; empty where they bear it out.

    `counts`: those of every scenario and recogniser of the record, and of unprotected data, as its score file holds
    them.
    """
    found = []
    if record.scores is not None and counts_digest(counts) != record.scores.digest:
        found.append("the score file's digest is not the one in the record")
    named = {(scenario, r) for scenario, by_recogniser in record.results.items() for r in by_recogniser}
    named |= {(UNPROTECTED, recogniser) for recogniser in record.baseline}
    held = {(scenario, r) for scenario, by_recogniser in counts.items() for r in by_recogniser}
    found += [f"{scenario}/{r}: the score file holds no such counts" for scenario, r in sorted(named - held)]
    found += [f"{scenario}/{r}: counts without a result" for scenario, r in sorted(held - named)]
    for scenario, recogniser in sorted(named & held):
        if scenario == UNPROTECTED:
            found += _of_baseline(recogniser, record.baseline[recogniser], counts[scenario][recogniser])
        else:
            found += _of_cell(record, counts, scenario, recogniser)
    return found


def _of_cell(record: Record, counts: CountTable, scenario: str, recogniser: str) -> Iterator[str]:
    own, where = counts[scenario][recogniser], f"{scenario}/{recogniser}"
    metrics = record.results[scenario][recogniser]
    exact = linkability_of(*_whole(own)) if set(_LINKABILITY) & set(metrics) else {}
    for name, value in metrics.items():
        place = f"{where}/{name}"
        if name in exact:
            yield from _differs(place, value, (exact[name], exact[name]), _size(own))
        elif name == "eer":
            yield from _differs(place, value, _eer_range(own), _size(own))
        elif name.startswith("fnmr_at_fmr_"):
            fmr = float(name.removeprefix("fnmr_at_fmr_"))
            few = int(own.non_mated.sum(dtype=np.int64)) < round(RULE / fmr)
            yield from _differs(place, value, None if few else _fnmr_range(own, fmr), _size(own))
        elif name == "attack_success_rate":
            attacks = own.non_mated if scenario == STOLEN_KEY else own.mated
            size = int(attacks.sum(dtype=np.int64))
            yield from _differs(place, value, _success_range(record, counts, scenario, recogniser), size)
        elif name not in ("revoked_match_rate", "key_sensitivity"):
            yield f"{place}: not a metric that counts give"
        elif value.value is not None and not 0 <= value.value <= 1:
            yield f"{place}: {value.value} is no share"
    kept = record.replicates.get(scenario, {}).get(recogniser, ())
    if len(kept) != min(KEPT_REPLICATES, record.resamples):
        yield f"{where}: {len(kept)} bootstrap replicates are kept of {record.resamples}"


def _of_baseline(recogniser: str, baseline: Baseline, counts: ScoreCounts) -> Iterator[str]:
    where = f"baseline/{recogniser}"
    yield from _differs(f"{where}/eer", baseline.eer, _eer_range(counts), _size(counts))
    impostors = int(counts.non_mated.sum(dtype=np.int64))
    if baseline.impostors != impostors:
        yield f"{where}/impostors: {baseline.impostors} in the record, {impostors} from the counts"
    if counts_digest({UNPROTECTED: {recogniser: counts}}) != baseline.scores_digest:
        yield f"{where}: the digest of the counts is not the one in the record"
    threshold = baseline.threshold
    if threshold is None:
        return
    expected = _threshold_range(counts)
    if expected is None or not _within(threshold, expected):
        yield f"{where}/threshold: {threshold} in the record, {_said(expected)} from the counts"
    if not _within(baseline.fmr, accepted := _accepted_range(counts, counts.non_mated, (threshold, threshold))):
        yield f"{where}/fmr: {baseline.fmr} in the record, {_said(accepted)} from the counts"


def _success_range(record: Record, counts: CountTable, scenario: str, recogniser: str) -> _Range | None:
    """Of the attack success rate; None where there is no threshold, and so no rate."""
    own, other = counts[scenario][recogniser], threshold_source(scenario, record.protector.domain)
    there = counts.get(other or "", {}).get(recogniser)
    thresholds = None if there is None else _threshold_range(there)
    if other == UNPROTECTED:
        baseline = record.baseline.get(recogniser)
        known = None if baseline is None else baseline.threshold
        thresholds = None if known is None else (known, known)
    if thresholds is None:
        return None
    attacks = own.non_mated if scenario == STOLEN_KEY else own.mated
    return _accepted_range(own, attacks, (thresholds[0], thresholds[1]))


def _eer_range(counts: ScoreCounts) -> _Range:
    """FMR and FNMR meet between the last edge at which FNMR is above FMR, and the next."""
    fmr, fnmr = rates_at_edges(*_whole(counts))
    after = int(np.argmax(fnmr <= fmr))
    return float(max(fmr[after - 1], fnmr[after])), float(min(fmr[after], fnmr[after - 1]))


def _fnmr_range(counts: ScoreCounts, at: float) -> _Range:
    fmr, fnmr = rates_at_edges(*_whole(counts))
    beyond = fmr > at
    after = int(np.argmax(beyond)) if beyond.any() else fmr.size - 1
    return float(fnmr[after]), float(fnmr[after - 1])


def _threshold_range(counts: ScoreCounts) -> _Range | None:
    """Of the threshold of FMR 0.1 %: halfway between the highest score that is rejected and the next above it."""
    _, non_mated = _whole(counts)
    total = int(non_mated.sum())
    allowed = int(np.floor(OPERATING_FMR * total + 1e-9))
    if allowed < 1:
        return None
    # The bin of the highest score that is rejected, and the next one above in which there are scores.
    rejected = non_mated.size - 1 - int(np.argmax(np.cumsum(non_mated[::-1]) > allowed))
    above = np.flatnonzero(non_mated[rejected + 1 :])
    accepted = rejected + 1 + int(above[0]) if above.size else rejected
    return float(counts.edges[rejected]), float(counts.edges[accepted + 1])


def _accepted_range(counts: ScoreCounts, some: npt.NDArray[np.uint32], thresholds: _Range) -> _Range:
    """Of the share of some counts (B) that is accepted at a threshold between two."""
    low, high = thresholds
    upper = counts.edges[1:].copy()
    upper[-1] = np.nextafter(upper[-1], np.inf)  # the last bin holds its upper edge too
    number, total = some.astype(np.int64), int(some.sum(dtype=np.int64))
    return float(number[counts.edges[:-1] >= high].sum() / total), float(number[upper > low].sum() / total)


def _differs(where: str, value: Value, expected: _Range | None, n: int) -> Iterator[str]:
    if value.n != n:
        yield f"{where}.n: {value.n} in the record, {n} from the counts"
    if (value.value is None) is not (expected is None) or not (
        value.value is None or expected is None or _within(value.value, expected)
    ):
        yield f"{where}.value: {value.value} in the record, {_said(expected)} from the counts"
    if value.low is not None and value.high is not None and not value.low <= value.high:
        yield f"{where}: the interval {value.low} to {value.high} has its ends exchanged"


def _within(value: float, expected: _Range) -> bool:
    low, high = expected
    return low <= value <= high or any(
        math.isclose(value, end, rel_tol=TOLERANCE, abs_tol=TOLERANCE) for end in expected
    )


def _said(expected: _Range | None) -> str:
    if expected is None:
        return "nothing"
    low, high = (f"{end:.6g}" for end in expected)
    return low if low == high else f"{low} to {high}"


def _whole(counts: ScoreCounts) -> tuple[Ints, Ints]:
    return counts.mated.astype(np.int64), counts.non_mated.astype(np.int64)


def _size(counts: ScoreCounts) -> int:
    return int(counts.mated.sum(dtype=np.int64) + counts.non_mated.sum(dtype=np.int64))
