"""Distances of small counts, whose quotients are looked up, against the compiled formula: every bit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmark.datasets import open_dataset, read_pairs
from benchmark.errors import InvalidInputError
from benchmark.recognisers import chi_square_counts as module
from benchmark.recognisers import load_recogniser
from benchmark.recognisers.chi_square import chi_square_all
from benchmark.recognisers.chi_square_counts import Histograms, can_look_up, chi_square_counts_all

VIEW2 = Path(__file__).resolve().parents[2] / "protocols" / "splits" / "lfw-view2.csv"
looked_up = pytest.mark.skipif(not can_look_up(), reason="no AVX-512 here: histograms are compared as ever")


@pytest.fixture
def no_fallback(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(a: object, b: object) -> None:
        raise AssertionError("these were to be looked up")

    monkeypatch.setattr(module, "chi_square_all", refuse)


def distances_of(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return chi_square_counts_all(Histograms.of(a), Histograms.of(b))


@looked_up
@pytest.mark.usefixtures("no_fallback")
@pytest.mark.parametrize("reach", [32, 64, 96, 128, 256])
def test_every_quotient_is_the_correctly_rounded_one(reach: int) -> None:
    """All two counts of 0..255: by one pick, two, three, four, and by division, as the largest of the second has it."""
    x, y = np.zeros((256, 64), np.float32), np.zeros((reach, 64), np.float32)
    x[:, 5], y[:, 5] = np.arange(256), np.arange(reach)
    a, b = np.arange(256.0)[:, None], np.arange(float(reach))
    # float64 holds more than twice as many digits as float32: rounding twice is the same as rounding once.
    expected = np.divide((a - b) ** 2, a + b, out=np.zeros((256, reach)), where=a + b > 0).astype(np.float32)
    assert np.array_equal(distances_of(x, y), expected)


@looked_up
@pytest.mark.usefixtures("no_fallback")
@pytest.mark.parametrize(
    ("n", "m", "width"),
    [(1, 1, 1), (3, 200, 63), (130, 127, 64), (129, 129, 65), (60, 257, 3776), (0, 4, 64), (4, 0, 9)],
)
def test_same_bits_as_the_kernel(n: int, m: int, width: int) -> None:
    rng = np.random.default_rng(n + m + width)
    scale = rng.choice([0.2, 3.0, 20.0, 120.0], size=width)  # bins that are nearly empty, and such as are full
    a, b = (np.minimum(rng.poisson(scale, (size, width)), 255).astype(np.float32) for size in (n, m))
    assert np.array_equal(distances_of(a, b), chi_square_all(a, b))
    assert np.array_equal(distances_of(a[::-1], np.asfortranarray(b)), chi_square_all(a[::-1], b))


@looked_up
@pytest.mark.usefixtures("no_fallback")
def test_cut_histograms_are_those_of_the_slice() -> None:
    rng = np.random.default_rng(8)
    plain = rng.poisson(rng.choice([1.0, 40.0], size=70), (300, 70)).astype(np.float32)
    whole = Histograms.of(plain)
    for rows in (slice(0, 128), slice(128, 300), slice(256, None), slice(128, 128), slice(128, 140)):
        assert len(whole[rows]) == len(plain[rows])
        assert np.array_equal(chi_square_counts_all(whole[rows], whole[128:]), distances_of(plain[rows], plain[128:]))
    assert np.array_equal(chi_square_counts_all(whole[128:][128:], whole), distances_of(plain[256:], plain))
    for rows in (slice(1, 128), slice(0, 128, 2)):
        with pytest.raises(ValueError, match="multiples of 128"):
            whole[rows]


@looked_up
@pytest.mark.parametrize("other", [0.5, -1.0, 256.0, 1e10, np.inf, np.nan])
@pytest.mark.parametrize("side", [0, 1])
def test_what_is_no_small_count_is_compared_as_ever(monkeypatch: pytest.MonkeyPatch, other: float, side: int) -> None:
    calls = []
    monkeypatch.setattr(module, "chi_square_all", lambda a, b: calls.append(1) or chi_square_all(a, b))
    both = [np.random.default_rng(3).poisson(2.0, (5, 70)).astype(np.float32) for _ in range(2)]
    both[side][4, 69] = other
    assert np.array_equal(distances_of(*both), chi_square_all(*both), equal_nan=True)
    assert calls == [1]


def test_other_processors_compare_as_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "can_look_up", lambda: False)
    monkeypatch.setattr(module, "distances", None)
    a = np.random.default_rng(4).poisson(2.0, (6, 70)).astype(np.float32)
    assert np.array_equal(distances_of(a, a), chi_square_all(a, a))


@pytest.mark.parametrize(
    ("features", "can"), [("+avx2,+fma", False), ("-avx512f,+sse2", False), ("+avx512f,+fma", True)]
)
def test_it_asks_for_what_code_is_compiled_to(monkeypatch: pytest.MonkeyPatch, features: str, can: bool) -> None:
    monkeypatch.setattr(module.cpu_target.target_context.codegen(), "magic_tuple", lambda: ("", "", features))
    assert can_look_up() is can


def test_widths_must_fit() -> None:
    with pytest.raises(InvalidInputError, match="one width"):
        distances_of(np.zeros((2, 64), np.float32), np.zeros((2, 3), np.float32))


@looked_up
@pytest.mark.usefixtures("no_fallback")
@pytest.mark.parametrize("id", ["lbp", "mblbp"])
def test_real_histograms(id: str, data_root: Path) -> None:
    samples = open_dataset("lfw", {}, data_root).load(read_pairs(VIEW2).ids[:300]).samples
    templates = load_recogniser(id).embed(samples)
    assert templates.max() > 64  # all ways of looking up are taken
    assert np.array_equal(distances_of(templates[:140], templates), chi_square_all(templates[:140], templates))
