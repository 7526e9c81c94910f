"""All comparisons in strips against the whole matrix at once, and against scipy and scikit-learn."""

from __future__ import annotations

import threading
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import pdist
from sklearn.metrics.pairwise import additive_chi2_kernel
from threadpoolctl import threadpool_info, threadpool_limits

from benchmark.errors import InvalidInputError
from benchmark.recognisers import all_pairs as module
from benchmark.recognisers.all_pairs import all_pairs, count_all_pairs
from benchmark.recognisers.chi_square import chi_square_all
from benchmark.recognisers.cosine import cosine_all

Floats = npt.NDArray[np.float32]


def _minus_chi_square(a: Floats, b: Floats) -> Floats:
    return -chi_square_all(a, b)


def _product(a: Floats, b: Floats) -> Floats:
    """Exact for small whole numbers, in any order of summation."""
    return np.asarray(a @ b.T, np.float32)


def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ROWS", 5)
    monkeypatch.setattr(module, "COLUMNS", 3)


def _templates(count: int, width: int = 64) -> tuple[Floats, npt.NDArray[np.int64]]:
    rng = np.random.default_rng(count)
    return rng.poisson(2.0, (count, width)).astype(np.float32), rng.integers(0, max(1, count // 3), count)


@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize("count", [0, 1, 2, 127, 128, 129, 300])
def test_scores_are_the_upper_triangle_in_order(count: int, threads: int) -> None:
    templates, subjects = _templates(count)
    first, second = np.triu_indices(count, 1)
    whole = _minus_chi_square(templates, templates)[first, second]
    same = subjects[first] == subjects[second]
    scores = all_pairs(templates, subjects, _minus_chi_square, threads=threads)
    assert scores.genuine.dtype == scores.impostor.dtype == np.float32
    assert np.array_equal(scores.genuine, whole[same])
    assert np.array_equal(scores.impostor, whole[~same])


def test_distances_are_those_of_scikit_learn_and_cosines_those_of_scipy() -> None:
    templates, subjects = _templates(200)
    first, second = np.triu_indices(200, 1)
    same = subjects[first] == subjects[second]
    for compare_all, reference in (
        (_minus_chi_square, additive_chi2_kernel(templates)[first, second]),
        (cosine_all, 1 - pdist(templates.astype(np.float64), "cosine")),
    ):
        scores = all_pairs(templates, subjects, compare_all, threads=2)
        np.testing.assert_allclose(scores.genuine, reference[same], rtol=1e-5)
        np.testing.assert_allclose(scores.impostor, reference[~same], rtol=1e-5)


@given(
    st.lists(st.integers(0, 4), max_size=40),
    st.sets(st.integers(-3, 60), min_size=1, max_size=8),
    st.integers(1, 3),
)
def test_counts_are_those_of_the_scores(subjects: list[int], edges: set[int], threads: int) -> None:
    templates = np.random.default_rng(len(subjects)).integers(-2, 4, (len(subjects), 7)).astype(np.float32)
    failed = np.arange(len(subjects)) % 9 == 5
    named = np.array(subjects, np.int32)
    with pytest.MonkeyPatch.context() as patch:
        _small(patch)
        scores = all_pairs(templates, named, _product, failed=failed)
        counts = count_all_pairs(templates, named, _product, sorted(edges), failed=failed, threads=threads)
    assert np.array_equal(counts.genuine, scores.genuine)
    bounds = [-np.inf, *sorted(edges), np.inf]
    expected = [int(((low <= scores.impostor) & (scores.impostor < high)).sum()) for low, high in pairwise(bounds)]
    assert counts.impostor.tolist() == expected


def test_failures_score_minus_infinity_and_are_never_dropped() -> None:
    templates, subjects = _templates(20)
    failed = np.arange(20) == 7
    scores = all_pairs(templates, subjects, _minus_chi_square, failed=failed)
    assert len(scores.genuine) + len(scores.impostor) == 190
    assert sum(int(np.isneginf(part).sum()) for part in scores) == 19
    counts = count_all_pairs(templates, np.arange(20), _minus_chi_square, [-1e9], failed=failed)
    assert counts.impostor.tolist() == [19, 171]


def test_threads_compare_side_by_side(monkeypatch: pytest.MonkeyPatch) -> None:
    _small(monkeypatch)
    templates, subjects = _templates(10)
    meeting = threading.Barrier(2, timeout=30)  # broken, and an error, unless two strips are at it together
    met = threading.local()

    def compare_all(a: Floats, b: Floats) -> Floats:
        if not hasattr(met, "done"):
            met.done = True
            meeting.wait()
        return _minus_chi_square(a, b)

    scores = all_pairs(templates, subjects, compare_all, threads=2)
    assert np.array_equal(scores.impostor, all_pairs(templates, subjects, _minus_chi_square).impostor)


def test_blas_has_one_thread_meanwhile_and_its_own_again_afterwards() -> None:
    def blas() -> list[int]:
        return [library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"]

    during: list[int] = []

    def compare_all(a: Floats, b: Floats) -> Floats:
        during.extend(blas())
        return _product(a, b)

    with threadpool_limits(3, user_api="blas"):
        before = blas()
        all_pairs(*_templates(10), compare_all)
        assert blas() == before
    assert before
    assert set(before) == {3}
    assert set(during) == {1}


def test_tiles_stay_small() -> None:
    templates, subjects = _templates(400)
    sizes = []

    def compare_all(a: Floats, b: Floats) -> Floats:
        sizes.append(len(a) * len(b))
        return _minus_chi_square(a, b)

    all_pairs(templates, subjects, compare_all)
    assert max(sizes) <= module.ROWS * module.COLUMNS
    # Half the matrix, and half of each strip's own square beside it.
    assert sum(sizes) <= 400 * (400 + module.ROWS) / 2


@pytest.mark.parametrize(
    ("subjects", "failed", "compare_all", "message"),
    [
        (np.zeros(3, int), None, _product, "N subjects"),
        (np.zeros((4, 1), int), None, _product, "N subjects"),
        (np.zeros(4, int), np.zeros(5, bool), _product, "N failures"),
        (np.zeros(4, int), None, lambda a, b: (a[:, None] * b).sum(axis=2)[:1], r"\(1, 4\) for 4 x 4"),
    ],
)
def test_shapes_that_do_not_fit_are_refused(
    subjects: npt.NDArray[np.int64],
    failed: npt.NDArray[np.bool_] | None,
    compare_all: Callable[[Floats, Floats], Floats],
    message: str,
) -> None:
    with pytest.raises(InvalidInputError, match=message):
        all_pairs(np.ones((4, 2), np.float32), subjects, compare_all, failed=failed)


@pytest.mark.parametrize("edges", [[], [1, 1], [2, 1], [[0, 1]], [0, np.nan], [1, 1 + 1e-12]])
def test_edges_must_ascend(edges: list[float]) -> None:
    with pytest.raises(InvalidInputError, match="ascending"):
        count_all_pairs(np.ones((4, 2), np.float32), np.arange(4), _product, edges)


def test_nan_is_not_counted_silently() -> None:
    with pytest.raises(InvalidInputError, match="NaN"):
        count_all_pairs(np.full((4, 2), np.nan, np.float32), np.arange(4), _product, [0])


def test_an_error_in_a_thread_comes_out() -> None:
    def compare_all(a: Floats, b: Floats) -> Floats:
        raise ZeroDivisionError("as any code may")

    with pytest.raises(ZeroDivisionError, match="as any"):
        all_pairs(np.ones((300, 2), np.float32), np.arange(300), compare_all, threads=2)
