"""PolyProtect: polynomials of the user's over windows of the template."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from benchmark.interfaces import Scores, Templates
from benchmark.recognisers.cosine import cosine, cosine_all
from benchmark.template_protector import TemplateProtector
from benchmark.template_schemes.keyed import protect_by_key
from benchmark.template_schemes.poly import polynomial, polyprotect


class PolyProtect(TemplateProtector):
    """One value for each window of m numbers: c_1 v_1^e_1 + ... + c_m v_m^e_m, C and E from the key."""

    def __init__(self, *, m: int, overlap: int, bound: int) -> None:
        self.m, self.overlap, self.bound = m, overlap, bound

    def protect(self, prepared: Templates, keys: Sequence[bytes], *, generator: np.random.Generator) -> Templates:
        """Values (float32, N x L), L = ceil((D - m) / (m - overlap)) + 1."""
        return protect_by_key(
            prepared, keys, lambda rows, key: polyprotect(rows, *polynomial(key, self.m, self.bound), self.overlap)
        )

    def compare(self, a: Templates, b: Templates) -> Scores:
        """Cosine."""
        return cosine(a, b)

    def compare_all(self, a: Templates, b: Templates) -> Scores:
        """The same, of every template of a with every one of b."""
        return cosine_all(a, b)
