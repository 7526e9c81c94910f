"""Inverse wavelets against the equations of annex F, one sample at a time, for every origin and size."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from math import floor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmark.jpeg2000.wavelet import inverse_5_3, inverse_9_7

Line = dict[int, float]


def extended(line: Line, begin: int, end: int) -> Line:
    """Symmetric extension by eight samples to both sides (F.3.7)."""
    period = 2 * (end - begin - 1)

    def mirrored(place: int) -> int:
        offset = (place - begin) % period
        return begin + min(offset, period - offset)

    return {place: line[mirrored(place)] for place in range(begin - 8, end + 8)}


def synthesis_5_3(line: Line, begin: int, end: int) -> Line:
    """Equations F-5 and F-6."""
    if end - begin == 1:
        return {begin: line[begin] if begin % 2 == 0 else int(Fraction(line[begin]) / 2)}
    x = extended(line, begin, end)
    for n in range(begin - 2, end + 3):
        if n % 2 == 0:
            x[n] -= floor(Fraction(x[n - 1] + x[n + 1] + 2) / 4)
    for n in range(begin - 1, end + 2):
        if n % 2:
            x[n] += floor(Fraction(x[n - 1] + x[n + 1]) / 2)
    return {n: x[n] for n in range(begin, end)}


def synthesis_9_7(line: Line, begin: int, end: int) -> Line:
    """The six steps of F.3.8.2.1.1."""
    if end - begin == 1:
        return {begin: line[begin] if begin % 2 == 0 else line[begin] / 2}
    x = extended(line, begin, end)
    scale = 1.230174104914001
    for n in x:
        x[n] *= 1 / scale if n % 2 else scale
    steps = (0.443506852043971, 0.882911075530934, -0.052980118572961, -1.586134342059924)
    for margin, (parity, factor) in zip((6, 5, 4, 3), zip((0, 1, 0, 1), steps, strict=True), strict=True):
        for n in range(begin - margin, end + margin):
            if n % 2 == parity:
                x[n] -= factor * (x[n - 1] + x[n + 1])
    return {n: x[n] for n in range(begin, end)}


def reference(coefficients: np.ndarray, areas: np.ndarray, synthesis: Callable[[Line, int, int], Line]) -> np.ndarray:
    """Interleaves and synthesises every resolution, rows first (F.3.1 to F.3.5)."""
    values = coefficients.astype(object)
    for (x0, y0, x1, y1), below in zip(areas[1:], areas, strict=False):
        part = values[: y1 - y0, : x1 - x0].copy()
        for axis, (begin, end, low) in ((1, (x0, x1, below[2] - below[0])), (0, (y0, y1, below[3] - below[1]))):
            if end == begin:
                continue
            order = [n for n in range(begin, end) if n % 2 == 0] + [n for n in range(begin, end) if n % 2]
            assert low == sum(n % 2 == 0 for n in order)
            for line in np.moveaxis(part, axis, 0).T if axis == 0 else part:
                done = synthesis(dict(zip(order, line, strict=True)), int(begin), int(end))
                line[:] = [done[n] for n in range(begin, end)]
        values[: y1 - y0, : x1 - x0] = part
    return values


def areas_of(x0: int, y0: int, width: int, height: int, levels: int) -> np.ndarray:
    whole = np.array([x0, y0, x0 + width, y0 + height])
    return np.array([-(-whole >> depth) for depth in range(levels, -1, -1)])


SIZES = st.tuples(st.integers(0, 9), st.integers(0, 9), st.integers(1, 21), st.integers(1, 21), st.integers(0, 4))


@settings(max_examples=150, deadline=None)
@given(SIZES, st.integers(0, 3), st.integers(0, 2**32))
def test_5_3_is_exact(size: tuple[int, int, int, int, int], spare_columns: int, seed: int) -> None:
    areas = areas_of(*size)
    width, height = size[2:4]
    coefficients = np.random.default_rng(seed).integers(-500, 500, (height, width), dtype=np.int32)
    plane = np.full((height, width + spare_columns), 7, dtype=np.int32)
    plane[:, :width] = coefficients
    flat = plane.reshape(-1)
    inverse_5_3(flat, np.empty_like(flat), width + spare_columns, areas)
    assert np.array_equal(plane[:, :width], reference(coefficients, areas, synthesis_5_3).astype(np.int32))
    assert (plane[:, width:] == 7).all()


@settings(max_examples=80, deadline=None)
@given(SIZES, st.integers(0, 2**32))
def test_9_7_is_close(size: tuple[int, int, int, int, int], seed: int) -> None:
    areas = areas_of(*size)
    coefficients = np.random.default_rng(seed).normal(0, 100, size[3:1:-1]).astype(np.float32)
    flat = coefficients.reshape(-1).copy()
    inverse_9_7(flat, np.empty_like(flat), size[2], areas)
    expected = reference(coefficients.astype(np.float64), areas, synthesis_9_7).astype(np.float64)
    # The scale of high-pass samples is OpenJPEG's, 3e-5 away from the standard's.
    assert np.abs(flat.reshape(expected.shape) - expected).max() < 2e-4 * max(np.abs(coefficients).max(), 1) * 4


@pytest.mark.parametrize("levels", [1, 2, 4])
def test_9_7_keeps_a_constant(levels: int) -> None:
    areas = areas_of(3, 2, 37, 29, levels)
    low = areas[0, 2:] - areas[0, :2]
    plane = np.zeros((29, 37), dtype=np.float32)
    plane[: low[1], : low[0]] = 50
    inverse_9_7(plane.reshape(-1), np.empty(plane.size, dtype=np.float32), 37, areas)
    assert np.abs(plane - 50).max() < 1e-3


def test_values_wrap_within_32_bits() -> None:
    plane = np.full(16, 2**31 - 1, dtype=np.int32)
    inverse_5_3(plane, np.empty_like(plane), 4, areas_of(0, 0, 4, 4, 2))
    assert plane.dtype == np.int32
