"""Reflections against a Gram-Schmidt that is written out, products against the matrix, matrices against Haar's law."""

from __future__ import annotations

import numpy as np
import pytest

from benchmark.errors import InvalidInputError
from benchmark.template_schemes.normals import standard_normals
from benchmark.template_schemes.reflections import orthonormal

SHAPES = pytest.mark.parametrize("shape", [(6, 4), (4, 6), (5, 5), (1, 1), (1, 3), (150, 130), (130, 150)])


def gram_schmidt(matrix: np.ndarray) -> np.ndarray:
    """As the textbook says it."""
    made: list[np.ndarray] = []
    for column in matrix.T:
        left = column - sum((column @ other) * other for other in made)
        made.append(left / np.linalg.norm(left))
    return np.stack(made, 1)


@pytest.mark.parametrize(("rows", "columns"), [(6, 4), (5, 5), (40, 12)])
def test_the_matrix_is_what_gram_schmidt_makes_of_a_gaussian_one(rows: int, columns: int) -> None:
    """Column k of that one: k numbers that do not matter, then the drawn ones, both turned by the former reflections.

    Rotations that depend on other columns alone leave it Gaussian and independent of them.
    """
    q = orthonormal(rows, columns, np.random.default_rng(3))
    drawn = standard_normals(len(q.reflectors), np.random.default_rng(3)).astype(float)
    other = np.random.default_rng(4).normal(size=(rows, columns))
    turned, start, matrix = np.eye(rows), 0, np.empty((rows, columns))
    for number in range(columns):
        own = drawn[start : start + rows - number]
        start += rows - number
        matrix[:, number] = turned @ np.concatenate((other[:number, number], own))
        mirror = own.copy()
        mirror[0] += np.copysign(np.linalg.norm(own), own[0])
        reflection = np.eye(rows)
        reflection[number:, number:] -= 2 * np.outer(mirror, mirror) / (mirror @ mirror)
        turned = turned @ reflection
    assert np.allclose(gram_schmidt(matrix), q.explicit(), atol=1e-6)


@SHAPES
def test_products_are_those_with_the_matrix(shape: tuple[int, int]) -> None:
    random = np.random.default_rng(5)
    q = orthonormal(*shape, random)
    matrix = q.explicit()
    assert q.shape == matrix.shape == shape
    inner = matrix.T @ matrix if shape[0] >= shape[1] else matrix @ matrix.T
    assert np.allclose(inner, np.eye(min(shape)), atol=1e-12)
    assert np.allclose(q.T.explicit(), matrix.T, atol=0)
    left, right = random.normal(size=(3, shape[0])), random.normal(size=(shape[1], 2))
    assert np.allclose(left @ q, left @ matrix)
    assert np.allclose(q @ right, matrix @ right)
    assert np.allclose(left[0] @ q, left[0] @ matrix)
    assert np.allclose(q @ right[:, 0], matrix @ right[:, 0])
    assert np.array_equal((left @ q)[1], left[1] @ q)
    assert (left[:0] @ q).shape == (0, shape[1])
    with pytest.raises(InvalidInputError, match=f"vectors of {shape[0]} numbers"):
        np.ones((2, 0)) @ q


@pytest.mark.parametrize("shape", [(3, 3), (4, 2)])
def test_moments_are_haar_s(shape: tuple[int, int]) -> None:
    """Of entries of an orthogonal n x n matrix: E q^2 = 1 / n, E q^4 = 3 / n(n + 2), and of a 2 x 2 block's product."""
    random, n = np.random.default_rng(6), shape[0]
    q = np.stack([orthonormal(*shape, random).explicit() for _ in range(20_000)])
    assert abs(q.mean(axis=0)).max() < 0.02
    assert np.square(q).mean(axis=0) == pytest.approx(1 / n, abs=0.012)
    assert (q**4).mean(axis=0) == pytest.approx(3 / (n * (n + 2)), abs=0.012)
    block = q[:, 0, 0] * q[:, 1, 1] * q[:, 0, 1] * q[:, 1, 0]
    assert block.mean() == pytest.approx(-1 / ((n - 1) * n * (n + 2)), abs=0.004)
