"""Confidence intervals by a bootstrap over subjects, not over comparisons.

Comparisons that share a subject are not independent, so subjects are drawn with replacement and every comparison gets a
whole-number weight: a genuine one the number of times that its subject was drawn (the subsets bootstrap: Bolle, Ratha
and Pankanti, Error analysis of pattern recognition systems, CVIU 93, 2004), an impostor one the product of its two
subjects' numbers (the vertex bootstrap: Snijders and Borgatti, Connections 22, 1999; Owen and Eckles, Annals of Applied
Statistics 6, 2012, show that the product is conservative). All metrics of a score set share the same resamples, and
records of one protocol do too, so that differences between records can be bootstrapped pairwise.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from benchmark.metrics.fold_loops import weighted_fold_accuracies
from benchmark.metrics.operating_points import Floats, SortedScores, auc_of, eer_of, fnmr_of

#: Resamples behind every interval.
RESAMPLES = 1000
#: Resamples worked on at once: a block of 6,000 comparisons then stays in the processor's cache.
BLOCK = 16


def subject_weights(
    subjects: int, *, generator: np.random.Generator, resamples: int = RESAMPLES
) -> npt.NDArray[np.int32]:
    """How often each of S subjects is drawn in each of R resamples: int32, R x S, every row sums to S.

    Depends on nothing but the generator and the two numbers.

    >>> subject_weights(4, generator=np.random.default_rng(0), resamples=2).sum(axis=1)
    array([4, 4])
    """
    if subjects < 1 or resamples < 1:
        raise ValueError("subjects and resamples must be at least 1")
    drawn = generator.integers(subjects, size=(resamples, subjects))
    drawn += np.arange(resamples)[:, None] * subjects
    return np.bincount(drawn.ravel(), minlength=resamples * subjects).reshape(resamples, subjects).astype(np.int32)


def bootstrap(
    scores: npt.ArrayLike,
    genuine: npt.ArrayLike,
    first: npt.ArrayLike,
    second: npt.ArrayLike,
    weights: npt.NDArray[np.int32],
    *,
    fold: npt.ArrayLike | None = None,
    threshold: float | None = None,
    fmrs: tuple[float, ...] = (),
) -> dict[str, Floats]:
    """Replicates (float64, R) of every verification metric of N comparisons, by metric id.

    `first` and `second` (int, N) are columns of `weights` (R x S, from `subject_weights`). `view2_accuracy` and its
    `view2_accuracy_std` come only with `fold` (int, N), `attack_success_rate` only with `threshold`, and
    `fnmr_at_fmr_<x>` for each of `fmrs`. NaN where a resample cannot tell (without any genuine or impostor comparison).

    >>> w = np.array([[1, 1], [2, 0]], np.int32)  # in the second resample subject 1 is missing
    >>> bootstrap([0.9, 0.8, 0.1], [True, True, False], [0, 1, 0], [0, 1, 1], w)["eer"]
    array([ 0., nan])
    """
    points = SortedScores.of(scores, genuine)
    a, b = np.asarray(first)[points.order], np.asarray(second)[points.order]
    folds = None if fold is None else np.unique(np.asarray(fold)[points.order], return_inverse=True)[1]
    level = None if threshold is None else int(np.searchsorted(-points.thresholds, -threshold, side="right")) - 1
    parts: dict[str, list[Floats]] = {}
    for block in _pair_weights(points.genuine, a, b, weights):
        fmr, fnmr = points.rates(block)
        found = {"eer": eer_of(fmr, fnmr), "auc": auc_of(fmr, fnmr), "d_prime": _d_prime(points, block)}
        for at in fmrs:
            found[f"fnmr_at_fmr_{at:g}"] = fnmr_of(fmr, fnmr, at)
        if level is not None:
            found["attack_success_rate"] = 1.0 - fnmr[..., level]
        if folds is not None:
            accuracies = weighted_fold_accuracies(points, block, folds)
            found["view2_accuracy"], found["view2_accuracy_std"] = _over_folds(accuracies)
        for name, values in found.items():
            parts.setdefault(name, []).append(values)
    return {name: np.concatenate(values) for name, values in parts.items()}


def bootstrap_mean(values: npt.ArrayLike, subject: npt.ArrayLike, weights: npt.NDArray[np.int32]) -> Floats:
    """Replicates (float64, R) of the mean of N values, one per sample; `subject` (int, N): columns of `weights`.

    >>> w = subject_weights(2, generator=np.random.default_rng(0), resamples=3)
    >>> bootstrap_mean([1.0, 1.0], [0, 1], w)
    array([1., 1., 1.])
    """
    per_sample = weights[:, np.asarray(subject)].astype(np.float64)
    with np.errstate(invalid="ignore"):
        return np.asarray(per_sample @ np.asarray(values, dtype=np.float64) / per_sample.sum(axis=1))


def interval(replicates: npt.ArrayLike, level: float = 0.95) -> tuple[float, float]:
    """Percentile interval (low, high) of replicates (R); those that are NaN are left out, all NaN gives NaN.

    >>> interval(np.arange(101), level=0.5)
    (25.0, 75.0)
    """
    values = np.asarray(replicates, dtype=np.float64)
    values = values[~np.isnan(values)]
    if not values.size:
        return float("nan"), float("nan")
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2], method="linear")
    return float(low), float(high)


def _pair_weights(
    genuine: npt.NDArray[np.bool_], a: npt.NDArray[np.int64], b: npt.NDArray[np.int64], weights: npt.NDArray[np.int32]
) -> Iterator[npt.NDArray[np.int32]]:
    for start in range(0, len(weights), BLOCK):
        drawn = weights[start : start + BLOCK]
        yield drawn[:, a] * np.where(genuine, 1, drawn[:, b])


def _d_prime(points: SortedScores, weights: npt.NDArray[np.int32]) -> Floats:
    moments = []
    if np.isneginf(points.scores[-1]):
        return np.full(weights.shape[:-1], np.nan)
    # Centred first: the variance is then no small difference of large numbers.
    centred = points.scores - points.scores.mean()
    for side in (points.genuine, ~points.genuine):
        w, x = weights[..., side].astype(np.float64), centred[side]
        total = w.sum(axis=-1)
        with np.errstate(invalid="ignore"):
            mean = w @ x / total
            moments.append((mean, w @ np.square(x) / total - np.square(mean)))
    (mean_g, var_g), (mean_i, var_i) = moments
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.abs(mean_g - mean_i) / np.sqrt(np.maximum((var_g + var_i) / 2, 0.0)))


def _over_folds(accuracies: Floats) -> tuple[Floats, Floats]:
    """Mean and sample standard deviation over the folds that the resample holds."""
    held = ~np.isnan(accuracies)
    count = held.sum(axis=-1)
    filled = np.where(held, accuracies, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = filled.sum(axis=-1) / count
        squares = np.where(held, np.square(filled - mean[..., None]), 0.0).sum(axis=-1)
        return mean, np.sqrt(squares / (count - 1))
