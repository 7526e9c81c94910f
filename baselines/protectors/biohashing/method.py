"""BioHashing: signs of projections on a basis that the key draws."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from benchmark.interfaces import Scores, Templates
from benchmark.template_protector import TemplateProtector
from benchmark.template_schemes.biohash import basis, biohash
from benchmark.template_schemes.comparison import share_of_equal, share_of_equal_all
from benchmark.template_schemes.keyed import protect_by_key


class BioHashing(TemplateProtector):
    """m bits: whether the template's inner product with each of the key's orthonormal vectors is above tau."""

    def __init__(self, *, m: int, tau: float) -> None:
        self.m, self.tau = m, tau

    def protect(self, prepared: Templates, keys: Sequence[bytes], *, generator: np.random.Generator) -> Templates:
        """Bits (float32 0 or 1, N x m)."""
        return protect_by_key(
            prepared, keys, lambda rows, key: biohash(rows, basis(key, rows.shape[1], self.m), self.tau)
        )

    def compare(self, a: Templates, b: Templates) -> Scores:
        """1 - normalised Hamming distance."""
        return share_of_equal(a, b)

    def compare_all(self, a: Templates, b: Templates) -> Scores:
        """The same, of every template of a with every one of b."""
        return share_of_equal_all(a, b)
