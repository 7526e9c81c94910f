"""The compiled chi-square distance against the formula in float64."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from benchmark.errors import InvalidInputError
from benchmark.recognisers.chi_square import chi_square, chi_square_all


def _reference(a: npt.NDArray[np.float32], b: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    x, y = a.astype(np.float64), b.astype(np.float64)
    total = x + y
    terms = np.divide((x - y) ** 2, total, out=np.zeros_like(total), where=total > 0)
    return np.asarray(terms.sum(axis=-1))


@pytest.mark.parametrize("width", [1, 63, 64, 65, 3776])
def test_distances_equal_the_formula(width: int) -> None:
    rng = np.random.default_rng(width)
    a, b = (rng.poisson(2.0, (7, width)).astype(np.float32) for _ in range(2))
    np.testing.assert_allclose(chi_square(a, b), _reference(a, b), rtol=1e-5)
    np.testing.assert_allclose(chi_square_all(a, b[:5]), _reference(a[:, None], b[None, :5]), rtol=1e-5)


def test_rows_and_blocks_agree_to_the_bit() -> None:
    rng = np.random.default_rng(0)
    a, b = (rng.poisson(3.3, (20, 3776)).astype(np.float32) for _ in range(2))
    whole = chi_square_all(a, b)
    assert np.array_equal(np.diagonal(whole), chi_square(a, b))
    assert np.array_equal(whole[3:4, 5:9], chi_square_all(a[3:4], b[5:9]))
    assert np.array_equal(whole, chi_square_all(b, a).T)


def test_order_of_summation_is_the_documented_one() -> None:
    """The same bits in numpy: 64 interleaved sums in order, then these in order."""
    rng = np.random.default_rng(1)
    a, b = (rng.poisson(3.3, 3776).astype(np.float32) for _ in range(2))
    total = a + b
    terms = ((a - b) * (a - b) / np.where(total > 0, total, np.float32(1))).reshape(-1, 64)
    sums = np.zeros(64, np.float32)
    for row in terms:
        sums += row
    distance = np.float32(0)
    for one in sums:
        distance += one
    assert chi_square(a[None], b[None])[0] == distance


def test_rows_out_of_memory_order_and_empty_batches() -> None:
    a = np.asfortranarray(np.random.default_rng(2).poisson(2.0, (6, 128)).astype(np.float32))
    np.testing.assert_allclose(chi_square(a[::-1], a), _reference(a[::-1], a), rtol=1e-5)
    assert chi_square(a[:0], a[:0]).shape == (0,)
    assert chi_square_all(a[:0], a).shape == (0, 6)


def test_shapes_that_do_not_fit_are_refused() -> None:
    a = np.zeros((2, 64), np.float32)
    with pytest.raises(InvalidInputError, match="one shape"):
        chi_square(a, a[:1])
    with pytest.raises(InvalidInputError, match="one width"):
        chi_square_all(a, a[:, :3])
