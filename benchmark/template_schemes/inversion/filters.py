"""Templates from Bloom filters: a filter says which words occur in a block, so how many of a row's bits are about 1."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr

from benchmark.template_schemes.inversion.prior import Matrix, Prior, Vector

Indices = npt.NDArray[np.int64]


def row_means(filters: npt.NDArray[np.bool_], words: Indices, height: int) -> Matrix:
    """Mean of each bit over the words that occur in each block (K x height), first bit highest.

    `filters` (K x 2^height) say which words occur after each was XORed with its block's of `words` (K).

    >>> row_means(np.array([[False, True, False, True]]), np.array([1]), 2).tolist()  # words 0 and 2
    [[0.5, 0.0]]
    """
    present = [np.flatnonzero(row) ^ word for row, word in zip(filters, words, strict=True)]
    return np.stack([((found[:, None] >> np.arange(height)[::-1]) & 1).mean(axis=0) for found in present])


def from_filters(
    filters: npt.NDArray[np.bool_], order: Indices, words: Indices, *, intervals: int, width: int, prior: Prior
) -> Vector:
    """The best linear estimate of a template (float64, D) from the means of its bits in each block and row.

    `order` and `words` are the key's, as in `benchmark.template_schemes.bloom`. Bits are thresholded normal numbers
    under the prior; their covariances are taken to first order. Which column had which word is not asked: solutions of
    that puzzle hash alike, and differ so much that their mean, which this is, says more than any of them.
    """
    blocks, height = len(words), int(filters.shape[1]).bit_length() - 1
    columns = -(-len(order) // height)
    spread = np.sqrt(np.diag(prior.covariance))
    feature, step = np.divmod(np.arange(len(order)), intervals - 1)
    edges = np.array([NormalDist().inv_cdf(number / intervals) for number in range(1, intervals)])
    size = np.sqrt(np.mean(np.square(spread) + np.square(prior.mean)))
    distance = (prior.mean[feature] - size * edges[step]) / spread[feature]
    chance, slope = ndtr(distance), np.exp(-0.5 * distance**2) / np.sqrt(2 * np.pi) / spread[feature]

    average = np.zeros((blocks * height, len(order)))
    place = np.arange(len(order))
    row = (place % columns // width) * height + place // columns
    average[row, order] = 1.0
    held = average.sum(axis=1)
    average = average[held > 0] / held[held > 0, None]
    seen = row_means(filters, words, height).ravel()[held > 0]

    bits = slope[:, None] * slope * prior.covariance[np.ix_(feature, feature)]
    bits[np.diag_indices(len(bits))] = chance * (1 - chance)
    inner = average @ bits @ average.T
    # A word that occurs twice counts once: about half as much again as the variance of a mean of `width` bits.
    inner[np.diag_indices(len(inner))] += 0.125 / width
    across = (prior.covariance[:, feature] * slope) @ average.T
    estimate: Vector = prior.mean + across @ np.linalg.solve(inner, seen - average @ chance)
    return estimate
