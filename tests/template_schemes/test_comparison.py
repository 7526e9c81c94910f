"""Counts of equal entries against numpy, whatever the entries."""

from __future__ import annotations

import numpy as np
import pytest

from benchmark.errors import InvalidInputError
from benchmark.template_schemes.comparison import equal_entries, share_of_equal, share_of_equal_all


@pytest.mark.parametrize("length", [1, 254, 255, 256, 1024])
@pytest.mark.parametrize("values", [2, 256, 700, -3])
def test_equal_entries_are_counted(length, values) -> None:
    random = np.random.default_rng(length)
    a, b = (random.integers(min(0, values), max(1, values), size=(n, length)).astype(np.float32) for n in (5, 7))
    a[0], b[0] = 1, 1  # all equal
    expected = (a[:, None] == b[None]).sum(axis=2)
    assert np.array_equal(equal_entries(a, b, 1)[:, 0], expected)
    rows = np.stack([share_of_equal(np.repeat(row[None], 7, 0), b) for row in a])
    assert np.array_equal(share_of_equal_all(a, b), rows)
    assert share_of_equal_all(a, b).dtype == np.float32


def test_blocks_are_counted_apart() -> None:
    random = np.random.default_rng(0)
    a, b = (random.integers(2, size=(n, 1200)).astype(np.float32) for n in (3, 4))
    expected = (a.reshape(3, 1, 4, 300) == b.reshape(1, 4, 4, 300)).sum(axis=3).transpose(0, 2, 1)
    assert np.array_equal(equal_entries(a, b, 4), expected)


def test_numbers_that_are_no_bytes_keep_their_differences() -> None:
    a, b = np.array([[0.25, 300.0, -1.0]], np.float32), np.array([[0.5, 44.0, 255.0], [0.25, 300.0, -1.0]], np.float32)
    assert share_of_equal_all(a, b).tolist() == [[0.0, 1.0]]


def test_other_shapes_are_refused() -> None:
    with pytest.raises(InvalidInputError, match="2 blocks"):
        equal_entries(np.zeros((2, 3), np.float32), np.zeros((2, 3), np.float32), 2)
    with pytest.raises(InvalidInputError, match="1 blocks"):
        share_of_equal_all(np.zeros((2, 3), np.float32), np.zeros((2, 4), np.float32))
