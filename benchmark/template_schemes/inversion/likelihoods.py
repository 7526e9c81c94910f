"""What signs and indices say about a template: log-likelihoods with their gradients.

Each takes what was protected of one template and what the key says, and returns a function of the template (float64,
D). Thresholds and maxima are softened, since a function without slope cannot be climbed; how far is said at each.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.linalg import eigh
from scipy.special import log_ndtr

from benchmark.template_schemes.inversion.prior import Likelihood, Matrix, Prior, Vector
from benchmark.template_schemes.inversion.products import Order, products, products_gradient, together
from benchmark.template_schemes.inversion.softmax import softmax
from benchmark.template_schemes.reflections import Orthonormal

#: Softness of thresholds and maxima, as a share of a projection's standard deviation under the prior. Between 0.1 and 1
#: the recovered cosine changes by 0.02.
SOFTNESS = 0.3
#: Vectors whose mean spread is taken for that of all: it is known to one or two percent then.
_ENOUGH = 128
#: Templates made up under the prior to learn how far a perceptron's outputs spread: to some ten percent.
_SAMPLES = 8

Indices = npt.NDArray[np.int64]


def signs(bits: Vector, vectors: Matrix, tau: float, prior: Prior) -> Likelihood:
    """Of bits (0 or 1, m): whether the template's products with `vectors` (D x m) are above tau. Probit.

    >>> prior = Prior(np.zeros(1), np.eye(1), np.eye(1))
    >>> likelihood = signs(np.ones(1), np.ones((1, 1)), 0.0, prior)
    >>> likelihood(np.array([1.0]))[0] > likelihood(np.array([-1.0]))[0]
    True
    """
    sides = 2 * bits - 1
    scale = sides / (SOFTNESS * _spread(vectors, prior))

    def likelihood(x: Vector) -> tuple[float, Vector]:
        value, slope = _probit(scale * (x @ vectors - tau))
        return value, vectors @ (scale * slope)

    return likelihood


def largest_projections(indices: Indices, vectors: npt.NDArray[np.floating], prior: Prior) -> Likelihood:
    """Of m indices: which of each q products with `vectors` (D x m q) is the largest. Softmax.

    Products are as precise as the vectors are: float32, as they are drawn, is enough and half the work.
    """
    m = len(indices)
    q = vectors.shape[1] // m
    sharpness = 1 / (SOFTNESS * float(_spread(vectors[:, :_ENOUGH], prior).mean()))

    def likelihood(x: Vector) -> tuple[float, Vector]:
        found = x.astype(vectors.dtype) @ vectors
        value, slope = softmax(np.multiply(found, sharpness, dtype=np.float64).reshape(m, q), indices)
        return value, sharpness * (vectors @ slope.ravel().astype(vectors.dtype)).astype(np.float64)

    return likelihood


def largest_products(indices: Indices, order: Order, prior: Prior) -> Likelihood:
    """Of m indices: which product of the permuted entries in `order` (m x p x k) is the largest. Softmax."""
    p = order.shape[1]
    scale = float(np.sqrt(np.trace(prior.covariance) / len(prior.mean) + np.square(prior.mean).mean()))
    sharpness = 1 / (SOFTNESS * scale**p)

    def likelihood(x: Vector) -> tuple[float, Vector]:
        value, slope = softmax(sharpness * products(x, order), indices)
        return value, sharpness * products_gradient(x, order, slope)

    return likelihood


def products_start(indices: Indices, order: Order, dimension: int) -> Vector:
    """A direction (D) to begin with, up to its sign: entries that win together are large and of one sign.

    The leading eigenvector of who wins with whom, less who might have. For p = 1 the count of wins.
    """
    _, p, k = order.shape
    won = np.take_along_axis(order, indices[:, None, None], axis=2)[:, :, 0]
    if p == 1:
        wins, chances = (np.bincount(places.ravel(), minlength=dimension) for places in (won, order))
        return np.asarray(wins - chances / k, np.float64)
    last = (dimension - 1, dimension - 1)
    return np.asarray(eigh(together(won, order, dimension), subset_by_index=last)[1][:, 0], np.float64)


def outputs_above(
    bits: Vector, layers: Sequence[Matrix | Orthonormal], activation: str, tau: float, prior: Prior
) -> Likelihood:
    """Of bits (0 or 1): whether a perceptron's outputs are above tau; differentiated layer by layer. Probit."""
    samples = prior.mean + np.random.default_rng(0).normal(size=(_SAMPLES, len(prior.mean))) @ prior.factor.T
    for matrix in layers[:-1]:
        samples = _activated(samples @ matrix, activation)
    # One softness for all outputs: their spreads are alike, and a few samples tell their mean.
    spread = np.sqrt((samples @ layers[-1]).var(axis=0, ddof=1).mean())
    scale = (2 * bits - 1) / (SOFTNESS * spread + 1e-12)

    def likelihood(x: Vector) -> tuple[float, Vector]:
        values, sums = x, []
        for matrix in layers[:-1]:
            sums.append(values @ matrix)
            values = _activated(sums[-1], activation)
        value, slope = _probit(scale * (values @ layers[-1] - tau))
        gradient = layers[-1] @ (scale * slope)
        for matrix, before in zip(layers[-2::-1], reversed(sums), strict=True):
            inner = (before > 0) if activation == "relu" else 1 - np.tanh(before) ** 2
            gradient = matrix @ (gradient * inner)
        return value, gradient

    return likelihood


def _spread(vectors: npt.NDArray[np.floating], prior: Prior) -> Vector:
    """Standard deviations of products with the vectors (D x m) under the prior."""
    spread: Vector = np.sqrt(np.square(prior.factor.T @ vectors).sum(axis=0)) + 1e-12
    return spread


def _probit(margins: Vector) -> tuple[float, Vector]:
    logs = log_ndtr(margins)
    return float(logs.sum()), np.exp(-0.5 * margins * margins - logs) / np.sqrt(2 * np.pi)


def _activated(values: npt.NDArray[np.float64], activation: str) -> npt.NDArray[np.float64]:
    return np.maximum(values, 0) if activation == "relu" else np.tanh(values)
