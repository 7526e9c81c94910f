"""Sums of chosen rows against numpy."""

from __future__ import annotations

import numpy as np
import pytest
from numba import njit

from benchmark.metrics.row_sums import LANES, VECTOR, aligned, sum_rows


@njit
def summed(table, rows, first, last, sums):
    sum_rows(table, rows, first, last, sums)


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
@pytest.mark.parametrize("naming", [np.uint16, np.uint32])
@pytest.mark.parametrize(("first", "last"), [(0, 40), (7, 8), (3, 3), (39, 40)])
def test_sums_are_numpys(kind, naming, first: int, last: int) -> None:
    """Whatever does not fit in the bits is lost, as it is in numpy."""
    rng = np.random.default_rng(0)
    table = aligned((9, LANES), kind)
    table[:] = rng.integers(0, np.iinfo(kind).max, table.shape, endpoint=True)
    rows = rng.integers(0, 9, 40).astype(naming)
    sums = np.full(LANES, 7, kind)
    summed(table, rows, first, last, sums)
    assert np.array_equal(sums, table[rows[first:last]].sum(axis=0, dtype=kind))


def test_a_table_need_not_begin_with_a_line_of_the_cache() -> None:
    room = aligned((3 * LANES + 1,), np.uint8)
    table = room[1:].reshape(3, LANES)
    table[:] = np.arange(3 * LANES).reshape(3, LANES) % 80
    sums = np.zeros(LANES + 1, np.uint8)[1:]
    summed(table, np.arange(3, dtype=np.uint16), 0, 3, sums)
    assert np.array_equal(sums, table.sum(axis=0, dtype=np.uint8))


@pytest.mark.parametrize("shape", [(1,), (5, 3), (2, LANES)])
@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.uint32])
def test_aligned(shape: tuple[int, ...], kind) -> None:
    found = aligned(shape, kind)
    assert (found.shape, found.dtype) == (shape, kind)
    assert found.flags.c_contiguous
    assert found.ctypes.data % VECTOR == 0
