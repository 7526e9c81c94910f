"""Products and bases against numpy and a Gram-Schmidt that is written out."""

from __future__ import annotations

import numpy as np
import pytest

from benchmark.errors import InvalidInputError
from benchmark.template_schemes.projection import gram_schmidt, orthonormal, project


def test_products_are_numpy_s_and_do_not_depend_on_the_batch() -> None:
    random = np.random.default_rng(0)
    x, r = random.normal(size=(7, 130)).astype(np.float32), random.normal(size=(130, 300)).astype(np.float32)
    whole = project(x, r)
    assert np.allclose(whole, x.astype(np.float64) @ r, atol=1e-4)
    for row in range(7):
        assert np.array_equal(project(x[row : row + 1], r)[0], whole[row])
    with pytest.raises(InvalidInputError, match=r"not \(7, 130\) by \(300, 130\)"):
        project(x, r.T)


def test_gram_schmidt_as_written_in_the_textbook() -> None:
    matrix = np.random.default_rng(1).normal(size=(6, 4))
    expected: list[np.ndarray] = []
    for column in matrix.T:
        left = column - sum((column @ other) * other for other in expected)
        expected.append(left / np.linalg.norm(left))
    assert np.allclose(gram_schmidt(matrix), np.stack(expected, 1), atol=1e-6)


def test_wide_matrices_have_orthonormal_rows() -> None:
    wide = orthonormal(4, 9, np.random.default_rng(2))
    assert wide.shape == (4, 9)
    assert np.allclose(wide @ wide.T, np.eye(4), atol=1e-6)
