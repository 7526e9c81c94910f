"""Scores of one comparison through one recogniser -> metrics with intervals, replicates and flags.

The pipeline and `veilbench verify` both come through here, so a record can be recomputed from its score file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from benchmark.digest import digest, generator
from benchmark.errors import InvalidInputError
from benchmark.metrics import verification
from benchmark.metrics.operating_points import Floats
from benchmark.metrics.statistics import RESAMPLES, bootstrap, bootstrap_mean, interval, subject_weights
from benchmark.record import IMPOSTORS_ACCEPTED_FLAG, KEPT_REPLICATES, REPLICATE_DECIMALS, Baseline, Flag, Value

#: The FMR of unprotected data at whose threshold attacks are counted as successful.
OPERATING_FMR = 0.001
#: Impostor comparisons needed per 1 / FMR: 30 errors are then expected (ISO/IEC 19795-1, rule of 30).
RULE = 30
#: Share of impostors accepted at the operating threshold (nominal: 0.001) from which a flag says so.
IMPOSTORS_ACCEPTED = 0.01
#: What `score_metrics` can compute; `fnmr_at_fmr_<x>` for any x.
METRIC_IDS = (
    "eer", "auc", "d_prime", "fnmr_at_fmr_0.01", "fnmr_at_fmr_0.001", "view2_accuracy", "attack_success_rate",
)  # fmt: skip


class PairList(Protocol):
    """What scoring needs of a pair list (see `benchmark.datasets.pairs.Pairs`)."""

    @property
    def a_index(self) -> npt.NDArray[np.int64]: ...
    @property
    def b_index(self) -> npt.NDArray[np.int64]: ...
    @property
    def genuine(self) -> npt.NDArray[np.bool_]: ...
    @property
    def fold(self) -> npt.NDArray[np.int64]: ...
    @property
    def subjects(self) -> Sequence[str]: ...


@dataclass(frozen=True)
class Comparisons:
    """A protocol's P comparisons with their bootstrap resamples: made once, shared by every score set and record."""

    #: bool, P.
    genuine: npt.NDArray[np.bool_]
    #: int64, P.
    fold: npt.NDArray[np.int64]
    #: int64, N: each sample's column of `weights`.
    sample_subject: npt.NDArray[np.int64]
    #: int64, P: columns of `weights`.
    first: npt.NDArray[np.int64]
    second: npt.NDArray[np.int64]
    #: int32, R x S: how often each subject is drawn in each resample.
    weights: npt.NDArray[np.int32]

    @classmethod
    def of(cls, pairs: PairList, protocol_digest: str, *, resamples: int = RESAMPLES) -> Comparisons:
        """Resamples depend on the protocol's digest and the sorted subjects alone, so records can be paired.

        Raises InvalidInputError for a pair list without genuine or without impostor pairs.
        """
        genuine = np.asarray(pairs.genuine, dtype=bool)
        if genuine.all() or not genuine.any():
            raise InvalidInputError("the pair list needs genuine and impostor pairs; it has only one kind")
        names, subject = np.unique(np.asarray(pairs.subjects), return_inverse=True)
        weights = subject_weights(names.size, generator=generator("bootstrap", protocol_digest), resamples=resamples)
        first, second = subject[pairs.a_index], subject[pairs.b_index]
        return cls(genuine, np.asarray(pairs.fold), subject, first, second, weights)


@dataclass(frozen=True)
class Scored:
    """What one score set says."""

    metrics: dict[str, Value]
    #: The first KEPT_REPLICATES bootstrap EERs, rounded; None where a resample cannot tell.
    replicates: tuple[float | None, ...]
    flags: tuple[Flag, ...]


def score_metrics(
    scores: npt.ArrayLike,
    comparisons: Comparisons,
    *,
    threshold: float | None = None,
    metrics: Sequence[str] = METRIC_IDS,
    where: str = "",
) -> Scored:
    """Every metric asked for (ids of METRIC_IDS, others are left to other functions) of P scores, with flags.

    scores: float P, in the order of the pair list, -inf for a failure to process. `threshold`: that of FMR 0.1 % on
    unprotected data; None leaves the attack success rate null. `where` names the score set in flags. Raises ValueError
    for NaN and for a wrong length.
    """
    values = np.asarray(scores, dtype=np.float64)
    genuine = comparisons.genuine
    if values.shape != genuine.shape:
        raise ValueError(f"{values.size} scores for {genuine.size} comparisons")
    wanted = [name for name in metrics if name in METRIC_IDS or name.startswith(("fnmr_at_fmr_", "view2_accuracy"))]
    fmrs = tuple(float(name.removeprefix("fnmr_at_fmr_")) for name in wanted if name.startswith("fnmr_at_fmr_"))
    by_fold = any(name.startswith("view2_accuracy") for name in wanted) and np.unique(comparisons.fold).size > 1
    folds = comparisons.fold if by_fold else None
    estimates = _estimates(values, comparisons, wanted, threshold, folds)
    replicates = bootstrap(
        values, genuine, comparisons.first, comparisons.second, comparisons.weights,
        fold=folds, threshold=threshold, fmrs=fmrs,
    )  # fmt: skip
    flags = _check_scores(values, where)
    if "attack_success_rate" in wanted and threshold is not None:
        flags += _check_threshold(values[~genuine], threshold, where)
    found = {}
    for name, (estimate, n, why_not) in estimates.items():
        if why_not is None and not np.isfinite(estimate):
            why_not = ("not-estimable", "is not defined for these scores (failures to process, or no spread)")
        if why_not is not None:
            flags.append(Flag(id=why_not[0], where=_join(where, name), message=f"{name} {why_not[1]}"))
        found[name] = Value(value=None, n=n) if why_not else _value(estimate, replicates[name], n)
    if (low := found["eer"].low if "eer" in found else None) is not None and low > 0.5:
        message = "EER is significantly above 50 %: identity is still there, with its sign turned round"
        flags.append(Flag(id="eer-above-50", where=where, message=message))
    kept = [None if np.isnan(r) else round(float(r), REPLICATE_DECIMALS) for r in replicates["eer"][:KEPT_REPLICATES]]
    return Scored(found, tuple(kept), tuple(flags))


def score_baseline(
    scores: npt.ArrayLike, comparisons: Comparisons, *, where: str = "", impostors: npt.ArrayLike | None = None
) -> tuple[Baseline, tuple[Flag, ...]]:
    """What unprotected data gives: EER, and the threshold of FMR 0.1 % that attacks are measured by.

    `scores` (P) are those of the pair list; `impostors` replaces its impostor scores for the threshold alone, where
    more unprotected impostor comparisons of the same samples are at hand.
    """
    values = np.asarray(scores, dtype=np.float64)
    found = score_metrics(values, comparisons, metrics=("eer",), where=where)
    strangers = values[~comparisons.genuine] if impostors is None else np.asarray(impostors, dtype=np.float64)
    flags = list(found.flags)
    threshold: float | None
    try:
        threshold = verification.threshold_at_fmr(strangers, OPERATING_FMR)
        fmr = float((strangers >= threshold).mean())
        note = f"the threshold of FMR 0.1 % rests on {strangers.size:,} impostor comparisons; 30,000 make it reliable"
    except ValueError as error:
        threshold, fmr, note = None, 0.0, f"no threshold of FMR 0.1 %, so no attack success rate: {error}"
    if strangers.size < RULE / OPERATING_FMR or threshold is None:
        flags.append(Flag(id="too-few-impostors", where=_join("baseline", where), message=note))
    baseline = Baseline(
        eer=found.metrics["eer"], threshold=threshold, fmr=fmr, impostors=strangers.size,
        scores_digest=digest(values.astype(np.float32)),
    )  # fmt: skip
    return baseline, tuple(flags)


def sample_mean(values: npt.ArrayLike, samples: npt.ArrayLike, comparisons: Comparisons) -> Value:
    """Mean of one value per sample (visual metrics, recovered exactly) with its interval over subjects.

    values: float M; samples: int M, their positions in the pair list's ids. No values give a null.
    """
    numbers = np.asarray(values, dtype=np.float64)
    if not numbers.size:
        return Value(value=None, n=0)
    subject = comparisons.sample_subject[np.asarray(samples)]
    return _value(float(numbers.mean()), bootstrap_mean(numbers, subject, comparisons.weights), numbers.size)


#: (estimate, how many comparisons it rests on, (flag, why it is not estimable) or None)
_Estimate = tuple[float, int, tuple[str, str] | None]


def _estimates(
    values: Floats, comparisons: Comparisons, wanted: Sequence[str], threshold: float | None,
    folds: npt.NDArray[np.int64] | None,
) -> dict[str, _Estimate]:  # fmt: skip
    genuine, impostor = values[comparisons.genuine], values[~comparisons.genuine]
    simple = {"eer": verification.eer, "auc": verification.auc, "d_prime": verification.d_prime}
    found: dict[str, _Estimate] = {}
    for name in wanted:
        if name in simple:
            found[name] = simple[name](genuine, impostor), values.size, None
        elif name.startswith("fnmr_at_fmr_"):
            fmr = float(name.removeprefix("fnmr_at_fmr_"))
            needed = round(RULE / fmr)
            few = f"needs {needed:,} impostor comparisons (30 / FMR); there are {impostor.size:,}"
            why_not = ("too-few-impostors", few) if impostor.size < needed else None
            found[name] = verification.fnmr_at_fmr(genuine, impostor, fmr), values.size, why_not
        elif name == "attack_success_rate":
            rate = np.nan if threshold is None else verification.attack_success_rate(genuine, threshold)
            few = "needs the threshold of FMR 0.1 % on unprotected data, and there are too few impostors for it"
            found[name] = rate, genuine.size, ("too-few-impostors", few) if threshold is None else None
        elif folds is not None:
            mean, deviation = verification.view2_accuracy(values, comparisons.genuine, folds)
            found[name] = mean, values.size, None
            found["view2_accuracy_std"] = deviation, np.unique(folds).size, None
    return found


def _check_scores(values: Floats, where: str) -> list[Flag]:
    flags = []
    finite = values[np.isfinite(values)]
    if failed := values.size - finite.size:
        message = f"{failed:,} of {values.size:,} comparisons have a sample that could not be processed; non-matches"
        flags.append(Flag(id="failures-to-process", where=where, message=message))
    if finite.size > 1 and np.ptp(finite) == 0:
        flags.append(Flag(id="constant-output", where=where, message="all comparisons have one and the same score"))
    return flags


def _check_threshold(impostor: Floats, threshold: float, where: str) -> list[Flag]:
    """Attacked samples may look alike through what the protection left in them; then impostors are accepted too."""
    accepted = float((impostor >= threshold).mean())
    if accepted < IMPOSTORS_ACCEPTED:
        return []
    message = (
        f"at the threshold of FMR 0.1 % on unprotected data {100 * accepted:.1f} % of the impostor comparisons are "
        "accepted as well, so the attack success rate counts a likeness of artefacts beside that of identities"
    )
    return [Flag(id=IMPOSTORS_ACCEPTED_FLAG, where=_join(where, "attack_success_rate"), message=message)]


def _value(estimate: float, replicates: Floats, n: int) -> Value:
    low, high = interval(replicates[np.isfinite(replicates)])
    known = bool(np.isfinite(low))
    return Value(value=estimate, low=low if known else None, high=high if known else None, n=n)


def _join(*parts: str) -> str:
    return "/".join(part for part in parts if part)
