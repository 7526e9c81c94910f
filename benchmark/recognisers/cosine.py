"""Cosine similarity of embeddings, row by row and all against all."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from benchmark.errors import InvalidInputError
from benchmark.interfaces import Templates


def cosine(a: Templates, b: Templates) -> npt.NDArray[np.float32]:
    """Cosines (float32, N; -1..1) of N pairs of rows (float32, N x D); 0 where a row is all zero.

    Raises InvalidInputError where shapes do not fit.

    >>> cosine(np.array([[1, 0], [3, 4]], np.float32), np.array([[2, 0], [4, -3]], np.float32)).tolist()
    [1.0, 0.0]
    """
    if a.shape != b.shape or a.ndim != 2:
        raise InvalidInputError(f"pairs of templates need two arrays of one shape N x D, not {a.shape} and {b.shape}")
    scores: npt.NDArray[np.float32] = np.einsum("ij,ij->i", _unit(a), _unit(b))
    return np.clip(scores, -1, 1)


def cosine_all(a: Templates, b: Templates) -> npt.NDArray[np.float32]:
    """Cosines (float32, N x M; -1..1) of every row of a (float32, N x D) with every one of b (float32, M x D).

    >>> cosine_all(np.eye(2, dtype=np.float32), np.array([[0, 2]], np.float32)).tolist()
    [[0.0], [1.0]]
    """
    if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[1]:
        raise InvalidInputError(f"templates to compare need one width, not {a.shape} and {b.shape}")
    scores: npt.NDArray[np.float32] = _unit(a) @ _unit(b).T
    return np.clip(scores, -1, 1)


def _unit(x: Templates) -> Templates:
    norms = np.linalg.norm(x, axis=1, keepdims=True)
    return np.asarray(x / np.where(norms > 0, norms, 1), np.float32)
