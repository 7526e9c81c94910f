"""Intervals of the template protection metrics over all pairs: a bootstrap over subjects, on histograms.

Ten million scores under a thousand weightings are too many to sort again and again, so each resample is a histogram of
at least a thousand bins, into which the bins of D_sys and of maximal linkability fit exactly. The EER of a resample is
read off its histogram (linear within a bin).
"""

from __future__ import annotations

from math import lcm

import numpy as np
import numpy.typing as npt

from benchmark.metrics.operating_points import Floats, checked, eer_of
from benchmark.metrics.template_protection import (
    LINKABILITY_BINS,
    d_sys_bins,
    d_sys_of,
    maximal_linkability_of,
)
from benchmark.metrics.weighted_histograms import bin_numbers, resampled_counts

Subjects = npt.NDArray[np.integer]

#: Bins of a resample's histogram, at least.
FINE = 1000


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
    linked: there the permutation null decides, not this interval. Raises ValueError where scores are not finite.

    >>> w = np.array([[1, 1], [2, 0]], np.int32)  # in the second resample subject 1 is missing
    >>> one, other = np.zeros(20, int), np.ones(20, int)
    >>> found = protection_bootstrap(np.ones(20), one, np.zeros(20), (one, other), w)
    >>> found["d_sys"], found["eer"]
    (array([ 1., nan]), array([ 0., nan]))
    """
    m, n = _scores(mated, "mated"), _scores(non_mated, "non-mated")
    coarse = d_sys_bins(m.size)
    edges = nested_edges(min(m.min(), n.min()), max(m.max(), n.max()), coarse)
    count = edges.size - 1
    own = np.asarray(mated_subject)
    blocks = zip(
        resampled_counts(bin_numbers(m, edges), own, own, weights, count),
        resampled_counts(bin_numbers(n, edges), *non_mated_subjects, weights, count),
        strict=True,
    )
    parts: dict[str, list[Floats]] = {"eer": [], "d_sys": [], "maximal_linkability": []}
    for count_m, count_n in blocks:
        parts["eer"].append(_eer(count_m, count_n))
        parts["d_sys"].append(d_sys_of(_merged(count_m, coarse), _merged(count_n, coarse), omega))
        merged = _merged(count_m, LINKABILITY_BINS), _merged(count_n, LINKABILITY_BINS)
        parts["maximal_linkability"].append(maximal_linkability_of(*merged))
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


def nested_edges(low: float, high: float, coarse: int) -> Floats:
    """Edges (float64) of at least FINE bins that hold those of `coarse` bins, and of maximal linkability's.

    >>> nested_edges(0.0, 1.0, 100).size - 1, nested_edges(0.5, 0.5, 7)[[0, -1]].tolist()
    (1200, [0.0, 1.0])
    """
    if low == high:  # as numpy's histogram
        low, high = low - 0.5, high + 0.5
    both = lcm(coarse, LINKABILITY_BINS)
    fine = both * -(-FINE // both)
    edges = np.linspace(low, high, fine + 1)
    for bins in (LINKABILITY_BINS, coarse):  # the same to the last digit
        edges[:: fine // bins] = np.linspace(low, high, bins + 1)
    return edges


def _scores(scores: npt.ArrayLike, what: str) -> npt.NDArray[np.floating]:
    """Finite scores in their own precision."""
    values = np.asarray(scores)
    if values.dtype not in (np.float32, np.float64):
        values = values.astype(np.float64)
    if values.ndim != 1 or not values.size or not np.isfinite(values).all():
        raise ValueError(f"{what} scores must be a non-empty list of finite numbers; leave failures to process out")
    return values


def _merged(counts: npt.NDArray[np.int64], bins: int) -> npt.NDArray[np.int64]:
    return np.asarray(counts.reshape(len(counts), bins, -1).sum(axis=2))


def _eer(count_m: npt.NDArray[np.int64], count_n: npt.NDArray[np.int64]) -> Floats:
    """EERs (R) of histograms (R x B): thresholds are the edges, from the highest down."""
    accepted_m, accepted_n = (np.cumsum(counts[:, ::-1], axis=1) for counts in (count_m, count_n))
    with np.errstate(invalid="ignore"):
        fmr, fnmr = accepted_n / accepted_n[:, -1:], 1 - accepted_m / accepted_m[:, -1:]
    start = np.zeros((len(fmr), 1))
    return eer_of(np.hstack((start, fmr)), np.hstack((start + 1, fnmr)))
