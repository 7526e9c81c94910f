"""BioHashing: the signs of projections on an orthonormal basis that the key draws.

Jin, Ling and Goh, Biohashing: two factor authentication featuring fingerprint data and tokenised random number,
Pattern Recognition 37(11), 2004.
"""

from __future__ import annotations

from benchmark.errors import InvalidInputError
from benchmark.interfaces import Templates
from benchmark.template_schemes.keyed import keyed_generator
from benchmark.template_schemes.projection import Projection, project
from benchmark.template_schemes.reflections import Orthonormal, orthonormal


def basis(key: bytes, dimension: int, m: int) -> Orthonormal:
    """The key's m orthonormal vectors as columns (D x m): Gaussian, then Gram-Schmidt.

    Raises InvalidInputError where m > D: there are no more orthonormal vectors than dimensions.
    """
    if not 1 <= m <= dimension:
        raise InvalidInputError(f"BioHashing makes 1 to {dimension} bits of templates of {dimension} numbers, not {m}")
    return orthonormal(dimension, m, keyed_generator(key, "orthonormal basis"))


def biohash(templates: Templates, vectors: Projection, tau: float = 0.0) -> Templates:
    """Bits (float32 0 or 1, N x m): whether the inner product with each vector (D x m) is above tau.

    >>> import numpy as np
    >>> biohash(np.array([[0.6, -0.8]], np.float32), np.eye(2, dtype=np.float32)).tolist()
    [[1.0, 0.0]]
    """
    return (project(templates, vectors) > tau).astype(templates.dtype)
