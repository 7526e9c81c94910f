"""Operating points of a comparison, and the metrics that are read off them, for many weightings at once.

A threshold t accepts a comparison whose score is at least t. FMR(t) is the share of impostor scores >= t, FNMR(t) the
share of genuine scores < t (ISO/IEC 19795-1). Thresholds run downwards over the distinct scores, so equal scores are
stepped over together. Every function here works along the last axis: rates of shape (..., K + 1) for K distinct scores
give results of shape (...); leading axes are bootstrap resamples.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.int64]


def checked(scores: npt.ArrayLike, what: str) -> Floats:
    """Scores as float64 (N); -inf stands for a failure to process.

    Raises ValueError for NaN, +inf, an empty set, or more than one axis.

    >>> checked([0.5, float("-inf")], "genuine")
    array([ 0.5, -inf])
    """
    array = np.asarray(scores, dtype=np.float64)
    if array.ndim != 1 or not array.size:
        raise ValueError(f"{what} scores must be a non-empty list of numbers, got shape {array.shape}")
    if np.isnan(array).any() or np.isposinf(array).any():
        raise ValueError(f"{what} scores contain NaN or +inf; a failure to process is -inf")
    return array


def run_ends(ordered: Floats) -> Ints:
    """Position of the last of each run of equal scores (sorted, not empty).

    >>> run_ends(np.array([3.0, 2.0, 2.0, 1.0]))
    array([0, 2, 3])
    """
    return np.append(np.flatnonzero(ordered[1:] != ordered[:-1]), ordered.size - 1)


@dataclass(frozen=True)
class SortedScores:
    """Scores of one comparison, sorted once, from the highest down."""

    #: float64, N: the scores, downwards.
    scores: Floats
    #: int64, N: position in the score list that was handed in.
    order: Ints
    #: bool, N: whether the comparison is genuine.
    genuine: npt.NDArray[np.bool_]
    #: int64, K: position of the last of each run of equal scores.
    ends: Ints

    @classmethod
    def of(cls, scores: npt.ArrayLike, genuine: npt.ArrayLike) -> SortedScores:
        """Sort N scores with their genuine marks (bool, N)."""
        values = checked(scores, "comparison")
        order = np.argsort(-values, kind="stable")
        values = values[order]
        return cls(values, order, np.asarray(genuine, dtype=bool)[order], run_ends(values))

    @property
    def thresholds(self) -> Floats:
        """The K + 1 thresholds: +inf (nothing accepted), then the distinct scores downwards."""
        return np.concatenate(([np.inf], self.scores[self.ends]))

    def accepted(self, weights: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Weight accepted at each threshold; weights (..., N) in sorted order -> (..., K + 1), first 0."""
        sums = np.empty((*weights.shape[:-1], self.ends.size + 1), dtype=weights.dtype)
        sums[..., 0] = 0
        running = np.cumsum(weights, axis=-1, dtype=weights.dtype)
        sums[..., 1:] = running if self.ends.size == self.scores.size else running[..., self.ends]
        return sums

    def rates(self, weights: npt.NDArray[Any]) -> tuple[Floats, Floats]:
        """(FMR, FNMR) at each threshold, (..., K + 1); NaN where a resample holds no impostor or no genuine pair."""
        impostor = self.accepted(np.where(self.genuine, 0, weights).astype(weights.dtype, copy=False))
        genuine = self.accepted(np.where(self.genuine, weights, 0).astype(weights.dtype, copy=False))
        with np.errstate(invalid="ignore"):
            return impostor / impostor[..., -1:], 1.0 - genuine / genuine[..., -1:]


def _at(values: Floats, index: Ints) -> Floats:
    return np.take_along_axis(values, index[..., None], axis=-1)[..., 0]


def eer_of(fmr: Floats, fnmr: Floats) -> Floats:
    """Where FMR and FNMR meet, on the straight line between the two neighbouring operating points.

    >>> eer_of(np.array([0.0, 1.0]), np.array([1.0, 0.0]))  # all scores tied
    array(0.5)
    """
    after = np.maximum(np.argmax(fnmr <= fmr, axis=-1), 1)  # 1 - 0 > 0 at the first point, always; NaN gives 0
    gap_before = _at(fnmr, after - 1) - _at(fmr, after - 1)
    gap_after = _at(fnmr, after) - _at(fmr, after)
    share = gap_before / (gap_before - gap_after)
    start = _at(fmr, after - 1)
    return np.asarray(start + share * (_at(fmr, after) - start))


def fnmr_of(fmr: Floats, fnmr: Floats, at: float) -> Floats:
    """FNMR at FMR = `at` (0..1): the lowest one there, or on the line between the two neighbouring operating points.

    >>> fnmr_of(np.array([0.0, 0.0, 0.2, 1.0]), np.array([1.0, 0.5, 0.3, 0.0]), 0.1)
    array(0.4)
    """
    after = np.argmax(fmr > at, axis=-1)
    last = fmr.shape[-1] - 1
    after = np.where(after == 0, last, after)  # at = 1: no point lies beyond
    x0, x1 = _at(fmr, after - 1), _at(fmr, after)
    y0, y1 = _at(fnmr, after - 1), _at(fnmr, after)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(x1 > x0, np.minimum((at - x0) / (x1 - x0), 1.0), 1.0)
    missing = np.isnan(x1) | np.isnan(y1)
    return np.asarray(np.where(missing, np.nan, y0 + share * (y1 - y0)))


def auc_of(fmr: Floats, fnmr: Floats) -> Floats:
    """Area under the ROC curve; a tie between genuine and impostor counts one half.

    >>> auc_of(np.array([0.0, 0.0, 1.0]), np.array([1.0, 0.0, 0.0]))
    array(1.)
    """
    heights = 1.0 - 0.5 * (fnmr[..., 1:] + fnmr[..., :-1])
    return np.asarray(np.einsum("...k,...k->...", np.diff(fmr, axis=-1), heights))
