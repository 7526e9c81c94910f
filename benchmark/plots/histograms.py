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
#: What a step of D(s) rests on, in scores of the rarer kind: where both are as dense, 100 leave a standard error of
#: 0.07, and more in so far as scores share subjects.
FEWEST = 100


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
    """(edges, D(s)), float64, K + 1 and K: over the bins of D_sys, sparse ones joined with their neighbours.

    D(s) compares two densities, and is as uncertain as that of the rarer scores: however many of the others lie in a
    bin, they say little where hardly one of the rarer was to be expected. So both densities are weighed alike: a bin is
    worth (its share of the mated + its share of the non-mated scores) times the number of the rarer ones, and is joined
    with the next ones until they are worth FEWEST. What is left over at the end goes to the last.

    >>> few = ScoreCounts(np.arange(31.0), np.uint32([150, 150] + [0] * 28), np.uint32([9000, 1000] + [0] * 27 + [27]))
    >>> edges, d = local_curve(few)  # 27 scores at the end, where 0.8 mated ones were to be expected
    >>> edges.tolist(), d.round(2).tolist()
    ([0.0, 1.0, 30.0], [0.0, 0.66])
    """
    bins = d_sys_bins(int(counts.mated.sum(dtype=np.int64)))
    m, n = merged(counts.mated, bins), merged(counts.non_mated, bins)
    all_m, all_n = max(int(m.sum()), 1), max(int(n.sum()), 1)
    steps = _joined(min(all_m, all_n) * (m / all_m + n / all_n))
    d = local_linkability_of(np.add.reduceat(m, steps[:-1]), np.add.reduceat(n, steps[:-1]))
    return counts.edges[:: len(counts.mated) // bins][steps], d


def _joined(worth: Floats) -> list[int]:
    """Where runs of bins begin whose worth is FEWEST at least, and the number of all bins."""
    starts, held = [0], 0.0
    for number, one in enumerate(worth, start=1):
        held += one
        if held >= FEWEST:
            starts.append(number)
            held = 0.0
    return [*(starts[:-1] or [0]), len(worth)]


def _density(values: npt.NDArray[np.uint32], edges: Floats) -> Floats:
    counts = merged(values, len(edges) - 1)
    return np.asarray(counts / max(counts.sum(), 1) / np.diff(edges))


def _ends(edges: Floats, values: npt.NDArray[np.uint32]) -> tuple[float, float]:
    shares = np.cumsum(values, dtype=np.float64)
    total = shares[-1]
    low = int(np.searchsorted(shares, TAIL * total, side="right"))
    high = int(np.searchsorted(shares, (1 - TAIL) * total, side="left"))
    return float(edges[low]), float(edges[high + 1])
