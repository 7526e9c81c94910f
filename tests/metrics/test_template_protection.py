"""D_sys and maximal linkability against the closed forms of two normals and an independent implementation's output."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from benchmark.metrics.template_protection import maximal_linkability, unlinkability


def normals(d: float, size: int = 200_000) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(12345)
    non_mated = random.normal(size=size)
    return random.normal(size=size) + d, non_mated


def analytic(d: float, omega: float) -> float:
    """The integral of p(s|mated) D(s) for N(d, 1) against N(0, 1)."""

    def integrand(s: float) -> float:
        m, n = omega * norm.pdf(s, d), norm.pdf(s)
        return norm.pdf(s, d) * max(0.0, (m - n) / (m + n))

    return quad(integrand, -8, 8 + d, limit=200, points=[d / 2 - np.log(omega) / d])[0]


@pytest.mark.parametrize(
    ("d", "omega", "expected"),
    [
        (0.25, 1, 0.0574), (0.5, 1, 0.1282), (1, 1, 0.2935), (2, 1, 0.6165), (3, 1, 0.8346), (4, 1, 0.9430),
        (6, 1, 0.9966), (1, 0.5, 0.1376), (1, 2, 0.4867), (1, 10, 0.8363),
    ],
)  # fmt: skip
def test_d_sys_of_two_normals_meets_its_closed_form(d, omega, expected):
    assert analytic(d, omega) == pytest.approx(expected, abs=1e-4)
    d_sys, floor = unlinkability(*normals(d), omega=omega)
    assert d_sys == pytest.approx(expected, abs=0.003)
    assert floor < d_sys


def test_agrees_with_the_reference_output(shared_oracles):
    """dsys_synthetic_oracle.json: another program's histograms of the same draws (trapezoid instead of Riemann sum)."""
    cases = [case for case in json.loads((shared_oracles / "dsys_synthetic_oracle.json").read_text()) if "d" in case]
    assert len(cases) >= 8
    for case in cases:
        scores = normals(case["d"])
        assert unlinkability(*scores, omega=case["omega"])[0] == pytest.approx(case["dsys_hist"], abs=3e-4)
        assert maximal_linkability(*scores) == pytest.approx(case["max_linkability_30bins"], abs=1e-9)


@pytest.mark.parametrize(("size", "expected"), [(1000, 0.095), (3000, 0.048), (6000, 0.033), (20_000, 0.0155)])
def test_floor_is_what_identical_distributions_give(size, expected):
    _, floor = unlinkability(*normals(0, size))
    assert floor == pytest.approx(expected, abs=0.004)


def test_fully_separated_scores_are_linkable_and_equal_ones_are_not():
    assert unlinkability(np.full(500, 0.9), np.zeros(500))[0] == pytest.approx(1)
    assert maximal_linkability(np.full(500, 0.9), np.zeros(500)) == pytest.approx(1)
    scores = np.random.default_rng(0).random(1000)
    assert unlinkability(scores, scores)[0] == 0
    assert maximal_linkability(scores, scores) == pytest.approx(0, abs=1e-12)
    assert unlinkability(np.ones(20), np.ones(20))[0] == 0


def test_maximal_linkability_bounds_every_threshold_linker():
    mated, non_mated = normals(1.0, 20_000)
    m = maximal_linkability(mated, non_mated)
    edges = np.histogram_bin_edges(np.concatenate((mated, non_mated)), 30)
    for threshold in edges:
        assert np.mean(mated >= threshold) <= 2**m - 1 + np.mean(non_mated >= threshold) + 1e-9


def test_failures_and_wrong_omega_are_refused():
    with pytest.raises(ValueError, match="finite"):
        unlinkability([0.1, -np.inf], [0.2])
    with pytest.raises(ValueError, match="omega"):
        unlinkability([0.1], [0.2], omega=0)
