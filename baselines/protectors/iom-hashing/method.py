"""Index-of-Max hashing, by Gaussian random projections or by uniformly random permutations."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from benchmark.interfaces import Scores, Templates
from benchmark.template_protector import TemplateProtector
from benchmark.template_schemes.comparison import share_of_equal, share_of_equal_all
from benchmark.template_schemes.iom import hash_by_permutation, hash_by_projection, permutations, projections
from benchmark.template_schemes.keyed import protect_by_key


class IomHashing(TemplateProtector):
    """m indices: the largest of q random projections, or of the first k entries of a product of p permutations."""

    def __init__(self, *, hashing: str, m: int, q: int, p: int, k: int) -> None:
        self.hashing, self.m, self.q, self.p, self.k = hashing, m, q, p, k

    def protect(self, prepared: Templates, keys: Sequence[bytes], *, generator: np.random.Generator) -> Templates:
        """Indices (float32, N x m), from 0."""
        return protect_by_key(prepared, keys, self._grp if self.hashing == "grp" else self._urp)

    def compare(self, a: Templates, b: Templates) -> Scores:
        """Share of equal indices."""
        return share_of_equal(a, b)

    def compare_all(self, a: Templates, b: Templates) -> Scores:
        """The same, of every template of a with every one of b."""
        return share_of_equal_all(a, b)

    def _grp(self, rows: Templates, key: bytes) -> Templates:
        return hash_by_projection(rows, projections(key, rows.shape[1], self.m, self.q), self.q)

    def _urp(self, rows: Templates, key: bytes) -> Templates:
        return hash_by_permutation(rows, permutations(key, rows.shape[1], self.m, self.p, self.k))
