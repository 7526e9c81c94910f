"""Intervals of the template protection metrics over all pairs: a bootstrap over subjects, on histograms.

Ten million scores under a thousand weightings are too many to sort again and again, so each resample is a histogram of
at least a thousand bins, into which the bins of D_sys and of maximal linkability fit exactly. The EER of a resample is
read off its histogram (linear within a bin).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from benchmark.metrics.binned_scores import BinnedScores, merged, rates_at_edges
from benchmark.metrics.operating_points import Floats, checked, eer_of, fnmr_of
from benchmark.metrics.template_protection import LINKABILITY_BINS, d_sys_bins, d_sys_of, maximal_linkability_of
from benchmark.metrics.weighted_histograms import resampled_counts

Subjects = npt.NDArray[np.integer]


def protection_bootstrap(
    mated: npt.ArrayLike,
    mated_subject: Subjects,
    non_mated: npt.ArrayLike,
    non_mated_subjects: tuple[Subjects, Subjects],
    weights: npt.NDArray[np.int32],
    *,
    omega: float = 1.0,
) -> dict[str, Floats]:
    """Replicates (float64, R) of `eer`, `d_sys` and `maximal_linkability` of two score sets; for `statistics.interval`.

    Scores are float, finite; subjects (int) are columns of `weights` (R x S, from `statistics.subject_weights`): one
    for each mated score, two for each non-mated one. NaN where a resample holds no mated or no non-mated comparison.
    Resampling adds noise of its own to D_sys, whose replicates therefore lie above the estimate where little can be
    linked (`benchmark.score_sets.measure` takes that off). Raises ValueError where scores are not finite.

    >>> w = np.array([[1, 1], [2, 0]], np.int32)  # in the second resample subject 1 is missing
    >>> one, other = np.zeros(20, int), np.ones(20, int)
    >>> found = protection_bootstrap(np.ones(20), one, np.zeros(20), (one, other), w)
    >>> found["d_sys"], found["eer"]
    (array([ 1., nan]), array([ 0., nan]))
    """
    binned = BinnedScores.of(mated, non_mated)
    return binned_bootstrap(binned, mated_subject, non_mated_subjects, weights, omega=omega)


def binned_bootstrap(
    binned: BinnedScores,
    mated_subject: Subjects,
    non_mated_subjects: tuple[Subjects, Subjects],
    weights: npt.NDArray[np.int32],
    *,
    fmrs: Sequence[float] = (),
    omega: float = 1.0,
) -> dict[str, Floats]:
    """As `protection_bootstrap`, of scores that are numbered already, with `fnmr_at_fmr_<x>` for each of `fmrs`."""
    count, coarse = binned.edges.size - 1, d_sys_bins(binned.mated.size)
    own = np.asarray(mated_subject)
    blocks = zip(
        resampled_counts(binned.mated_bins, own, own, weights, count),
        resampled_counts(binned.non_mated_bins, *non_mated_subjects, weights, count),
        strict=True,
    )
    parts: dict[str, list[Floats]] = {}
    for count_m, count_n in blocks:
        fmr, fnmr = rates_at_edges(count_m, count_n)  # linear within a bin
        found = {"eer": eer_of(fmr, fnmr)} | {f"fnmr_at_fmr_{at:g}": fnmr_of(fmr, fnmr, at) for at in fmrs}
        found["d_sys"] = d_sys_of(merged(count_m, coarse), merged(count_n, coarse), omega)
        thirty = merged(count_m, LINKABILITY_BINS), merged(count_n, LINKABILITY_BINS)
        found["maximal_linkability"] = maximal_linkability_of(*thirty)
        for name, values in found.items():
            parts.setdefault(name, []).append(values)
    return {name: np.concatenate(values) for name, values in parts.items()}


def match_rate_bootstrap(
    scores: npt.ArrayLike, first: Subjects, second: Subjects, threshold: float, weights: npt.NDArray[np.int32]
) -> Floats:
    """Replicates (float64, R) of the share of N comparisons that a threshold accepts; -inf is never accepted.

    Of attacked genuine comparisons (`first` and `second` are the same subjects) it is the attack success rate, of
    revoked templates their match rate, of different subjects the FMR. NaN where a resample holds no comparison.

    >>> w = np.array([[1, 1], [2, 0]], np.int32)
    >>> match_rate_bootstrap([0.9, 0.1], np.array([0, 1]), np.array([0, 1]), 0.5, w)
    array([0.5, 1. ])
    """
    accepted = (checked(scores, "compared") >= threshold).astype(np.int16)
    counts = np.concatenate(list(resampled_counts(accepted, first, second, weights, 2)))
    with np.errstate(invalid="ignore"):
        return np.asarray(counts[:, 1] / counts.sum(axis=1))
