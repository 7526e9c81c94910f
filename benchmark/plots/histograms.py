"""What figures need of counted scores: coarser bins, the range that matters, the curve D(s)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from benchmark.metrics.binned_scores import merged
from benchmark.metrics.operating_points import Floats
from benchmark.metrics.template_protection import d_sys_bins, local_linkability_of
from benchmark.score_sets.counts import ScoreCounts

#: Share of the scores of a set that lie outside of what is shown, on either side.
TAIL = 0.002
#: A bin with fewer scores says little of D(s).
FEWEST = 20


class Histogram(NamedTuple):
    """Densities over B bins: edges float64, B + 1; mated and non-mated float64, B."""

    edges: Floats
    mated: Floats
    non_mated: Floats


def histogram(counts: ScoreCounts, *, at_most: int) -> Histogram:
    """Densities in as many bins as divide those counted, `at_most` so many.

    >>> few = ScoreCounts(np.arange(5.0), np.uint32([1, 1, 1, 1]), np.uint32([4, 0, 0, 0]))
    >>> histogram(few, at_most=3).mated.tolist(), histogram(few, at_most=3).non_mated.tolist()
    ([0.25, 0.25], [0.5, 0.0])
    """
    bins = next(number for number in range(at_most, 0, -1) if len(counts.mated) % number == 0)
    edges = counts.edges[:: len(counts.mated) // bins]
    return Histogram(edges, *(_density(values, edges) for values in (counts.mated, counts.non_mated)))


def shown_range(sets: Iterable[ScoreCounts]) -> tuple[float, float]:
    """Lowest and highest score that figures show: all sets, but for TAIL of the scores of each at either end."""
    ends = [_ends(one.edges, values) for one in sets for values in (one.mated, one.non_mated)]
    low, high = min(low for low, _ in ends), max(high for _, high in ends)
    return (low, high) if low < high else (low - 0.5, high + 0.5)


def local_curve(counts: ScoreCounts) -> tuple[Floats, Floats]:
    """(edges, D(s)) over the bins of D_sys; NaN where a bin holds fewer than FEWEST scores."""
    bins = d_sys_bins(int(counts.mated.sum(dtype=np.int64)))
    m, n = merged(counts.mated, bins), merged(counts.non_mated, bins)
    d = np.where(m + n >= FEWEST, local_linkability_of(m, n), np.nan)
    return counts.edges[:: len(counts.mated) // bins], d


def _density(values: npt.NDArray[np.uint32], edges: Floats) -> Floats:
    counts = merged(values, len(edges) - 1)
    return np.asarray(counts / max(counts.sum(), 1) / np.diff(edges))


def _ends(edges: Floats, values: npt.NDArray[np.uint32]) -> tuple[float, float]:
    shares = np.cumsum(values, dtype=np.float64)
    total = shares[-1]
    low = int(np.searchsorted(shares, TAIL * total, side="right"))
    high = int(np.searchsorted(shares, (1 - TAIL) * total, side="left"))
    return float(edges[low]), float(edges[high + 1])
