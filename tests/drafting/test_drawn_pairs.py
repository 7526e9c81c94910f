"""Pairs drawn over one's own samples."""

from __future__ import annotations

from collections import Counter
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmark.datasets import read_pairs, write_pairs
from benchmark.drafting.drawn_pairs import deal_folds, draw_pairs
from benchmark.errors import InvalidInputError


def ids(sizes: list[int]) -> list[str]:
    return [f"p{who}/{number}" for who, size in enumerate(sizes) for number in range(size)]


@settings(max_examples=40)
@given(st.lists(st.integers(1, 6), min_size=2, max_size=25).filter(lambda sizes: max(sizes) > 1), st.integers(1, 12))
def test_folds_are_disjoint_and_pairs_are_balanced_and_distinct(sizes: list[int], most: int) -> None:
    folds = deal_folds(ids(sizes), folds=10, seed=3)
    assert set(folds) == set(ids(sizes))
    subjects = {name.split("/")[0]: fold for name, fold in folds.items()}
    assert all(subjects[name.split("/")[0]] == fold for name, fold in folds.items())
    rows = draw_pairs(folds, most=most, seed=3)
    assert len({frozenset((row.a, row.b)) for row in rows}) == len(rows)
    count = max(folds.values())
    for row in rows:
        assert folds[row.a] == folds[row.b] == row.fold
        assert (row.a.split("/")[0] == row.b.split("/")[0]) == row.genuine
    for prefix in range(0, len(rows) + 1, 2 * count):
        assert len(set(Counter((row.fold, row.genuine) for row in rows[:prefix]).values())) <= 1
    assert 0 < len(rows) <= 2 * count * most


def test_every_pair_is_drawn_where_enough_are_asked_for(tmp_path: Path) -> None:
    folds = dict.fromkeys(ids([3, 3, 3]), 1)
    rows = draw_pairs(folds, most=9, seed=1)
    genuine = {frozenset((row.a, row.b)) for row in rows if row.genuine}
    assert genuine == {frozenset(pair) for who in range(3) for pair in combinations(ids([3, 3, 3])[3 * who :][:3], 2)}
    write_pairs(tmp_path / "pairs.csv", rows)
    assert len(read_pairs(tmp_path / "pairs.csv")) == 18


def test_one_with_many_samples_counts_for_no_more_than_others() -> None:
    rows = draw_pairs(dict.fromkeys(ids([200, 5, 5, 5]), 1), most=40, seed=1)
    genuine = Counter(row.a.split("/")[0] for row in rows if row.genuine)
    impostor = Counter(name.split("/")[0] for row in rows if not row.genuine for name in (row.a, row.b))
    assert set(genuine.values()) == {10}
    assert max(impostor.values()) < 35  # of 80: by samples it would be in nearly every pair


def test_the_seed_decides() -> None:
    folds = deal_folds(ids([4] * 20), folds=5, seed=1)
    assert draw_pairs(folds, most=5, seed=1) == draw_pairs(dict(reversed(folds.items())), most=5, seed=1)
    assert draw_pairs(folds, most=5, seed=1) != draw_pairs(folds, most=5, seed=2)
    assert folds != deal_folds(ids([4] * 20), folds=5, seed=2)


@pytest.mark.parametrize("sizes", [[], [5], [1, 1, 1]])
def test_what_cannot_be_compared_is_refused(sizes: list[int]) -> None:
    with pytest.raises(InvalidInputError, match="no comparisons can be drawn"):
        deal_folds(ids(sizes), folds=10, seed=1)
