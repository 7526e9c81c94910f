"""D_sys and maximal linkability against the closed forms of two normals and an independent implementation's output."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import norm

from benchmark.metrics.template_protection import (
    local_linkability,
    maximal_linkability,
    permutation_null,
    revoked_match_rate,
    unlinkability,
)


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


def integrated(mated: np.ndarray, non_mated: np.ndarray, omega: float = 1) -> tuple[float, float]:
    """D_sys as the reference integrates it, and by how much that falls short of the plain sum.

    The reference takes the trapezoid rule over the middles of the bins, which halves the weight of the outermost two.
    """
    curve = local_linkability(mated, non_mated, omega=omega)
    parts = curve.mated * curve.d
    middles = (curve.edges[1:] + curve.edges[:-1]) / 2
    return np.trapezoid(parts / np.diff(curve.edges), middles), (parts[0] + parts[-1]) / 2


def of_two_sets(mated: np.ndarray, non_mated: np.ndarray, omega: float = 1) -> dict[str, float]:
    """What the reference may say of two sets of scores; our own sum is held to it on the way."""
    d_sys, ends = integrated(mated, non_mated, omega)
    assert unlinkability(mated, non_mated, omega=omega)[0] == pytest.approx(d_sys + ends, abs=1e-9)
    bins, linkability = len(local_linkability(mated, non_mated).d), maximal_linkability(mated, non_mated)
    return {"dsys_hist": d_sys, "nbins": bins, "max_linkability_30bins": linkability}


def of_two_normals(d: str, omega: float) -> dict[str, float]:
    return of_two_sets(*normals(float(d)), omega) | {"dsys_analytic": analytic(float(d), omega) if float(d) else 0.0}


def of_equal_normals(size: str) -> dict[str, float]:
    """Seeds 0 to 19, non-mated scores drawn first; the floor of any of them is to be their mean."""
    drawn = []
    for seed in range(20):
        random = np.random.default_rng(seed)
        non_mated, mated = random.normal(size=(2, int(size)))
        drawn.append(integrated(mated, non_mated)[0])
    mean, sd = np.mean(drawn), np.std(drawn)
    d_sys, floor = unlinkability(mated, non_mated)
    assert floor == pytest.approx(mean, abs=sd)
    assert abs(d_sys - floor) < 4 * sd
    return {"mean_dsys": mean, "sd": sd, "nbins": len(local_linkability(mated, non_mated).d)}


def reproduced(case: dict[str, object]) -> dict[str, float]:
    """The figures of a case of the reference, from what it says it did; AssertionError where nobody knows that."""
    kinds = {
        r"N\((?P<d>[\d.]+),1\) mated vs N\(0,1\) non-mated, 200k each, default_rng\(12345\): non-mated drawn first": (
            lambda d: of_two_normals(d, case["omega"])
        ),
        r"d=(?P<d>[\d.]+)": lambda d: of_two_normals(d, case["omega"]),
        r"bias: d=0, N=(?P<size>\d+) mated and non-mated, 20 seeds": of_equal_normals,
        r"fully separated: mated all \.9, nonmated all 0": lambda: of_two_sets(np.full(1000, 0.9), np.zeros(1000)),
        r"identical arrays u=default_rng\(0\)\.random\(1000\)": (
            lambda: of_two_sets(*[np.random.default_rng(0).random(1000)] * 2)
        ),
    }
    known = [(found, of) for kind, of in kinds.items() if (found := re.fullmatch(kind, str(case["case"])))]
    assert len(known) == 1, f"a case of an unknown kind: {case}"
    return known[0][1](**known[0][0].groupdict())


def test_agrees_with_the_reference_output_in_every_case(shared_oracles):
    """dsys_synthetic_oracle.json: another program's histograms of the same draws."""
    cases = json.loads((shared_oracles / "dsys_synthetic_oracle.json").read_text())
    for case in cases:
        figures = {name: value for name, value in case.items() if name not in ("case", "d", "omega")}
        found = reproduced(case)
        assert figures, case
        assert figures.keys() <= found.keys(), case
        assert {name: found[name] for name in figures} == pytest.approx(figures, abs=1e-9), case
    kinds = [sorted(case.keys() - {"case"}) for case in cases]
    assert sum("omega" in one for one in kinds) >= 11
    assert sum("mean_dsys" in one for one in kinds) >= 6
    assert sum(one == ["dsys_hist"] for one in kinds) >= 2


def test_a_case_of_an_unknown_kind_is_not_passed_over():
    with pytest.raises(AssertionError, match="unknown kind"):
        reproduced({"case": "two Laplacians", "dsys_hist": 0.5})


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


def test_the_local_curve_meets_its_closed_form_and_sums_to_d_sys():
    curve = local_linkability(*normals(1.0), omega=2)
    middle = (curve.edges[1:] + curve.edges[:-1]) / 2
    m, n = 2 * norm.pdf(middle, 1), norm.pdf(middle)
    often = curve.mated + curve.non_mated > 0.01
    assert often.sum() > 20
    assert np.allclose(curve.d[often], np.maximum(0, (m - n) / (m + n))[often], atol=0.05)
    assert curve.d_sys == pytest.approx(unlinkability(*normals(1.0), omega=2)[0], abs=1e-12)


scores = st.lists(st.floats(-1, 1, width=32), min_size=1, max_size=60)


@given(scores, scores, st.floats(0.1, 10))
def test_curves_are_shares_and_a_map_of_the_axis_does_not_matter(mated, non_mated, omega):
    curve = local_linkability(mated, non_mated, omega=omega)
    assert np.all((curve.d >= 0) & (curve.d <= 1))
    assert curve.mated.sum() == pytest.approx(1)
    assert curve.non_mated.sum() == pytest.approx(1)
    assert 0 <= curve.d_sys <= 1 + 1e-12
    # Powers of two scale exactly.
    assert (
        local_linkability(np.multiply(mated, 4), np.multiply(non_mated, 4), omega=omega).d_sys
        == pytest.approx(curve.d_sys)
        or np.ptp(mated + non_mated) < 1e-3
    )


def test_the_permutation_null_is_what_shuffled_labels_give():
    random = np.random.default_rng(3)
    mated, non_mated = random.normal(size=400), random.normal(size=900)
    null = permutation_null(mated, non_mated, generator=np.random.default_rng(0), permutations=300)
    shuffled = []
    for _ in range(300):
        mixed = random.permutation(np.r_[mated, non_mated])
        shuffled.append(local_linkability(mixed[:400], mixed[400:]).d_sys)
    assert null.d_sys.mean() == pytest.approx(np.mean(shuffled), rel=0.05)
    assert null.d_sys.std() == pytest.approx(np.std(shuffled), rel=0.3)


def test_p_values_are_small_where_scores_link_and_spread_where_they_do_not():
    random = np.random.default_rng(4)
    linked = permutation_null(random.normal(0.5, size=500), random.normal(size=500), generator=random, permutations=199)
    assert linked.p_value == 1 / 200
    found = [
        permutation_null(random.normal(size=200), random.normal(size=200), generator=random, permutations=99).p_value
        for _ in range(200)
    ]
    assert np.mean(np.array(found) <= 0.1) == pytest.approx(0.1, abs=0.07)
    assert np.mean(found) == pytest.approx(0.5, abs=0.08)


def test_the_null_comes_from_the_generator_alone():
    pair = normals(0.2, 500)
    one, same, other = (permutation_null(*pair, generator=np.random.default_rng(s), permutations=20) for s in (1, 1, 2))
    assert np.array_equal(one.d_sys, same.d_sys)
    assert not np.array_equal(one.d_sys, other.d_sys)
    with pytest.raises(ValueError, match="at least one permutation"):
        permutation_null(*pair, generator=np.random.default_rng(1), permutations=0)


def test_revoked_templates_match_where_a_threshold_accepts_them():
    assert revoked_match_rate([0.1, 0.5, 0.7, -np.inf], 0.5) == 0.5
    with pytest.raises(ValueError, match="NaN"):
        revoked_match_rate([np.nan], 0.5)
