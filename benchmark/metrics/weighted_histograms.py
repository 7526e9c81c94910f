"""Histograms of millions of scores under many bootstrap weightings at once, and the EER of sorted scores; compiled."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from benchmark.metrics.operating_points import Floats, checked
from benchmark.metrics.row_sums import LANES, aligned, sum_rows

#: What a bin may count before it is added to 64 bits.
_MOST = (1 << 31) - 1
#: Bins are even where no edge is off by half as much, in bins.
_EVEN = 1e-3


def bin_numbers(scores: npt.ArrayLike, edges: Floats) -> npt.NDArray[np.int16]:
    """The bin (int16, N; 0..B - 1) of each score between evenly spaced edges (float64, B + 1, at most 32,767 bins).

    As numpy's histogram: a bin holds its lower edge, the last one its upper edge too. Raises ValueError for scores that
    do not lie within the edges.

    >>> bin_numbers([0.0, 0.49, 0.5, 1.0], np.linspace(0, 1, 3)).tolist()
    [0, 0, 1, 1]
    """
    values, bounds = np.asarray(scores), np.asarray(edges, np.float64)
    if not 2 <= bounds.size <= 1 << 15:
        raise ValueError(f"1 to 32767 bins can be numbered, not {bounds.size - 1}")
    out = np.empty(values.size, np.int16)
    # A score's place by division rises with the score. Where that of each edge is right but for a little, places of
    # scores that are lowered by more than this little lie in the bin itself or in the one before.
    with np.errstate(divide="ignore", invalid="ignore"):
        scale = (bounds.size - 1) / (bounds[-1] - bounds[0])
        wrong = np.abs((bounds - bounds[0]) * scale - np.arange(bounds.size)).max()
    if wrong < _EVEN / 2:
        upper = np.append(bounds[1:-1], np.inf)
        within = _number_evenly(values, bounds[0], bounds[-1], upper, scale, _EVEN, out)
    else:  # edges that are hardly apart, as numbers go
        within = _number(values, bounds, scale, out)
    if not within:
        raise ValueError(f"scores must lie within {bounds[0]:g}..{bounds[-1]:g}")
    return out


def counts_of_bins(bins: npt.NDArray[np.int16], count: int) -> npt.NDArray[np.int64]:
    """How many of N numbers (int16) are each of 0..count - 1: int64, `count`.

    >>> counts_of_bins(np.array([0, 2, 2], np.int16), 3)
    array([1, 0, 2])
    """
    out = np.zeros(count, np.int64)
    _count(bins, out)
    return out


def resampled_counts(
    bins: npt.NDArray[np.int16],
    first: npt.NDArray[np.integer],
    second: npt.NDArray[np.integer],
    weights: npt.NDArray[np.int32],
    count: int,
) -> Iterator[npt.NDArray[np.int64]]:
    """Weighted counts in blocks of resamples (int64, up to LANES x `count` bins) of N comparisons, R resamples in all.

    A comparison of two subjects weighs the product of the times they were drawn (`weights`: R x S, below 65536, see
    `benchmark.metrics.statistics.subject_weights`), one within a subject the times that he was. Exact. Comparisons are
    sorted by bin and subject first, for the weights of those that have both in common add up as small whole numbers
    and are multiplied once. Memory: 2 bytes a comparison and 4 for each bin and subject.

    >>> bins, one, other = np.array([0, 1, 1], np.int16), np.array([0, 0, 1]), np.array([1, 0, 1])
    >>> [part.tolist() for part in resampled_counts(bins, one, other, np.array([[2, 3]], np.int32), 2)]
    [[[6, 5]]]
    """
    a, b = np.asarray(first), np.asarray(second)
    if not bins.shape == a.shape == b.shape:
        raise ValueError(f"each comparison needs two subjects: {bins.shape}, {a.shape}, {b.shape}")
    # As unsigned numbers, among which negative ones are the largest.
    if bins.size and bins.view(np.uint16).max() >= count:
        raise ValueError(f"bins must be numbered 0..{count - 1}")
    if any(one.size and not 0 <= one.min() <= one.max() < weights.shape[1] for one in (a, b)):
        raise ValueError(f"subjects must be columns 0..{weights.shape[1] - 1} of the weights")
    most = max(1, int(weights.max()))
    if most > np.iinfo(np.uint16).max or weights.min() < 0:
        raise ValueError(f"weights must be 0..{np.iinfo(np.uint16).max}")
    # The narrower, the sooner read; and one kind has to be compiled for, whatever the caller has.
    narrow = np.uint16 if weights.shape[1] < 1 << 16 else np.int32
    runs = _Runs.of(bins, a.astype(narrow, copy=False), b.astype(narrow, copy=False), weights.shape[1], count)
    for start in range(0, len(weights), LANES):
        drawn = weights[start : start + LANES]
        yield np.ascontiguousarray(runs.counts(drawn, most).T)


class _Runs(NamedTuple):
    """Comparisons sorted by bin and subject; a run has both in common."""

    #: R runs: bin and subject of each, and R + 1: where its partners begin.
    bin: npt.NDArray[np.int16]
    subject: npt.NDArray[np.int32]
    start: npt.NDArray[np.int64]
    #: uint16 or uint32, N: the other subject; the number of subjects for a comparison within a subject.
    partner: npt.NDArray[np.unsignedinteger]
    #: How many bins there are.
    height: int
    #: The most partners of any run.
    longest: int

    @classmethod
    def of(
        cls,
        bins: npt.NDArray[np.int16],
        a: npt.NDArray[np.integer],
        b: npt.NDArray[np.integer],
        subjects: int,
        count: int,
    ) -> _Runs:
        """Sort by counting: one pass to size the runs, one to fill them."""
        if bins.size > _MOST:
            raise ValueError(f"{bins.size:,} comparisons are too many to sort at once")
        places = np.zeros(count * subjects + 1, np.int32)
        _size_cells(bins, a, subjects, places)
        runs, longest = int(np.count_nonzero(places)), int(places.max(initial=0))
        found = cls(
            np.empty(runs, np.int16), np.empty(runs, np.int32), np.empty(runs + 1, np.int64),
            np.empty(bins.size, np.uint16 if subjects < 1 << 16 else np.uint32), count, longest,
        )  # fmt: skip
        _place_cells(places, subjects, found.bin, found.subject, found.start)
        _fill_cells(bins, a, b, subjects, places, found.partner)
        return found

    def counts(self, drawn: npt.NDArray[np.int32], most: int) -> npt.NDArray[np.int64]:
        """Counts (int64, bins x R) of up to LANES resamples (int32, R x S), in which no weight is above `most`."""
        small, wider = (np.uint8, np.uint16) if most < 1 << 8 else (np.uint16, np.uint32)
        near = np.zeros(LANES, wider)
        weights = aligned((drawn.shape[1] + 1, LANES), small)
        weights[:-1, : len(drawn)] = drawn.T
        weights[:-1, len(drawn) :] = 0
        weights[-1] = 1  # within a subject the weight is his alone
        some = np.iinfo(small).max // most  # weights whose sum stays in their bits
        products = np.iinfo(wider).max // (some * most * most)
        # As many runs at a time as cannot bring any bin beyond 32 bits; where a single one could, in 64 bits at once.
        step = _MOST // most**2
        wide = self.longest > step
        total = np.zeros((self.height, LANES), np.int64)
        part = np.zeros((self.height, LANES), np.int64 if wide else np.int32)
        step = self.partner.size if wide else step
        first = 0
        while first < self.bin.size:
            last = int(np.searchsorted(self.start, self.start[first] + step, side="right")) - 1
            _add(
                self.bin, self.subject, self.start, self.partner, first, last, weights, some, near, products, part
            )  # fmt: skip
            total += part
            part[:] = 0
            first = last
        return total[:, : len(drawn)]


def eer_of_many(genuine: npt.ArrayLike, impostor: npt.ArrayLike) -> float:
    """As `benchmark.metrics.verification.eer`, in the scores' own precision and a tenth of its time and memory.

    >>> eer_of_many([0.9, 0.8, 0.3], [0.4, 0.2, 0.1])
    0.3333333333333333
    """
    for scores, what in ((genuine, "genuine"), (impostor, "impostor")):
        checked(np.asarray(scores), what)
    return float(_eer(np.sort(np.asarray(genuine)), np.sort(np.asarray(impostor))))


@njit(cache=True, nogil=True)
def _number(scores, edges, scale, out):  # type: ignore[no-untyped-def]  # numba infers them
    """Number the scores; whether all lie within the edges."""
    last = edges.size - 2
    for place in range(scores.size):
        score = scores[place]
        if not edges[0] <= score <= edges[-1]:
            return False
        bin = min(max(int((score - edges[0]) * scale), 0), last)
        while bin > 0 and score < edges[bin]:
            bin -= 1
        while bin < last and score >= edges[bin + 1]:
            bin += 1
        out[place] = bin
    return True


@njit(cache=True, nogil=True)
def _number_evenly(scores, low, high, upper, scale, little, out):  # type: ignore[no-untyped-def]
    """As `_number`, by upper edges (that of the last bin infinite) of even bins: no branches, one look at an edge."""
    last = np.int32(upper.size - 1)
    outside = np.int32(0)
    for place in range(scores.size):
        score = np.float64(scores[place])
        outside |= np.int32(not score >= low) | np.int32(not score <= high)
        bin = min(max(np.int32((score - low) * scale - little), np.int32(0)), last)
        out[place] = bin + np.int32(score >= upper[bin])
    return outside == 0


@njit(cache=True, nogil=True)
def _count(bins, out):  # type: ignore[no-untyped-def]  # numba infers them
    for place in range(bins.size):
        out[bins[place]] += 1


@njit(cache=True, nogil=True)
def _size_cells(bins, first, subjects, sizes):  # type: ignore[no-untyped-def]  # numba infers them
    for place in range(bins.size):
        sizes[np.int64(bins[place]) * subjects + first[place] + 1] += 1


@njit(cache=True, nogil=True)
def _place_cells(places, subjects, run_bin, run_subject, run_start):  # type: ignore[no-untyped-def]
    """Turn the size of each cell (one further on) into the place where it begins, and list those that are not empty."""
    run, total = 0, 0
    for cell in range(places.size - 1):
        size = places[cell + 1]
        places[cell] = total
        if size:
            run_bin[run], run_subject[run], run_start[run] = cell // subjects, cell % subjects, total
            run += 1
        total += size
    run_start[run] = total


@njit(cache=True, nogil=True)
def _fill_cells(bins, first, second, subjects, places, partner):  # type: ignore[no-untyped-def]
    for place in range(bins.size):
        a, b = first[place], second[place]
        cell = np.int64(bins[place]) * subjects + a
        partner[places[cell]] = subjects if a == b else b
        places[cell] += 1


@njit(cache=True, nogil=True)
def _add(run_bin, run_subject, run_start, partner, first, last, weights, most, near, limit, out):  # type: ignore[no-untyped-def]
    """Add runs `first` to `last` to the counts.

    Up to `most` weights add up without leaving their few bits, and up to `limit` products of such sums with another
    weight without leaving the bits of `near` (LANES).
    """
    sums = np.zeros(LANES, weights.dtype)
    near[:] = 0
    pending, held = 0, np.uint64(run_bin[first])
    for run in range(first, last):
        # Unsigned: numba then leaves out what makes negative positions count from the end.
        bin, a = np.uint64(run_bin[run]), np.uint64(run_subject[run])
        place = run_start[run]
        while place < run_start[run + 1]:
            if bin != held or pending == limit:
                for lane in range(LANES):
                    out[held, lane] += near[lane]
                    near[lane] = 0
                pending, held = 0, bin
            stop = min(run_start[run + 1], place + most)
            sum_rows(weights, partner, place, stop, sums)
            for lane in range(LANES):
                near[lane] += sums[lane] * weights[a, lane]
            pending += 1
            place = stop
    for lane in range(LANES):
        out[held, lane] += near[lane]


@njit(cache=True, nogil=True)
def _eer(genuine, impostor):  # type: ignore[no-untyped-def]  # numba infers them
    """Both ascending. From the highest threshold down, until FNMR <= FMR; then the line through the last two points."""
    g, i = genuine.size, impostor.size
    fmr, fnmr = 0.0, 1.0
    while True:
        threshold = max(genuine[g - 1] if g else impostor[i - 1], impostor[i - 1] if i else genuine[g - 1])
        while g and genuine[g - 1] == threshold:
            g -= 1
        while i and impostor[i - 1] == threshold:
            i -= 1
        # Written as in `SortedScores.rates`, so that the last digits agree too.
        new_fmr = (impostor.size - i) / impostor.size
        new_fnmr = 1.0 - (genuine.size - g) / genuine.size
        if new_fnmr <= new_fmr:
            before, after = fnmr - fmr, new_fnmr - new_fmr
            return fmr + before / (before - after) * (new_fmr - fmr)
        fmr, fnmr = new_fmr, new_fnmr
