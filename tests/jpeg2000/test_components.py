"""Colour transforms against their forward equations, and placing tiles."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark.jpeg2000.components import inverse_ict, inverse_rct, place, round_samples


@given(st.lists(st.tuples(*[st.integers(-(2**15), 2**15)] * 3), min_size=1, max_size=20))
def test_rct_undoes_the_forward_transform(colours: list[tuple[int, int, int]]) -> None:
    red, green, blue = np.array(colours, dtype=np.int32).T
    # Equations G-3 to G-5.
    y, u, v = (red + 2 * green + blue) >> 2, blue - green, red - green
    inverse_rct(y, u, v)
    assert [y.tolist(), u.tolist(), v.tolist()] == [red.tolist(), green.tolist(), blue.tolist()]


def test_ict_undoes_the_forward_transform() -> None:
    # Equations G-6 to G-8.
    forward = np.array([[0.299, 0.587, 0.114], [-0.16875, -0.33126, 0.5], [0.5, -0.41869, -0.08131]])
    colours = np.random.default_rng(0).uniform(-128, 128, (3, 50))
    y, cb, cr = (forward @ colours).astype(np.float32)
    inverse_ict(y, cb, cr)
    assert np.abs(np.stack([y, cb, cr]) - colours).max() < 0.01


@pytest.mark.parametrize("value", [-1e38, -0.5, 0.49, 1.5, 2.5, 1e38])
def test_rounding_is_to_the_nearest_and_stays_within_32_bits(value: float) -> None:
    rounded = np.empty(1, dtype=np.int32)
    round_samples(np.float32([value]), rounded)
    assert rounded[0] == np.clip(np.rint(np.float32(value)), -(2**30), 2**30)


def test_a_tile_goes_to_its_place_and_nowhere_else() -> None:
    plane = np.full((4, 5), -7, dtype=np.int32)
    place(np.arange(-6, 6, 2, dtype=np.int32), 3, 2, 0, 4, plane, 1, 2)
    expected = np.full((4, 5), -7)
    expected[1:3, 2:] = [[0, 0, 0], [2, 4, 4]]
    assert np.array_equal(plane, expected)
