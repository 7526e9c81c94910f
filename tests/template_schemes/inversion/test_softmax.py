"""Softmax against scipy's."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import log_softmax

from benchmark.template_schemes.inversion.softmax import softmax


@pytest.mark.parametrize(("m", "k", "size"), [(1, 1, 1.0), (7, 16, 3.0), (300, 128, 1.0), (5, 9, 1e4)])
def test_values_and_slopes_are_scipy_s(m: int, k: int, size: float) -> None:
    random = np.random.default_rng(1)
    values, indices = size * random.normal(size=(m, k)), random.integers(k, size=m)
    logs = log_softmax(values, axis=1)
    value, slope = softmax(values.copy(), indices)
    assert value == pytest.approx(logs[np.arange(m), indices].sum())
    assert np.allclose(slope, np.eye(k)[indices] - np.exp(logs))
