"""Gradients against differences, estimates against closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import check_grad

from benchmark.template_schemes import bloom, iom, mlp
from benchmark.template_schemes.inversion import likelihoods
from benchmark.template_schemes.inversion.equations import from_polynomials, from_projection
from benchmark.template_schemes.inversion.filters import from_filters, row_means
from benchmark.template_schemes.inversion.prior import density, fit_prior, most_probable, prior_of
from benchmark.template_schemes.poly import polyprotect

KEY, D = bytes(range(32)), 12
RANDOM = np.random.default_rng(3)
STANDARD = prior_of(np.zeros(D), np.eye(D))
LEANING = prior_of(RANDOM.normal(size=D), np.cov(RANDOM.normal(size=(D, 40))))
X = RANDOM.normal(size=D)
BITS = RANDOM.integers(2, size=20).astype(float)


def _likelihood(name: str, prior):
    if name == "signs":
        return likelihoods.signs(BITS, RANDOM.normal(size=(D, 20)), 0.1, prior)
    if name == "projections":
        return likelihoods.largest_projections(RANDOM.integers(4, size=9), RANDOM.normal(size=(D, 36)), prior)
    if name.startswith("products"):
        order = iom.permutations(KEY, D, 9, int(name[-1]), 7)
        return likelihoods.largest_products(RANDOM.integers(7, size=9), order, prior)
    layers = mlp.weights(KEY, D, [16, 10], 20)
    return likelihoods.outputs_above(BITS, layers, name, 0.05, prior)


@pytest.mark.parametrize("prior", [STANDARD, LEANING], ids=["standard", "leaning"])
@pytest.mark.parametrize("name", ["signs", "projections", "products1", "products2", "products3", "relu", "tanh"])
def test_gradients_are_those_of_the_values(name: str, prior) -> None:
    likelihood = _likelihood(name, prior)
    error = check_grad(lambda x: likelihood(x)[0], lambda x: likelihood(x)[1], X, epsilon=1e-6)
    assert error < 1e-4 * (1 + np.linalg.norm(likelihood(X)[1]))


def test_the_posterior_of_normal_data_is_the_closed_form() -> None:
    seen, noise = RANDOM.normal(size=D), 0.3

    def likelihood(x):
        return -0.5 * float((seen - x) @ (seen - x)) / noise, (seen - x) / noise

    gain = LEANING.covariance @ np.linalg.inv(LEANING.covariance + noise * np.eye(D))
    expected = LEANING.mean + gain @ (seen - LEANING.mean)
    found = most_probable(LEANING, likelihood, seen, steps=200)
    assert np.allclose(found, expected, atol=1e-3)
    assert density(LEANING, LEANING.mean) == pytest.approx(0)


def test_a_prior_is_what_it_was_fitted_to() -> None:
    samples = LEANING.mean + RANDOM.normal(size=(5000, D)) @ LEANING.factor.T
    prior = fit_prior(samples)
    assert np.allclose(prior.mean, LEANING.mean, atol=0.1)
    assert np.allclose(prior.covariance, LEANING.covariance, atol=0.15)
    with pytest.raises(Exception, match="two templates or more"):
        fit_prior(samples[:1])


@pytest.mark.parametrize("m", [5, 12, 30])
def test_projections_are_undone_as_far_as_they_go(m: int) -> None:
    matrix = RANDOM.normal(size=(D, m))
    found = from_projection(X @ matrix, matrix, STANDARD)
    assert np.allclose(found, np.linalg.pinv(matrix.T) @ (X @ matrix), atol=1e-3)
    assert (m < D) or np.allclose(found, X)


@pytest.mark.parametrize("overlap", [0, 1, 2])
def test_polynomials_are_solved(overlap: int) -> None:
    x = (X / np.linalg.norm(X)).astype(np.float32)
    c, e = np.array([20.0, -7, 11]), np.array([2, 1, 3])
    values = polyprotect(x[None], c.astype(int), e, overlap)[0].astype(float)
    prior = prior_of(np.zeros(D), np.eye(D) / D)
    starts = [prior.mean, *(0.3 * RANDOM.normal(size=(4, D)))]
    found = from_polynomials(values, c, e, overlap, prior, starts)
    again = polyprotect(found[None].astype(np.float32), c.astype(int), e, overlap)[0]
    assert abs(again - values).mean() < 0.05 * abs(values).mean()


def test_a_linear_polynomial_has_one_solution() -> None:
    values = polyprotect(X[None].astype(np.float32), np.array([3]), np.array([1]), 0)[0].astype(float)
    found = from_polynomials(values, np.array([3.0]), np.array([1]), 0, STANDARD, [STANDARD.mean])
    assert np.allclose(found, X, atol=1e-4)


def test_the_start_for_products_finds_who_wins_together() -> None:
    x = RANDOM.normal(size=60)
    order = iom.permutations(KEY, 60, 800, 2, 40)
    won = iom.hash_by_permutation(x[None].astype(np.float32), order)[0].astype(int)
    start = likelihoods.products_start(won, order, 60)
    assert abs(np.corrcoef(start, x)[0, 1]) > 0.7


def test_row_means_undo_what_words_were_xored_with() -> None:
    bits = RANDOM.integers(2, size=(1, 24))
    order, words = bloom.secret(KEY, 24, 4, 3)
    filters = bloom.bloom_filters(bits, order, words, 4, 3)[0].reshape(len(words), -1) > 0
    means = row_means(filters, words, 4)
    columns = bits[0, order].reshape(4, 6)
    for block in range(2):
        distinct = np.unique(columns[:, 3 * block : 3 * block + 3], axis=1)
        assert np.allclose(means[block], distinct.mean(axis=1))


@pytest.mark.parametrize(("intervals", "width", "least"), [(2, 1, 0.75), (2, 8, 0.2), (4, 1, 0.9)])
def test_a_filter_tells_the_more_the_fewer_columns_it_has(intervals: int, width: int, least: float) -> None:
    """Blocks of one column keep the order: the signs' cosine is sqrt(2 / pi) = 0.80."""
    dimension = 120
    prior = prior_of(np.zeros(dimension), np.eye(dimension))
    cosines = []
    for x in RANDOM.normal(size=(10, dimension)):
        bits = bloom.binarise(x[None].astype(np.float32), intervals)
        order, words = bloom.secret(KEY, bits.shape[1], 4, width)
        filters = bloom.bloom_filters(bits, order, words, 4, width)[0].reshape(len(words), -1) > 0
        found = from_filters(filters, order, words, intervals=intervals, width=width, prior=prior)
        cosines.append(found @ x / np.linalg.norm(found) / np.linalg.norm(x))
    assert np.mean(cosines) > least
