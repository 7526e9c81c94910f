"""Mated and non-mated scores in one histogram that every template protection metric is read from, exactly.

Thirty million scores are numbered once. D_sys and maximal linkability are sums over bins; EER, FNMR at an FMR and the
threshold of an FMR need the scores of one bin beside the counts of all others, so nothing is ever sorted whole.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import lcm
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmark.metrics.operating_points import Floats, Ints, SortedScores, eer_of, fnmr_of
from benchmark.metrics.template_protection import LINKABILITY_BINS, d_sys_bins
from benchmark.metrics.verification import threshold_below
from benchmark.metrics.weighted_histograms import bin_numbers, counts_of_bins

#: Bins of the histogram, at least.
FINE = 1000


@dataclass(frozen=True, eq=False)
class BinnedScores:
    """Two sets of finite scores (similarities) over their joint range."""

    #: float32 or float64, M and K.
    mated: npt.NDArray[np.floating]
    non_mated: npt.NDArray[np.floating]
    #: float64, B + 1: see `nested_edges`.
    edges: Floats
    #: int16, M and K: the bin of each score; a bin holds its lower edge, the last one its upper edge too.
    mated_bins: npt.NDArray[np.int16]
    non_mated_bins: npt.NDArray[np.int16]
    #: int64, B: how many scores each bin holds.
    mated_counts: Ints
    non_mated_counts: Ints

    @classmethod
    def of(cls, mated: npt.ArrayLike, non_mated: npt.ArrayLike) -> BinnedScores:
        """Number the scores; raises ValueError where there are none, or where they are not finite."""
        (m, *range_m), (n, *range_n) = _finite(mated, "mated"), _finite(non_mated, "non-mated")
        low, high = min(range_m[0], range_n[0]), max(range_m[1], range_n[1])
        edges = nested_edges(low, high, d_sys_bins(m.size))
        bins_m, bins_n = bin_numbers(m, edges), bin_numbers(n, edges)
        counts = [counts_of_bins(bins, edges.size - 1) for bins in (bins_m, bins_n)]
        return cls(m, n, edges, bins_m, bins_n, *counts)

    def eer(self) -> float:
        """Equal error rate (0..1), as `benchmark.metrics.verification.eer` to the last digits.

        >>> BinnedScores.of([0.9, 0.8, 0.3], [0.4, 0.2, 0.1]).eer()
        0.3333333333333333
        """
        fmr, fnmr = rates_at_edges(self.mated_counts, self.non_mated_counts)
        return float(eer_of(*self._points_in(int(np.argmax(fnmr <= fmr)))))

    def fnmr_at_fmr(self, fmr: float) -> float:
        """FNMR (0..1) at an FMR (0..1), as `benchmark.metrics.verification.fnmr_at_fmr`.

        >>> BinnedScores.of([0.9, 0.8, 0.3], [0.4, 0.2, 0.1]).fnmr_at_fmr(0.0)
        0.33333333333333337
        """
        if not 0 <= fmr <= 1:
            raise ValueError(f"FMR must lie in 0..1, got {fmr}")
        beyond = rates_at_edges(self.mated_counts, self.non_mated_counts)[0] > fmr
        # At FMR 1 there is no such edge: everything may be accepted, and is at the lowest score.
        return float(fnmr_of(*self._points_in(int(np.argmax(beyond))), fmr)) if beyond.any() else 0.0

    def threshold_at_fmr(self, fmr: float) -> float:
        """The threshold at which at most a share `fmr` of the non-mated scores is accepted.

        As `benchmark.metrics.verification.threshold_at_fmr`, whose ValueErrors it raises.

        >>> BinnedScores.of([1.0], [0.1, 0.2, 0.3, 0.5]).threshold_at_fmr(0.25)
        0.4
        """
        allowed = int(np.floor(fmr * self.non_mated.size + 1e-9))
        accepted = np.cumsum(self.non_mated_counts[::-1])
        lowest = self.edges.size - 2 - int(np.argmax(accepted > min(allowed, self.non_mated.size - 1)))
        top = self.non_mated[self.non_mated_bins >= lowest]
        return threshold_below(np.sort(top.astype(np.float64))[::-1], self.non_mated.size, fmr)

    def _points_in(self, after: int) -> tuple[Floats, Floats]:
        """(FMR, FNMR) at the upper edge of a bin and at each score in it; `after`: its place in `rates_at_edges`."""
        bin = self.edges.size - 1 - after
        m, n = self.mated[self.mated_bins == bin], self.non_mated[self.non_mated_bins == bin]
        points = SortedScores.of(np.concatenate((m, n)), np.arange(m.size + n.size) < m.size)
        above_m, above_n = int(self.mated_counts[bin + 1 :].sum()), int(self.non_mated_counts[bin + 1 :].sum())
        m_and_above = above_m + points.accepted(points.genuine.astype(np.int64))
        n_and_above = above_n + points.accepted((~points.genuine).astype(np.int64))
        return n_and_above / self.non_mated.size, 1.0 - m_and_above / self.mated.size


def rates_at_edges(mated: npt.NDArray[Any], non_mated: npt.NDArray[Any]) -> tuple[Floats, Floats]:
    """(FMR, FNMR) (..., B + 1) at the edges as thresholds, from the highest down, of bin counts (..., B).

    The first accepts nothing. NaN where there is no comparison of a kind.

    >>> rates_at_edges(np.array([0, 2]), np.array([3, 1]))
    (array([0.  , 0.25, 1.  ]), array([1., 0., 0.]))
    """
    accepted = []
    for counts in (mated, non_mated):
        sums = np.zeros((*counts.shape[:-1], counts.shape[-1] + 1), np.int64)
        np.cumsum(counts[..., ::-1], axis=-1, out=sums[..., 1:])
        accepted.append(sums)
    with np.errstate(invalid="ignore"):
        return accepted[1] / accepted[1][..., -1:], 1.0 - accepted[0] / accepted[0][..., -1:]


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


def merged(counts: npt.NDArray[Any], bins: int) -> Ints:
    """Counts (int64, ..., `bins`) of fine bins (..., B) in the fewer bins that they make up.

    >>> merged(np.array([[1, 2, 3, 4]]), 2)
    array([[3, 7]])
    """
    return np.asarray(counts.reshape(*counts.shape[:-1], bins, -1).sum(axis=-1, dtype=np.int64))


def _finite(scores: npt.ArrayLike, what: str) -> tuple[npt.NDArray[np.floating], float, float]:
    """Finite scores in their own precision, the lowest and the highest of them."""
    values = np.asarray(scores)
    if values.dtype not in (np.float32, np.float64):
        values = values.astype(np.float64)
    # One NaN makes both extremes NaN. Asking each of thirty million scores takes three times as long.
    known = values.ndim == 1 and values.size
    low, high = (float(values.min()), float(values.max())) if known else (np.nan, np.nan)
    if not np.isfinite((low, high)).all():
        raise ValueError(f"{what} scores must be a non-empty list of finite numbers; leave failures to process out")
    return values, low, high
