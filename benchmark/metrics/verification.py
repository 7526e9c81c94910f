"""Verification metrics after ISO/IEC 19795-1: scores in, one number out.

Scores are similarities (higher = more alike), float, one axis; -inf stands for a failure to process and is counted as
a non-match on either side, never dropped. NaN raises ValueError. Rates are shares, 0..1.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from benchmark.metrics.operating_points import Floats, SortedScores, auc_of, checked, eer_of, fnmr_of, run_ends


def roc(genuine: npt.ArrayLike, impostor: npt.ArrayLike) -> tuple[Floats, Floats, Floats]:
    """Operating points (FMR, FNMR, thresholds), each K + 1, from "nothing accepted" (threshold +inf) downwards.

    >>> roc([0.9, 0.4], [0.4, 0.1])
    (array([0. , 0. , 0.5, 1. ]), array([1. , 0.5, 0. , 0. ]), array([inf, 0.9, 0.4, 0.1]))
    """
    g, i = checked(genuine, "genuine"), checked(impostor, "impostor")
    points = SortedScores.of(np.concatenate((g, i)), np.arange(g.size + i.size) < g.size)
    fmr, fnmr = points.rates(np.ones(points.scores.size, dtype=np.int64))
    return fmr, fnmr, points.thresholds


def eer(genuine: npt.ArrayLike, impostor: npt.ArrayLike) -> float:
    """Equal error rate (0..1): where FMR and FNMR meet, interpolated linearly between neighbouring operating points.

    Scores that are all tied give 0.5; above 0.5, impostors score higher than genuine pairs.

    >>> eer([0.9, 0.8, 0.3], [0.4, 0.2, 0.1])
    0.3333333333333333
    """
    fmr, fnmr, _ = roc(genuine, impostor)
    return float(eer_of(fmr, fnmr))


def fnmr_at_fmr(genuine: npt.ArrayLike, impostor: npt.ArrayLike, fmr: float) -> float:
    """False non-match rate (0..1) at a false match rate (0..1), interpolated between neighbouring operating points.

    An estimate worth reporting needs 30 / FMR impostor comparisons ("rule of 30", ISO/IEC 19795-1 annex B).

    >>> fnmr_at_fmr([0.9, 0.8, 0.3], [0.4, 0.2, 0.1], 0.0)
    0.33333333333333337
    """
    if not 0 <= fmr <= 1:
        raise ValueError(f"FMR must lie in 0..1, got {fmr}")
    rates = roc(genuine, impostor)
    return float(fnmr_of(rates[0], rates[1], fmr))


def auc(genuine: npt.ArrayLike, impostor: npt.ArrayLike) -> float:
    """Area under the ROC curve (0..1): how often a genuine score beats an impostor score; ties count one half.

    >>> auc([0.9, 0.4], [0.4, 0.1])
    0.875
    """
    fmr, fnmr, _ = roc(genuine, impostor)
    return float(auc_of(fmr, fnmr))


def d_prime(genuine: npt.ArrayLike, impostor: npt.ArrayLike) -> float:
    """Decidability |mean difference| / sqrt(mean variance) (Daugman 2000, population variances), 0 and up.

    NaN where it is not defined: a failure to process (-inf) has no distance. Constant sets give 0 or inf.

    >>> d_prime([3.0, 5.0], [0.0, 2.0])
    3.0
    """
    g, i = checked(genuine, "genuine"), checked(impostor, "impostor")
    if np.isneginf(g).any() or np.isneginf(i).any():
        return float("nan")
    difference, spread = abs(g.mean() - i.mean()), np.sqrt((g.var() + i.var()) / 2)
    return float(difference / spread) if spread else (float("inf") if difference else 0.0)


def threshold_at_fmr(impostor: npt.ArrayLike, fmr: float) -> float:
    """The threshold at which at most a share `fmr` of the impostor scores is accepted, and no lower one would do.

    It lies halfway between the lowest impostor score that is accepted and the highest that is not, so that rounding
    moves no comparison across it. Raises ValueError where fewer than 1 / FMR scores are given, or where ties leave
    nothing to accept: such a threshold would rest on no score at all.

    >>> threshold_at_fmr([0.1, 0.2, 0.3, 0.5], 0.25)
    0.4
    """
    values = np.sort(checked(impostor, "impostor"))[::-1]
    return threshold_below(values, values.size, fmr)


def threshold_below(highest: Floats, count: int, fmr: float) -> float:
    """As `threshold_at_fmr`, of the highest of `count` impostor scores (float64, downwards), where they suffice.

    They suffice where more than FMR x `count` of them are there, and all that are tied with the last one above.

    >>> threshold_below(np.array([0.5, 0.3]), 4, 0.25)
    0.4
    """
    allowed = int(np.floor(fmr * count + 1e-9))
    if allowed < 1:
        raise ValueError(f"FMR {fmr:g} needs at least {np.ceil(1 / fmr):.0f} impostor scores, got {count}")
    if allowed >= count:
        return float(highest[-1])
    rejected = highest[allowed]
    accepted = highest[:allowed][highest[:allowed] > rejected]
    if not accepted.size:
        raise ValueError(f"the {allowed + 1} highest impostor scores are tied: no threshold gives FMR {fmr:g}")
    if np.isneginf(rejected):
        return float(accepted[-1])
    return float((accepted[-1] + rejected) / 2)


def attack_success_rate(genuine_attacked: npt.ArrayLike, threshold: float) -> float:
    """Share (0..1) of attacked genuine comparisons accepted at a threshold: IAPMR of ISO/IEC 30107-3.

    The threshold is the one that gives FMR 0.1 % on unprotected data of the same protocol. Failures never succeed.

    >>> attack_success_rate([0.9, 0.2, float("-inf"), 0.5], 0.5)
    0.5
    """
    return float((checked(genuine_attacked, "genuine") >= threshold).mean())


def fold_accuracies(points: SortedScores, weights: npt.NDArray[np.int32], fold: npt.ArrayLike) -> Floats:
    """Accuracy (0..1) on each fold at the threshold that is best on all the others: (..., N) weights -> (..., F).

    Of equally good thresholds the highest is taken; it is a score of the training folds, or +inf. `fold` (int, N) and
    `weights` (integers, so that sums are exact) are in sorted order. NaN for a fold whose weights are all 0.
    """
    numbers = np.asarray(fold)
    gains = np.where(points.genuine, weights, -weights)
    accuracies = []
    for number in np.unique(numbers):
        test, train = np.flatnonzero(numbers == number), np.flatnonzero(numbers != number)
        scores = points.scores[train]
        ends = run_ends(scores)
        gained = np.cumsum(np.take(gains, train, axis=-1), axis=-1, dtype=gains.dtype)
        gained = gained if ends.size == train.size else gained[..., ends]
        best = np.argmax(gained, axis=-1)[..., None]
        # Accepting nothing gains 0; only where something gains more is there a threshold among the scores.
        accepted = np.searchsorted(-points.scores[test], -scores[ends], side="right")[best]
        accepted = np.where(np.take_along_axis(gained, best, axis=-1) > 0, accepted, 0)
        held = np.take(weights, test, axis=-1)
        right = np.zeros((*held.shape[:-1], test.size + 1), dtype=np.int64)
        np.cumsum(np.take(gains, test, axis=-1), axis=-1, out=right[..., 1:])
        impostors = held[..., ~points.genuine[test]].sum(axis=-1)
        with np.errstate(invalid="ignore"):
            accuracies.append((np.take_along_axis(right, accepted, axis=-1)[..., 0] + impostors) / held.sum(axis=-1))
    return np.stack(accuracies, axis=-1)


def view2_accuracy(scores: npt.ArrayLike, genuine: npt.ArrayLike, fold: npt.ArrayLike) -> tuple[float, float]:
    """LFW View 2: (mean accuracy, standard deviation over folds), each 0..1; threshold chosen on the other folds.

    scores float N, genuine bool N, fold int N. The deviation is the sample one, over F - 1 (Huang et al., Labeled
    Faces in the Wild, 2007, section on View 2). Raises ValueError for fewer than two folds.

    >>> view2_accuracy([0.9, 0.1, 0.8, 0.2], [True, False, True, False], [0, 0, 1, 1])
    (0.75, 0.3535533905932738)
    """
    points = SortedScores.of(scores, genuine)
    numbers = np.asarray(fold)[points.order]
    if np.unique(numbers).size < 2:
        raise ValueError("View 2 accuracy needs at least two folds")
    accuracies = fold_accuracies(points, np.ones(numbers.size, dtype=np.int32), numbers)
    return float(accuracies.mean()), float(accuracies.std(ddof=1))
