"""All N (N - 1) / 2 comparisons of N templates, on several threads, in memory that stays small.

The upper triangle of the N x N scores is computed in strips of a few rows, and never held whole. Strips are put
together in their order, so that results do not depend on the number of threads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple, TypeAlias

import numba
import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from benchmark.errors import InvalidInputError
from benchmark.interfaces import Scores, Templates

#: Templates of a strip, and of the tiles in it that are compared at a time: few enough to stay in the cache.
ROWS, COLUMNS = 128, 128
#: Scores (N x M) of every template of one block with every one of another, as a recogniser's `compare_all` gives them;
#: of templates, or of what was prepared of them.
CompareAll: TypeAlias = Callable[[Any, Any], Scores]
#: Makes of all templates of a side what has a length and can be cut (`[start:stop]`) into tiles for a `compare_all`.
Prepare: TypeAlias = Callable[[Templates], Any]


class PairScores(NamedTuple):
    """Scores of all pairs (i, j) with i < j, in the order of i, then of j."""

    #: float32, G: comparisons of two templates of one subject.
    genuine: npt.NDArray[np.float32]
    #: float32, I: of two subjects.
    impostor: npt.NDArray[np.float32]


class PairCounts(NamedTuple):
    """Genuine scores as in `PairScores`, and how many impostor scores lie where."""

    #: float32, G.
    genuine: npt.NDArray[np.float32]
    #: int64, E + 1: below the first of E edges; from each edge (included) to the next; from the last edge on.
    impostor: npt.NDArray[np.int64]


def all_pairs(
    templates: Templates,
    subjects: npt.NDArray[np.integer[Any]],
    compare_all: CompareAll,
    *,
    gallery: Templates | None = None,
    failed: npt.NDArray[np.bool_] | None = None,
    gallery_failed: npt.NDArray[np.bool_] | None = None,
    threads: int = 1,
    tile: tuple[int, int] | None = None,
    prepare: Prepare | None = None,
) -> PairScores:
    """Scores of every template (float32, N x D) with every later one, apart for one subject (int, N) and for two.

    `failed` (bool, N) marks failures to process, all of whose comparisons score -inf. With a `gallery` (float32, N x D,
    and its own `gallery_failed`) of the same N samples, template i is compared with the gallery's j > i; without one,
    `compare_all` must be symmetric. It is called by several `threads` at once, on up to `tile` templates of either side
    (ROWS x COLUMNS): matrix products and loops compiled with `nogil` run side by side there. (The BLAS behind products
    is held to one thread meanwhile.) Where `compare_all` takes templates in an order of its own, `prepare` makes them
    so once: it sees all of a side, and `compare_all` slices of its answer that begin at multiples of the tile. Memory:
    4 bytes a comparison, and a few MB a thread. Raises InvalidInputError where shapes do not fit.

    >>> from benchmark.recognisers.cosine import cosine_all
    >>> all_pairs(np.array([[1, 0], [2, 0], [0, 3]], np.float32), np.array([7, 7, 9]), cosine_all)
    PairScores(genuine=array([1.], dtype=float32), impostor=array([0., 0.], dtype=float32))
    """
    genuine, impostor = (np.empty(size, np.float32) for size in _sizes(subjects))
    g = i = 0
    probes = _Side.of(templates, subjects, failed, prepare)
    others = probes if gallery is None else _Side.of(gallery, subjects, gallery_failed, prepare)
    strips = _strips(probes, others, subjects, compare_all, threads, tile or (ROWS, COLUMNS), lambda scores: scores)
    for some_genuine, some_impostor in strips:
        genuine[g : (g := g + len(some_genuine))] = some_genuine
        impostor[i : (i := i + len(some_impostor))] = some_impostor
    return PairScores(genuine, impostor)


def count_all_pairs(
    templates: Templates,
    subjects: npt.NDArray[np.integer[Any]],
    compare_all: CompareAll,
    edges: npt.ArrayLike,
    *,
    failed: npt.NDArray[np.bool_] | None = None,
    threads: int = 1,
) -> PairCounts:
    """As `all_pairs`, with impostor scores counted between E `edges` (float, ascending) instead of kept.

    Failures to process (-inf) are counted below the first edge. For N so large that the scores do not fit: memory does
    not grow with the number of impostor comparisons. Raises InvalidInputError also for edges that do not ascend, and
    for a score that is NaN.

    >>> from benchmark.recognisers.cosine import cosine_all
    >>> count_all_pairs(np.eye(3, dtype=np.float32), np.arange(3), cosine_all, [-0.5, 0, 0.5]).impostor
    array([0, 0, 3, 0])
    """
    # In the scores' own type, in which an edge and a score that was written with the same digits are equal.
    bounds = np.asarray(edges, np.float32)
    if bounds.ndim != 1 or not bounds.size or not (np.diff(bounds) > 0).all():
        raise InvalidInputError("edges to count between must be one ascending row of numbers, apart in float32")

    def count(scores: npt.NDArray[np.float32]) -> npt.NDArray[np.int64]:
        if np.isnan(scores).any():
            raise InvalidInputError("an impostor score is NaN, which lies between no edges")
        return np.bincount(np.searchsorted(bounds, scores, side="right"), minlength=bounds.size + 1)

    genuine = [np.empty(0, np.float32)]
    impostor = np.zeros(bounds.size + 1, np.int64)
    side = _Side.of(templates, subjects, failed)
    strips = _strips(side, side, subjects, compare_all, threads, (ROWS, COLUMNS), count)
    for some_genuine, counts in strips:
        genuine.append(some_genuine)
        impostor += counts
    return PairCounts(np.concatenate(genuine), impostor)


def _sizes(subjects: npt.NDArray[np.integer[Any]]) -> tuple[int, int]:
    """How many comparisons are genuine, and how many impostor."""
    each = np.unique(subjects, return_counts=True)[1]
    genuine = int((each * (each - 1) // 2).sum())
    return genuine, subjects.size * (subjects.size - 1) // 2 - genuine


class _Side(NamedTuple):
    """Templates (or what was prepared of them) on one side of the comparisons, and which are failures to process."""

    templates: Any
    failed: npt.NDArray[np.bool_]

    @classmethod
    def of(
        cls,
        templates: Templates,
        subjects: npt.NDArray[np.integer[Any]],
        failed: npt.NDArray[np.bool_] | None,
        prepare: Prepare | None = None,
    ) -> _Side:
        """A side whose shapes fit the subjects."""
        count = len(templates)
        failed = np.zeros(count, np.bool_) if failed is None else failed
        if templates.ndim != 2 or subjects.shape != (count,) or failed.shape != (count,):
            shapes = f"{templates.shape}, {subjects.shape} and {failed.shape}"
            raise InvalidInputError(
                f"templates N x D need N subjects, and N failures where there are any, not {shapes}"
            )
        return cls(prepare(templates) if prepare else templates, failed)


def _strips(
    probes: _Side,
    gallery: _Side,
    subjects: npt.NDArray[np.integer[Any]],
    compare_all: CompareAll,
    threads: int,
    tile: tuple[int, int],
    reduce: Callable[[npt.NDArray[np.float32]], npt.NDArray[Any]],
) -> Iterator[tuple[npt.NDArray[np.float32], npt.NDArray[Any]]]:
    """For each strip, in order: its genuine scores (float32), and what `reduce` makes of its impostor scores."""
    count, numbers = len(subjects), np.unique(subjects, return_inverse=True)[1].astype(np.int32)

    def strip(first: int) -> tuple[npt.NDArray[np.float32], npt.NDArray[Any]]:
        rows = slice(first, first + tile[0])
        scores = _strip_scores(probes.templates[rows], gallery.templates[first:], compare_all, tile[1])
        lost, others_lost = probes.failed[rows], gallery.failed[first:]
        if lost.any() or others_lost.any():
            scores[lost[:, None] | others_lost] = -np.inf
        genuine = np.empty(scores.size, np.float32)
        counts = _part(scores.ravel(), numbers[first:], genuine)
        return genuine[: counts[0]].copy(), reduce(scores.ravel()[: counts[1]])

    # Threads of a BLAS under each of ours would wait for each other longer than a tile takes.
    with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(threads) as pool:
        yield from pool.map(strip, range(0, count, tile[0]))


def _strip_scores(a: Any, others: Any, compare_all: CompareAll, columns: int) -> npt.NDArray[np.float32]:
    """Scores (float32) of a strip's templates with all that come from its first on, tile by tile."""
    scores = np.empty((len(a), len(others)), np.float32)
    for start in range(0, len(others), columns):
        b = others[start : start + columns]
        part = compare_all(a, b)
        if part.shape != (len(a), len(b)):
            raise InvalidInputError(f"compare_all gave scores of shape {part.shape} for {len(a)} x {len(b)} templates")
        scores[:, start : start + columns] = part
    return scores


@numba.njit(cache=True, nogil=True)
def _part(scores: Any, subjects: Any, genuine: Any) -> Any:
    """Part the scores of a strip (in memory order, of its rows with these M subjects): how many of one, and of two.

    Those of two subjects go to the front of `scores` itself, and those below the diagonal are overwritten.
    """
    count = subjects.size
    g = i = 0
    for row in range(scores.size // count):
        own = subjects[row]
        for column in range(row + 1, count):
            score = scores[row * count + column]
            if subjects[column] == own:
                genuine[g] = score
                g += 1
            else:
                scores[i] = score
                i += 1
    return g, i
