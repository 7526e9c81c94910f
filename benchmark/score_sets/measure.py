"""One score set -> metrics with intervals, replicates, flags and counts: exact values, intervals over subjects."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from benchmark.digest import generator
from benchmark.metrics.binned_scores import BinnedScores, merged
from benchmark.metrics.operating_points import Floats, Ints
from benchmark.metrics.protection_intervals import binned_bootstrap, match_rate_bootstrap
from benchmark.metrics.statistics import interval
from benchmark.metrics.template_protection import (
    LINKABILITY_BINS,
    d_sys_bins,
    d_sys_floor,
    d_sys_of,
    key_sensitivity,
    maximal_linkability_of,
    null_of_counts,
)
from benchmark.record import IMPOSTORS_ACCEPTED_FLAG, KEPT_REPLICATES, REPLICATE_DECIMALS, Baseline, Flag, Value
from benchmark.score_sets.build import RowScores, ScoreSet
from benchmark.score_sets.counts import UNPROTECTED, ScoreCounts, counts_digest
from benchmark.scoring import IMPOSTORS_ACCEPTED, OPERATING_FMR, RULE

#: What `measure` computes; `fnmr_at_fmr_<x>` for any x.
METRIC_IDS = (
    "eer", "fnmr_at_fmr_0.001", "d_sys", "maximal_linkability", "attack_success_rate", "revoked_match_rate",
    "key_sensitivity",
)  # fmt: skip
#: The metric that each kind of comparison gives at a threshold.
_RATES = {
    "mated": "attack_success_rate", "non_mated": "attack_success_rate", "revoked": "revoked_match_rate",
    "flipped": "key_sensitivity",
}  # fmt: skip
#: Distances between histograms, to which noise can only add.
RAISED = ("d_sys", "maximal_linkability")
#: (estimate, replicates or None, comparisons that it rests on, why it is not estimable or None)
_Found = tuple[float, Floats | None, int, str | None]


@dataclass(frozen=True)
class Measured:
    """What one score set says."""

    #: By metric id; `d_sys_floor` and `d_sys_null` (the p value of the permutation test) come with `d_sys`.
    metrics: dict[str, Value]
    #: The first KEPT_REPLICATES bootstrap EERs, rounded; None where a resample cannot tell.
    replicates: tuple[float | None, ...]
    flags: tuple[Flag, ...]
    counts: ScoreCounts
    #: The threshold of FMR 0.1 % of this set, the share of non-mated comparisons that it accepts; None: too few.
    threshold: float | None
    fmr: float


def measure(
    score_set: ScoreSet,
    weights: npt.NDArray[np.int32],
    *,
    metrics: Sequence[str] = METRIC_IDS,
    thresholds: Mapping[str, float | None] | None = None,
    rows: Mapping[str, RowScores] | None = None,
    where: str = "",
) -> Measured:
    """Every metric asked for (ids of METRIC_IDS; others are left to other functions), with its interval and flags.

    `weights` (int32, R x S) are those of `benchmark.metrics.statistics.subject_weights`. `thresholds` say what counts
    as accepted: of the `mated` or of the `non_mated` comparisons for `attack_success_rate`; of the `revoked` ones among
    `rows` for `revoked_match_rate`, of the `flipped` ones (keys one bit apart) for `key_sensitivity`. Without an entry
    there is no such rate, and None as a threshold leaves it null. `where` names the score set in flags. Raises
    ValueError for a threshold of another kind, or for both kinds of attack.
    """
    given = dict(thresholds or {})
    if set(given) - set(_RATES) or {"mated", "non_mated"} <= set(given):
        raise ValueError(
            f"thresholds are of mated or of non_mated comparisons, and of revoked and flipped ones, not {sorted(given)}"
        )
    fmrs = [float(name.removeprefix("fnmr_at_fmr_")) for name in metrics if name.startswith("fnmr_at_fmr_")]
    binned = BinnedScores.of(score_set.mated, score_set.non_mated)
    replicates = binned_bootstrap(binned, score_set.mated_subject, score_set.non_mated_subjects, weights, fmrs=fmrs)
    found: dict[str, Value] = {}
    flags = [*_flags_of_scores(score_set, binned, where)]
    estimates = dict(_from_bins(binned, replicates, metrics))
    estimates |= _rates(score_set, weights, given, rows or {}, metrics)
    for name, (estimate, resampled, n, why_not) in estimates.items():
        if resampled is not None and name in RAISED:
            resampled = _centred(resampled, estimate)
        found[name] = Value(value=None, n=n) if why_not else _value(estimate, resampled, n)
        if why_not:
            flags.append(Flag(id="too-few-impostors", where=_join(where, name), message=f"{name} {why_not}"))
    flags += _flags_of_metrics(score_set, found, given, where)
    kept = [None if np.isnan(x) else round(float(x), REPLICATE_DECIMALS) for x in replicates["eer"][:KEPT_REPLICATES]]
    counts = (np.asarray(count, np.uint32) for count in (binned.mated_counts, binned.non_mated_counts))
    threshold, fmr = _threshold(binned)
    return Measured(found, tuple(kept), tuple(flags), ScoreCounts(binned.edges, *counts), threshold, fmr)


def baseline_of(measured: Measured, recogniser: str) -> tuple[Baseline, tuple[Flag, ...]]:
    """What unprotected data gives, of its measured score set (with `eer`): EER and the threshold of FMR 0.1 %."""
    impostors = int(measured.counts.non_mated.sum(dtype=np.int64))
    flags = list(measured.flags)
    if impostors < RULE / OPERATING_FMR or measured.threshold is None:
        note = f"the threshold of FMR 0.1 % rests on {impostors:,} impostor comparisons; 30,000 make it reliable"
        if measured.threshold is None:
            note = f"no threshold of FMR 0.1 %, so no attack success rate: {impostors:,} impostor comparisons, or ties"
        flags.append(Flag(id="too-few-impostors", where=_join("baseline", recogniser), message=note))
    baseline = Baseline(
        eer=measured.metrics["eer"], threshold=measured.threshold, fmr=measured.fmr, impostors=impostors,
        scores_digest=counts_digest({UNPROTECTED: {recogniser: measured.counts}}),
    )  # fmt: skip
    return baseline, tuple(flags)


def linkability_of(mated: Ints, non_mated: Ints) -> dict[str, float]:
    """`d_sys`, `d_sys_floor`, `d_sys_null` and `maximal_linkability` of nested bin counts (int64, B each).

    >>> mated, non_mated = np.zeros(1200, int), np.zeros(1200, int)
    >>> mated[-1] = non_mated[0] = 1000
    >>> {name: round(value, 3) for name, value in linkability_of(mated, non_mated).items() if name != "d_sys_floor"}
    {'d_sys': 1.0, 'd_sys_null': 0.001, 'maximal_linkability': 1.0}
    """
    sizes = int(mated.sum()), int(non_mated.sum())
    coarse = merged(mated, d_sys_bins(sizes[0])), merged(non_mated, d_sys_bins(sizes[0]))
    thirty = merged(mated, LINKABILITY_BINS), merged(non_mated, LINKABILITY_BINS)
    return {
        "d_sys": float(d_sys_of(*coarse)),
        "d_sys_floor": d_sys_floor(*coarse),
        "d_sys_null": null_of_counts(*coarse, generator=generator("unlinkability null", *sizes)).p_value,
        "maximal_linkability": float(maximal_linkability_of(*thirty)),
    }


def _from_bins(
    binned: BinnedScores, replicates: Mapping[str, Floats], metrics: Sequence[str]
) -> Iterator[tuple[str, _Found]]:
    n = binned.mated.size + binned.non_mated.size
    linkability = linkability_of(binned.mated_counts, binned.non_mated_counts)
    for name in metrics:
        if name == "eer":
            yield name, (binned.eer(), replicates[name], n, None)
        elif name.startswith("fnmr_at_fmr_"):
            fmr = float(name.removeprefix("fnmr_at_fmr_"))
            needed, there = round(RULE / fmr), binned.non_mated.size
            few = f"needs {needed:,} impostor comparisons (30 / FMR); there are {there:,}"
            yield (
                name,
                (binned.fnmr_at_fmr(fmr), replicates[f"fnmr_at_fmr_{fmr:g}"], n, few if there < needed else None),
            )
        elif name in ("d_sys", "maximal_linkability"):
            yield name, (linkability[name], replicates[name], n, None)
            if name == "d_sys":
                yield "d_sys_floor", (linkability["d_sys_floor"], None, n, None)
                yield "d_sys_null", (linkability["d_sys_null"], None, n, None)


def _rates(
    score_set: ScoreSet,
    weights: npt.NDArray[np.int32],
    thresholds: Mapping[str, float | None],
    rows: Mapping[str, RowScores],
    metrics: Sequence[str],
) -> Iterator[tuple[str, _Found]]:
    """Shares of comparisons that a threshold of other data accepts."""
    compared = {
        "mated": RowScores(score_set.mated, score_set.mated_subject, score_set.mated_subject),
        "non_mated": RowScores(score_set.non_mated, *score_set.non_mated_subjects),
        **rows,
    }
    for kind, threshold in thresholds.items():
        name, some = _RATES[kind], compared.get(kind)
        if name not in metrics or some is None:
            continue
        if threshold is None:
            why_not = "needs a threshold of FMR 0.1 %, and there are too few impostors for it"
            yield name, (np.nan, None, some.scores.size, why_not)
        else:
            rate = _share(some.scores >= threshold)
            replicates = match_rate_bootstrap(*some, threshold, weights)
            if name == "key_sensitivity":  # the share that is rejected
                rate, replicates = key_sensitivity(some.scores, threshold), 1.0 - replicates
            yield name, (rate, replicates, some.scores.size, None)


def _threshold(binned: BinnedScores) -> tuple[float | None, float]:
    try:
        threshold = binned.threshold_at_fmr(OPERATING_FMR)
    except ValueError:  # too few comparisons, or all of the highest tied
        return None, 0.0
    return threshold, _share(binned.non_mated >= threshold)


def _flags_of_scores(score_set: ScoreSet, binned: BinnedScores, where: str) -> Iterator[Flag]:
    if failed := sum(score_set.failed):
        n = binned.mated.size + binned.non_mated.size
        message = f"{failed:,} of {n:,} comparisons have a sample that could not be processed; they score lowest"
        yield Flag(id="failures-to-process", where=where, message=message)
    both = (binned.mated, binned.non_mated)
    if min(scores.min() for scores in both) == max(scores.max() for scores in both):
        yield Flag(id="constant-output", where=where, message="all comparisons have one and the same score")


def _flags_of_metrics(
    score_set: ScoreSet, found: Mapping[str, Value], thresholds: Mapping[str, float | None], where: str
) -> Iterator[Flag]:
    if "eer" in found and (low := found["eer"].low) is not None and low > 0.5:
        message = "EER is significantly above 50 %: identity is still there, with its sign turned round"
        yield Flag(id="eer-above-50", where=where, message=message)
    threshold = thresholds.get("mated")
    if "attack_success_rate" in found and threshold is not None:
        accepted = _share(score_set.non_mated >= threshold)
        if accepted >= IMPOSTORS_ACCEPTED:
            message = (
                f"at the threshold of FMR 0.1 % {100 * accepted:.1f} % of the non-mated comparisons are accepted as "
                "well, so the attack success rate counts a likeness of artefacts beside that of identities"
            )
            yield Flag(id=IMPOSTORS_ACCEPTED_FLAG, where=_join(where, "attack_success_rate"), message=message)


def _centred(replicates: Floats, estimate: float) -> Floats:
    """Replicates (0..1) of an estimate that noise raises, less what resampling, noise upon noise, has raised them by.

    Without that the interval of a D_sys near its floor would lie above its own estimate.
    """
    finite = replicates[np.isfinite(replicates)]
    return np.clip(finite - (finite.mean() - estimate), 0.0, 1.0) if finite.size else finite


def _value(estimate: float, replicates: Floats | None, n: int) -> Value:
    if replicates is None:
        return Value(value=estimate, n=n)
    low, high = interval(replicates[np.isfinite(replicates)])
    known = bool(np.isfinite(low))
    return Value(value=estimate, low=low if known else None, high=high if known else None, n=n)


def _share(accepted: npt.NDArray[np.bool_]) -> float:
    """The mean, of thirty million in a tenth of the time."""
    return float(np.count_nonzero(accepted) / accepted.size)


def _join(*parts: str) -> str:
    return "/".join(part for part in parts if part)
