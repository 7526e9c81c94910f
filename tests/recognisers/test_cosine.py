"""Cosine similarity against scipy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from benchmark.errors import InvalidInputError
from benchmark.recognisers.cosine import cosine, cosine_all


def test_equals_scipy() -> None:
    rng = np.random.default_rng(0)
    a, b = (rng.normal(size=(9, 128)).astype(np.float32) for _ in range(2))
    expected = 1 - cdist(a.astype(np.float64), b.astype(np.float64), "cosine")
    np.testing.assert_allclose(cosine_all(a, b[:4]), expected[:, :4], atol=1e-6)
    np.testing.assert_allclose(cosine(a, b), np.diagonal(expected), atol=1e-6)
    assert cosine(a, b).dtype == cosine_all(a, b).dtype == np.float32


def test_a_zero_template_is_like_nothing() -> None:
    a = np.array([[0, 0], [1, 0]], np.float32)
    assert cosine(a, a).tolist() == [0, 1]
    assert cosine_all(a, a).tolist() == [[0, 0], [0, 1]]


def test_shapes_that_do_not_fit_are_refused() -> None:
    a = np.zeros((2, 4), np.float32)
    with pytest.raises(InvalidInputError, match="one shape"):
        cosine(a, a[:1])
    with pytest.raises(InvalidInputError, match="one width"):
        cosine_all(a, a[:, :3])
