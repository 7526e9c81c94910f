"""Products against numpy."""

from __future__ import annotations

import numpy as np
import pytest

from benchmark.errors import InvalidInputError
from benchmark.template_schemes.projection import gaussian, project
from benchmark.template_schemes.reflections import orthonormal


def test_products_are_numpy_s_and_do_not_depend_on_the_batch() -> None:
    random = np.random.default_rng(0)
    x, r = random.normal(size=(7, 130)).astype(np.float32), gaussian(130, 1300, random)
    whole = project(x, r)
    assert np.allclose(whole, x.astype(np.float64) @ r, atol=1e-4)
    for row in range(7):
        assert np.array_equal(project(x[row : row + 1], r)[0], whole[row])
    with pytest.raises(InvalidInputError, match=r"not \(7, 130\) by \(1300, 130\)"):
        project(x, r.T)


@pytest.mark.parametrize("shape", [(130, 40), (40, 130), (50, 50)])
def test_products_with_reflections_are_those_with_their_matrix(shape: tuple[int, int]) -> None:
    random = np.random.default_rng(1)
    x, q = random.normal(size=(7, shape[0])).astype(np.float32), orthonormal(*shape, random)
    whole = project(x, q)
    assert whole.dtype == np.float32
    assert np.allclose(whole, x @ q.explicit(), atol=1e-6)
    for row in range(7):
        assert np.array_equal(project(x[row : row + 1], q)[0], whole[row])
    with pytest.raises(InvalidInputError, match="a projection takes"):
        project(x[:, 1:], q)
