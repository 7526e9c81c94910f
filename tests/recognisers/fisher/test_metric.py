"""Products of bytes and float32 against numpy in float64."""

from __future__ import annotations

import numpy as np
import pytest

from benchmark.recognisers.fisher.metric import product


@pytest.mark.parametrize("rows", [0, 1, 4, 7, 256])
@pytest.mark.parametrize("width", [1, 66, 1000])
def test_equals_numpy(rows: int, width: int) -> None:
    rng = np.random.default_rng(rows + width)
    matrix = rng.integers(-127, 128, (rows, width)).astype(np.int8)
    vector = rng.normal(size=width).astype(np.float32)
    found = product(matrix, vector)
    assert found.dtype == np.float32
    assert np.allclose(found, matrix.astype(np.float64) @ vector, rtol=1e-5, atol=1e-5 * 127 * np.sqrt(width))
