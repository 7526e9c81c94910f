"""What signs, indices and words say about a template: log-likelihoods with their gradients.

Each takes what was protected of one template and what the key says, and returns a function of the template (float64,
D). Thresholds and maxima are softened, since a function without slope cannot be climbed; how far is said at each.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import expit, log_ndtr, logsumexp

from benchmark.template_schemes.inversion.prior import Likelihood, Matrix, Prior, Vector

#: Softness of thresholds and maxima, as a share of a projection's standard deviation under the prior. Between 0.1 and 1
#: the recovered cosine changes by 0.02.
SOFTNESS = 0.3

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


def largest_projections(indices: Indices, vectors: Matrix, prior: Prior) -> Likelihood:
    """Of m indices: which of each q products with `vectors` (D x m q) is the largest. Softmax."""
    m = len(indices)
    q = vectors.shape[1] // m
    sharpness = 1 / (SOFTNESS * float(_spread(vectors, prior).mean()))
    won = np.zeros((m, q))
    won[np.arange(m), indices] = 1

    def likelihood(x: Vector) -> tuple[float, Vector]:
        value, slope = _softmax(sharpness * (x @ vectors).reshape(m, q), won)
        return value, sharpness * (vectors @ slope.ravel())

    return likelihood


def largest_products(indices: Indices, order: Indices, prior: Prior) -> Likelihood:
    """Of m indices: which product of the permuted entries in `order` (m x p x k) is the largest. Softmax."""
    m, p, k = order.shape
    scale = float(np.sqrt(np.trace(prior.covariance) / len(prior.mean) + np.square(prior.mean).mean()))
    sharpness = 1 / (SOFTNESS * scale**p)
    won = np.zeros((m, k))
    won[np.arange(m), indices] = 1

    def likelihood(x: Vector) -> tuple[float, Vector]:
        factors = x[order]
        value, slope = _softmax(sharpness * factors.prod(axis=1), won)
        gradient = np.zeros(len(x))
        for number in range(p):
            others = np.delete(factors, number, axis=1).prod(axis=1)
            gradient += np.bincount(order[:, number].ravel(), (slope * others).ravel(), len(x))
        return value, sharpness * gradient

    return likelihood


def outputs_above(bits: Vector, layers: list[Matrix], activation: str, tau: float, prior: Prior) -> Likelihood:
    """Of bits (0 or 1): whether a perceptron's outputs are above tau; differentiated layer by layer. Probit."""
    sides = 2 * bits - 1
    samples = prior.mean + np.random.default_rng(0).normal(size=(64, len(prior.mean))) @ prior.factor.T
    for matrix in layers[:-1]:
        samples = _activated(samples @ matrix, activation)
    scale = sides / (SOFTNESS * (samples @ layers[-1]).std(axis=0) + 1e-12)

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


def words_present(
    present: npt.NDArray[np.bool_], order: Indices, words: Indices, thresholds: Vector, height: int, width: int
) -> Likelihood:
    """Of filters (bool, K x 2^height): which words occur in each block of `width` columns.

    `order` and `words` are the key's, as in `benchmark.template_schemes.bloom`; `thresholds` (intervals - 1) are those
    of a binarised number. Bits are softened to logistic probabilities, independent of each other, so that a word's
    probability is a product and a filter's entry the probability that any column has the word.
    """
    columns = -(-len(order) // height)
    filled = np.full(height * columns, -1)
    filled[: len(order)] = order
    bits = filled.reshape(height, columns)
    real, feature, step = bits >= 0, np.maximum(bits, 0) // len(thresholds), np.maximum(bits, 0) % len(thresholds)
    block = np.arange(columns) // width
    patterns = (np.arange(1 << height)[:, None] >> np.arange(height)[::-1]) & 1
    expected = patterns[np.arange(1 << height)[None] ^ words[:, None]][block].transpose(2, 0, 1)  # height, columns, words
    starts = np.arange(0, columns, width)

    def likelihood(x: Vector) -> tuple[float, Vector]:
        spread = np.sqrt(np.square(x).mean())
        sharpness = 1 / (SOFTNESS * spread)
        ones = np.where(real, expit(sharpness * (x[feature] - spread * thresholds[step])), 1e-6)
        chance = np.where(expected, ones[..., None], 1 - ones[..., None]).prod(axis=0).clip(1e-9, 1 - 1e-9)
        absent = np.add.reduceat(np.log1p(-chance), starts, axis=0)  # K x words: log that no column has it
        found = np.log(-np.expm1(absent))
        value = float(np.where(present, found, absent).sum())
        # d absent / d chance = -1 / (1 - chance); d found / d absent = -exp(absent) / (1 - exp(absent))
        weight = np.where(present, np.exp(absent) / np.expm1(absent), 1.0)
        by_column = -weight[block] / (1 - chance) * chance
        slope = by_column[None] * (expected - ones[..., None])  # d log chance / d logit = expected - ones
        by_bit = np.where(real, slope.sum(axis=2) * sharpness, 0.0)
        return value, np.bincount(feature.ravel(), by_bit.ravel(), len(x))

    return likelihood


def _spread(vectors: Matrix, prior: Prior) -> Vector:
    """Standard deviations of products with the vectors (D x m) under the prior."""
    spread: Vector = np.sqrt(np.square(prior.factor.T @ vectors).sum(axis=0)) + 1e-12
    return spread


def _probit(margins: Vector) -> tuple[float, Vector]:
    logs = log_ndtr(margins)
    return float(logs.sum()), np.exp(-0.5 * margins * margins - logs) / np.sqrt(2 * np.pi)


def _softmax(values: Matrix, won: Matrix) -> tuple[float, Matrix]:
    logs = values - logsumexp(values, axis=1, keepdims=True)
    return float((logs * won).sum()), won - np.exp(logs)


def _activated(values: npt.NDArray[np.float64], activation: str) -> npt.NDArray[np.float64]:
    return np.maximum(values, 0) if activation == "relu" else np.tanh(values)
