"""Index-of-Max hashing: which of a few random projections, or products, of a template is the largest.

Jin, Hwang, Lai, Kim and Teoh, Ranking-based locality sensitive hashing-enabled cancelable biometrics: Index-of-Max
hashing, IEEE TIFS 13(2), 2018. Indices count from 0; of equal values the first counts.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from benchmark.errors import InvalidInputError
from benchmark.interfaces import Templates
from benchmark.template_schemes.keyed import keyed_generator
from benchmark.template_schemes.projection import gaussian, project


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


def permutations(key: bytes, dimension: int, m: int, p: int, k: int) -> npt.NDArray[np.uint32]:
    """The first k entries of p permutations of D numbers for each of m hashes (uint32, m x p x k).

    Raises InvalidInputError where k > D.
    """
    if not 1 <= k <= dimension:
        raise InvalidInputError(f"the window k takes 1 to {dimension} of {dimension} permuted numbers, not {k}")
    # 32 bits for each entry choose one of those that are left, to 3e-8 all as likely.
    drawn = keyed_generator(key, "uniformly random permutation").bit_generator.random_raw(-(-m * p * k // 2))
    out = drawn.view(np.uint32)[: m * p * k].reshape(m * p, k)
    _shuffle(out, np.arange(dimension, dtype=np.uint32))
    return out.reshape(m, p, k)


def hash_by_permutation(templates: Templates, order: npt.NDArray[np.integer[Any]]) -> Templates:
    """Indices (float32 0..k-1, N x m): the largest entry of the product of p permuted copies (`order`: m x p x k).

    >>> order = np.array([[[0, 1, 2], [2, 1, 0]]])
    >>> hash_by_permutation(np.array([[1, 3, 2]], np.float32), order).tolist()
    [[1.0]]
    """
    out = np.empty((len(templates), len(order)), np.float32)
    _largest_products(np.ascontiguousarray(templates), order, out)
    return out


@njit(cache=True, nogil=True)
def _shuffle(out, entries):  # type: ignore[no-untyped-def]  # numba infers them
    """Fisher and Yates: random bits (uint32) become the first of the shuffled entries, each row after the former."""
    count = len(entries)
    for row in range(len(out)):
        for place in range(out.shape[1]):
            chosen = place + ((np.uint64(out[row, place]) * np.uint64(count - place)) >> np.uint64(32))
            out[row, place] = entries[chosen]
            entries[chosen] = entries[place]
            entries[place] = out[row, place]


@njit(cache=True, nogil=True)
def _largest_products(templates, order, out):  # type: ignore[no-untyped-def]
    m, p, k = order.shape
    product = np.empty(k, templates.dtype)
    for number in range(m):
        for row in range(len(templates)):
            x = templates[row]
            for column in range(k):
                product[column] = x[order[number, 0, column]]
            for other in range(1, p):
                for column in range(k):
                    product[column] *= x[order[number, other, column]]
            out[row, number] = np.argmax(product)
