"""Scores of protected templates, row by row: higher = more alike."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from benchmark.errors import InvalidInputError
from benchmark.interfaces import Templates


def share_of_equal(a: Templates, b: Templates) -> npt.NDArray[np.float32]:
    """Share (float32, N; 0..1) of equal entries of N pairs of rows (N x L): 1 - normalised Hamming distance.

    Raises InvalidInputError where shapes do not fit.

    >>> share_of_equal(np.array([[1, 0, 1, 0]], np.float32), np.array([[1, 1, 1, 0]], np.float32)).tolist()
    [0.75]
    """
    if a.shape != b.shape or a.ndim != 2:
        raise InvalidInputError(f"pairs of templates need two arrays of one shape N x L, not {a.shape} and {b.shape}")
    return np.asarray((a == b).mean(axis=1), np.float32)
