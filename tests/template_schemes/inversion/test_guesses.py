"""Guessing a PolyProtect key: against densities computed one by one, keys drawn one by one, and made-up templates."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from benchmark.crypto import derive_key
from benchmark.errors import InvalidInputError
from benchmark.template_schemes.inversion.guesses import Guesser, Scheme, powers
from benchmark.template_schemes.inversion.prior import Prior, fit_prior, prior_of
from benchmark.template_schemes.poly import polynomial, polyprotect

DIMENSION = 60


def templates(count: int, seed: int, dimension: int = DIMENSION) -> np.ndarray:
    """Templates of length 1 whose numbers are correlated, and not zero on average, as those of faces are."""
    random = np.random.default_rng(0)
    mixing = random.normal(size=(dimension, dimension)) * np.linspace(0.3, 1.7, dimension)
    mean = 0.6 * random.normal(size=dimension) * np.sqrt(dimension)
    x = mean + np.random.default_rng(seed).normal(size=(count, dimension)) @ mixing.T
    return (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)


def keys(count: int) -> list[bytes]:
    return [derive_key(bytes(32), "sample", str(number)) for number in range(count)]


def moved(scheme: Scheme, dimension: int) -> tuple[Guesser, Prior, np.ndarray]:
    own = templates(300, 1, dimension).astype(np.float64)
    prior, moments = fit_prior(own), powers(own, scheme)
    return Guesser(prior, moments, scheme), prior, moments


def test_one_number_a_window_is_a_factor() -> None:
    """With m = 1 a value is c v: all that can be wrong is the sign, and the mean decides it."""
    scheme = Scheme(1, 0, 20)
    guesser, _, moments = moved(scheme, DIMENSION)
    assert not moments.any()
    for row, x in enumerate(templates(10, 2)):
        guess = guesser.guess((-1) ** row * 7.0 * x)
        assert guess.probabilities.argmax() == row % 2
        assert guess.template @ x / np.linalg.norm(guess.template) == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize("dimension", [12, 13])  # the last window is full, or filled up with zeros
def test_probabilities_and_template_are_those_of_normal_densities(dimension: int) -> None:
    """Every place and coefficient, with its density and its conditional mean, by the textbook's formulas."""
    scheme = Scheme(3, 0, 4)
    guesser, prior, moments = moved(scheme, dimension)
    count, sizes = -(-dimension // 3), [1, 2, 3, 4, -1, -2, -3, -4]
    average = np.mean(np.square(sizes)) / 2
    wide = prior_of(prior.mean, prior.covariance)
    values = np.linspace(-0.7, 1.1, count)
    densities, means = np.zeros((3, 8)), np.zeros((3, 8, dimension))
    for place in range(3):
        picked = np.zeros((count, dimension))
        for window in range(count):
            if 3 * window + place < dimension:
                picked[window, 3 * window + place] = 1
        noise = average * sum(moments[:, other].sum(axis=0) for other in range(3) if other != place)
        for number, c in enumerate(sizes):
            total = c * c * picked @ wide.covariance @ picked.T + noise
            surprise = values - c * picked @ prior.mean
            densities[place, number] = multivariate_normal.pdf(surprise, cov=total)
            means[place, number] = prior.mean + c * prior.covariance @ picked.T @ np.linalg.solve(total, surprise)
    guess = guesser.guess(values)
    expected = np.stack([densities[:, :4].sum(axis=1), densities[:, 4:].sum(axis=1)], axis=1) / densities.sum()
    assert guess.probabilities == pytest.approx(expected, rel=1e-3)
    place, below = np.unravel_index(expected.argmax(), expected.shape)
    weights = densities[place, 4 * below : 4 * below + 4]
    assert guess.template == pytest.approx(weights @ means[place, 4 * below : 4 * below + 4] / weights.sum(), rel=1e-3)


def test_moments_are_what_random_keys_make_of_the_templates() -> None:
    """All terms but that of exponent 1, under 3,000 keys, as the protector computes them."""
    scheme, own = Scheme(4, 2, 10), templates(50, 3, 12)
    found = np.zeros((5, 5))
    for key in keys(3000):
        coefficients, exponents = polynomial(key, scheme.m, scheme.bound)
        if exponents[1] == 1:  # exponent 1 at place 1
            coefficients[1] = 0
            rest = polyprotect(own, coefficients, exponents, scheme.overlap).astype(np.float64)
            found += rest.T @ rest / len(own)
    moments = powers(own, scheme).sum(axis=0)
    expected = np.mean(np.square(np.arange(1, 11))) * (moments.sum(axis=0) - moments[1]) / 3
    found *= np.trace(expected) / np.trace(found)  # of how many keys it was is left out here
    assert found == pytest.approx(expected, abs=0.15 * expected.max())


@pytest.mark.parametrize(("overlap", "least", "cosine"), [(0, 0.4, 0.5), (3, 0.7, 0.8), (4, 0.7, 0.9)])
def test_what_matters_of_the_key_is_guessed(overlap: int, least: float, cosine: float) -> None:
    """Place and sign of exponent 1: by chance one guess in ten is right."""
    scheme = Scheme(5, overlap, 50)
    guesser, _, _ = moved(scheme, DIMENSION)
    right, cosines = [], []
    for x, key in zip(templates(60, 4), keys(60), strict=True):
        coefficients, exponents = polynomial(key, 5, 50)
        place = int(exponents.argmin())
        guess = guesser.guess(polyprotect(x[None], coefficients, exponents, overlap)[0].astype(np.float64))
        assert guess.probabilities.sum() == pytest.approx(1)
        right.append(guess.probabilities.argmax() == 2 * place + (coefficients[place] < 0))
        cosines.append(guess.template @ x / np.linalg.norm(guess.template))
    assert np.mean(right) > least
    assert np.mean(np.array(cosines)[right]) > cosine


def test_squares_are_taken_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where windows share numbers; left in, they would be noise."""
    scheme, originals = Scheme(5, 4, 50), templates(20, 5)
    coefficients, exponents = np.array([1, 10, 27, -1, 2]), np.array([5, 1, 2, 4, 3])
    protected = polyprotect(originals, coefficients, exponents, 4).astype(np.float64)
    guesser, _, _ = moved(scheme, DIMENSION)

    def similar() -> float:
        found = [guesser.guess(values).template for values in protected]
        return float(np.mean([abs(x @ one) / np.linalg.norm(one) for x, one in zip(originals, found, strict=True)]))

    cleared = similar()
    monkeypatch.setattr("benchmark.template_schemes.inversion.guesses.REACH", 0.0)
    assert cleared > 0.97 > similar()


def test_nothing_and_too_much_are_answered() -> None:
    guesser, prior, _ = moved(Scheme(5, 4, 50), DIMENSION)
    assert np.isfinite(guesser.guess(np.zeros(56)).template).all()
    with pytest.raises(InvalidInputError, match="56 values"):
        guesser.guess(np.zeros(12))
    assert len(prior.mean) == DIMENSION
