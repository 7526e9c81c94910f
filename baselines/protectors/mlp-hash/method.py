"""MLP-hash: signs of what a perceptron with random orthonormal weights makes of a template."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from benchmark.interfaces import Scores, Templates
from benchmark.template_protector import TemplateProtector
from benchmark.template_schemes.comparison import share_of_equal, share_of_equal_all
from benchmark.template_schemes.keyed import protect_by_key
from benchmark.template_schemes.mlp import mlp_hash, weights


class MlpHash(TemplateProtector):
    """Signs of the `length` outputs of a perceptron that the key draws: `hidden_layers` layers of `neurons` each."""

    def __init__(self, *, hidden_layers: int, neurons: int, length: int, activation: str, tau: float) -> None:
        self.hidden, self.length, self.activation, self.tau = [neurons] * hidden_layers, length, activation, tau

    def protect(self, prepared: Templates, keys: Sequence[bytes], *, generator: np.random.Generator) -> Templates:
        """Bits (float32 0 or 1, N x length)."""
        return protect_by_key(prepared, keys, self._hashed)

    def compare(self, a: Templates, b: Templates) -> Scores:
        """1 - normalised Hamming distance."""
        return share_of_equal(a, b)

    def compare_all(self, a: Templates, b: Templates) -> Scores:
        """The same, of every template of a with every one of b."""
        return share_of_equal_all(a, b)

    def _hashed(self, rows: Templates, key: bytes) -> Templates:
        return mlp_hash(rows, weights(key, rows.shape[1], self.hidden, self.length), self.activation, self.tau)
