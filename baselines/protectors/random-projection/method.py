"""Random projection of templates, the plainest salting."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from benchmark.interfaces import Scores, Templates
from benchmark.recognisers.cosine import cosine, cosine_all
from benchmark.template_protector import TemplateProtector
from benchmark.template_schemes.keyed import keyed_generator, protect_by_key
from benchmark.template_schemes.projection import Projection, gaussian, project
from benchmark.template_schemes.reflections import orthonormal


class RandomProjection(TemplateProtector):
    """y = x R with a matrix R (D x m) that the key draws: Gaussian / sqrt(m), or orthonormal."""

    def __init__(self, *, matrix: str, m: int) -> None:
        self.matrix, self.m = matrix, m

    def protect(self, prepared: Templates, keys: Sequence[bytes], *, generator: np.random.Generator) -> Templates:
        """Projections (float32, N x m)."""
        return protect_by_key(prepared, keys, lambda rows, key: project(rows, self.drawn(key, rows.shape[1])))

    def compare(self, a: Templates, b: Templates) -> Scores:
        """Cosine."""
        return cosine(a, b)

    def compare_all(self, a: Templates, b: Templates) -> Scores:
        """The same, of every template of a with every one of b."""
        return cosine_all(a, b)

    def drawn(self, key: bytes, dimension: int) -> Projection:
        """The key's matrix (D x m)."""
        random = keyed_generator(key, "random projection")
        if self.matrix == "gaussian":
            return gaussian(dimension, self.m, random) / np.float32(np.sqrt(self.m))
        return orthonormal(dimension, self.m, random)
