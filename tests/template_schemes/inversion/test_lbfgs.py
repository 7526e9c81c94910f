"""L-BFGS against scipy's and against minima that are known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize, rosen, rosen_der

from benchmark.template_schemes.inversion.lbfgs import minimum


def rosenbrock(x: np.ndarray) -> tuple[float, np.ndarray]:
    return float(rosen(x)), rosen_der(x)


@pytest.mark.parametrize("dimension", [2, 10])
def test_rosenbrock_s_valley_is_walked_to_its_end(dimension: int) -> None:
    assert np.allclose(minimum(rosenbrock, np.zeros(dimension), steps=200), 1, atol=1e-3)


@pytest.mark.parametrize("curvature", [1e-3, 1.0, 1e4])
def test_steps_find_their_length_where_scales_differ(curvature: float) -> None:
    scales = curvature * np.array([1.0, 4.0, 9.0])
    found = minimum(lambda x: (0.5 * float(scales @ (x - 2) ** 2), scales * (x - 2)), np.zeros(3), steps=30)
    assert np.allclose(found, 2, atol=1e-3)


def test_sixteen_steps_come_as_low_as_scipy_s() -> None:
    random = np.random.default_rng(0)
    vectors, sides = random.normal(size=(200, 60)), random.choice([-1.0, 1.0], 200)
    calls = []

    def logistic(x: np.ndarray) -> tuple[float, np.ndarray]:
        calls.append(1)
        margins = sides * (vectors @ x)
        value = 0.5 * float(x @ x) + np.logaddexp(0, -margins).sum()
        return value, x - vectors.T @ (sides / (1 + np.exp(margins)))

    low = logistic(minimum(logistic, np.zeros(60), steps=16))[0]
    tried = len(calls)
    theirs = minimize(logistic, np.zeros(60), jac=True, method="L-BFGS-B", options={"maxiter": 16})
    assert low == pytest.approx(theirs.fun, abs=1e-3)
    assert tried < 30


def test_the_search_ends_where_steps_gain_little() -> None:
    calls = []

    def quartic(x: np.ndarray) -> tuple[float, np.ndarray]:
        calls.append(1)
        return 1 + float((x**4).sum()), 4 * x**3

    assert quartic(minimum(quartic, np.ones(3), steps=100, gain=1e-3))[0] < 1.01
    few = len(calls)
    assert quartic(minimum(quartic, np.ones(3), steps=100, gain=1e-9))[0] < 1 + 1e-6
    assert few < len(calls) - few


def test_a_start_at_the_bottom_stays() -> None:
    start = np.ones(4)
    assert np.array_equal(minimum(lambda x: (float((x - 1) @ (x - 1)), 2 * (x - 1)), start, steps=5), start)
