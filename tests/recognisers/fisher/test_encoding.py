"""Mixtures and Fisher vectors against scikit-learn, scikit-image, and the gradient itself."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from skimage.feature import fisher_vector as peer
from sklearn.mixture import GaussianMixture

from benchmark.recognisers.fisher.encoding import BLOCK, LEAST, POWER, fisher_vector, normalised
from benchmark.recognisers.fisher.mixture import Mixture


def _case(seed: int, count: int = 5, width: int = 4, points: int = 60) -> tuple[np.ndarray, Mixture, GaussianMixture]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(points, width)).astype(np.float32)
    theirs = GaussianMixture(count, covariance_type="diag", random_state=seed, reg_covar=0.05).fit(
        rng.normal(size=(300, width))
    )
    ours = Mixture(*(np.asarray(a, np.float32) for a in (theirs.weights_, theirs.means_, theirs.covariances_)))
    return x, ours, theirs


@pytest.mark.parametrize("seed", range(3))
def test_posteriors_equal_scikit_learn(seed: int) -> None:
    x, ours, theirs = _case(seed)
    assert np.allclose(ours.posteriors(x), theirs.predict_proba(x), atol=1e-5)


@pytest.mark.parametrize("seed", range(3))
def test_equals_the_mean_part_of_scikit_image(seed: int) -> None:
    """Its vector is [weights, means, deviations]; its deviations have the opposite sign and play no part here."""
    x, ours, theirs = _case(seed)
    whole = peer(x, theirs, improved=False)
    count, width = ours.means.shape
    assert np.allclose(fisher_vector(x, ours).ravel(), whole[count : count + count * width], atol=1e-4)


@pytest.mark.parametrize("count", [1, 7, 31, 32, 70])
def test_components_that_do_not_count_are_not_missed(count: int) -> None:
    """Against all posteriors, with more descriptors than a block and any number of components."""
    rng = np.random.default_rng(count)
    means, variances = rng.normal(size=(count, 9)), rng.uniform(0.1, 0.5, size=(count, 9))
    mixture = Mixture(*(np.asarray(a, np.float32) for a in (rng.dirichlet(np.ones(count)), means, variances)))
    x = rng.normal(size=(2 * BLOCK + 5, 9)).astype(np.float32)
    q = mixture.posteriors(x).astype(np.float64)
    expected = (q.T @ x - q.sum(axis=0)[:, None] * means) / np.sqrt(variances * mixture.weights[:, None]) / len(x)
    assert np.allclose(fisher_vector(x, mixture), expected, atol=1e-4)
    if count == 70:
        assert (q < np.exp(LEAST)).mean() > 0.5


def test_is_the_gradient_of_the_log_likelihood() -> None:
    """By differences: with respect to a mean, times deviation / sqrt(weight), per descriptor."""
    x, ours, theirs = _case(4)
    found = fisher_vector(x, ours)
    for k, d in ((0, 0), (3, 2), (4, 1)):
        step, means = 1e-4, theirs.means_.copy()
        likelihoods = []
        for sign in (1, -1):
            theirs.means_ = means.copy()
            theirs.means_[k, d] += sign * step
            likelihoods.append(theirs.score(x))
        gradient = (likelihoods[0] - likelihoods[1]) / (2 * step)
        expected = gradient * np.sqrt(theirs.covariances_[k, d] / theirs.weights_[k])
        assert np.isclose(found[k, d], expected, atol=1e-3)


def test_far_descriptors_have_a_component_too() -> None:
    x, ours, _ = _case(5)
    q = ours.posteriors(1e4 * x)
    assert np.isfinite(q).all()
    assert np.allclose(q.sum(axis=1), 1, atol=1e-5)


@given(st.lists(st.floats(-1e3, 1e3, width=32), min_size=1, max_size=20))
def test_normalisation_keeps_signs_and_has_length_one(values: list[float]) -> None:
    vector = np.array(values, np.float32)
    found = normalised(vector)
    assert np.array_equal(np.sign(found), np.sign(vector)) or np.abs(vector[vector != 0]).min() < 1e-30
    if vector.any():
        assert np.isclose(np.linalg.norm(found), 1, atol=1e-4)
        largest = np.abs(vector).max()
        expected = (np.abs(vector / largest)) ** float(POWER)
        assert np.allclose(np.abs(found), expected / np.linalg.norm(expected), atol=1e-4)
    else:
        assert not found.any()
