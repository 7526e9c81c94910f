"""Index-of-Max hashing: which of a few random projections, or products, of a template is the largest.

Jin, Hwang, Lai, Kim and Teoh, Ranking-based locality sensitive hashing-enabled cancelable biometrics: Index-of-Max
hashing, IEEE TIFS 13(2), 2018. Indices count from 0; of equal values the first counts.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from benchmark.errors import InvalidInputError
from benchmark.interfaces import Templates
from benchmark.template_schemes.keyed import keyed_generator
from benchmark.template_schemes.projection import gaussian, project

#: Products in memory at once.
_PRODUCTS = 1 << 22


def projections(key: bytes, dimension: int, m: int, q: int) -> Templates:
    """The key's m groups of q Gaussian vectors as columns (float32, D x m q), group after group."""
    return gaussian(dimension, m * q, keyed_generator(key, "Gaussian random projection"))


def hash_by_projection(templates: Templates, vectors: Templates, q: int) -> Templates:
    """Indices (float32 0..q-1, N x m): the largest of each q inner products with vectors (D x m q).

    >>> vectors = np.array([[1, 0, -1, 0], [0, 1, 0, 3]], np.float32)
    >>> hash_by_projection(np.array([[2, 1]], np.float32), vectors, 2).tolist()
    [[0.0, 1.0]]
    """
    values = project(templates, vectors).reshape(len(templates), -1, q)
    return np.asarray(values.argmax(axis=2), np.float32)


def permutations(key: bytes, dimension: int, m: int, p: int, k: int) -> npt.NDArray[np.int64]:
    """The first k entries of p permutations for each of m hashes (int64, m x p x k).

    Raises InvalidInputError where k > D.
    """
    if not 1 <= k <= dimension:
        raise InvalidInputError(f"the window k takes 1 to {dimension} of {dimension} permuted numbers, not {k}")
    whole = np.broadcast_to(np.arange(dimension), (m * p, dimension))
    drawn = keyed_generator(key, "uniformly random permutation").permuted(whole, axis=1)
    return np.ascontiguousarray(drawn[:, :k]).reshape(m, p, k)


def hash_by_permutation(templates: Templates, order: npt.NDArray[np.int64]) -> Templates:
    """Indices (float32 0..k-1, N x m): the largest entry of the product of p permuted copies (`order`: m x p x k).

    >>> order = np.array([[[0, 1, 2], [2, 1, 0]]])
    >>> hash_by_permutation(np.array([[1, 3, 2]], np.float32), order).tolist()
    [[1.0]]
    """
    m, p, k = order.shape
    out = np.empty((len(templates), m), np.float32)
    step = max(1, _PRODUCTS // (m * k))
    for first in range(0, len(templates), step):
        some = templates[first : first + step]
        product = some[:, order[:, 0]]
        for number in range(1, p):
            product *= some[:, order[:, number]]
        out[first : first + step] = product.argmax(axis=2)
    return out
