"""What is learned, against scikit-learn and against cases whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.mixture import GaussianMixture

from benchmark.recognisers.fisher.fitting import fit_components, fit_metric, fit_mixture, quantised


def test_components_equal_scikit_learn_up_to_signs() -> None:
    rng = np.random.default_rng(1)
    x = (rng.normal(size=(500, 8)) * np.arange(1, 9) + 3).astype(np.float32)
    mean, components = fit_components(x, 3)
    theirs = PCA(3).fit(x)
    expected = theirs.components_.T / np.sqrt(theirs.explained_variance_[0])
    assert np.allclose(mean, theirs.mean_, atol=1e-4)
    assert np.allclose(np.abs(components), np.abs(expected), atol=1e-4)
    assert np.isclose(((x - mean) @ components).std(axis=0, ddof=1)[0], 1, atol=1e-4)


def test_mixture_finds_clusters() -> None:
    rng = np.random.default_rng(2)
    centres = np.array([[0, 0], [5, 0], [0, 5]])
    x = (centres[rng.choice(3, 3000, p=[0.5, 0.3, 0.2])] + rng.normal(size=(3000, 2)) * [0.5, 0.3]).astype(np.float32)
    found = fit_mixture(x, 3, generator=np.random.default_rng(0))
    order = np.lexsort((found.means[:, 0].round(), found.means[:, 1].round()))
    assert np.allclose(found.means[order], centres[[0, 1, 2]], atol=0.1)
    assert np.allclose(found.weights[order], [0.5, 0.3, 0.2], atol=0.04)
    assert np.allclose(found.variances, [0.25, 0.09], atol=0.04)
    theirs = GaussianMixture(3, covariance_type="diag", random_state=0, reg_covar=5e-4).fit(x)
    assert np.allclose(found.means[order], theirs.means_[np.lexsort(theirs.means_.round().T)], atol=0.02)
    again = fit_mixture(x, 3, generator=np.random.default_rng(0))
    assert np.array_equal(found.means, again.means)


def _people(seed: int, people: int = 60, images: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Vectors whose first five entries tell people apart, and whose next five vary much from image to image."""
    rng = np.random.default_rng(seed)
    person = np.zeros((people, 20))
    person[:, :5] = rng.normal(size=(people, 5))
    vectors = np.repeat(person, images, axis=0) + 0.1 * rng.normal(size=(people * images, 20))
    vectors[:, 5:10] += 2 * rng.normal(size=(people * images, 5))
    return vectors.astype(np.float32), np.repeat([f"p{i}" for i in range(people)], images)


def test_without_labels_the_metric_whitens() -> None:
    vectors, subjects = _people(3)
    matrix, offset = fit_metric(vectors, subjects, rank=10, shrinkage=1.0)
    templates = vectors @ matrix.T - offset
    assert np.allclose(templates.mean(axis=0), 0, atol=1e-4)
    assert np.allclose(templates.T @ templates / len(templates), np.eye(10), atol=1e-3)


def test_labels_turn_the_metric_to_what_tells_people_apart() -> None:
    learned, subjects = _people(4)
    fresh, names = _people(5)
    shares = []
    for shrinkage in (1.0, 0.2):
        matrix, offset = fit_metric(learned, subjects, rank=10, shrinkage=shrinkage)
        templates = fresh @ matrix.T - offset
        templates /= np.linalg.norm(templates, axis=1, keepdims=True)
        scores = templates @ templates.T
        same = (names[:, None] == names) & ~np.eye(len(names), dtype=bool)
        shares.append((scores[same].mean() - scores[names[:, None] != names].mean()) / scores.std())
    assert shares[1] > 1.3 * shares[0]


def test_rank_is_bounded_by_the_images() -> None:
    vectors, subjects = _people(6, people=3)
    matrix, _ = fit_metric(vectors, subjects, rank=50, shrinkage=0.8)
    assert matrix.shape == (8, 20)


@pytest.mark.parametrize("seed", range(3))
def test_bytes_are_within_half_a_step(seed: int) -> None:
    matrix = np.random.default_rng(seed).normal(size=(7, 30)).astype(np.float32)
    rows, scale = quantised(matrix)
    assert rows.dtype == np.int8
    assert (np.abs(rows * scale[:, None] - matrix) <= scale[:, None] * 0.5001).all()
    assert (np.abs(rows).max(axis=1) == 127).all()
