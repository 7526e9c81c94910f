"""Bloom filters of binarised templates."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from benchmark.interfaces import Scores, Templates
from benchmark.template_protector import TemplateProtector
from benchmark.template_schemes.bloom import binarise, bloom_filters, filter_similarity, filter_similarity_all, secret
from benchmark.template_schemes.keyed import protect_by_key


class BloomFilter(TemplateProtector):
    """Which words of `height` bits occur in each block of `width` columns of the binarised template."""

    def __init__(self, *, intervals: int, height: int, width: int) -> None:
        self.intervals, self.height, self.width = intervals, height, width

    def protect(self, prepared: Templates, keys: Sequence[bytes], *, generator: np.random.Generator) -> Templates:
        """Filters (float32 0 or 1, N x K 2^height), K blocks."""
        return protect_by_key(prepared, keys, self._filters)

    def compare(self, a: Templates, b: Templates) -> Scores:
        """1 - mean over blocks of |a xor b| / (|a| + |b|)."""
        return filter_similarity(a, b, self.height)

    def compare_all(self, a: Templates, b: Templates) -> Scores:
        """The same, of every template of a with every one of b."""
        return filter_similarity_all(a, b, self.height)

    def _filters(self, rows: Templates, key: bytes) -> Templates:
        bits = binarise(rows, self.intervals)
        order, words = secret(key, bits.shape[1], self.height, self.width)
        return bloom_filters(bits, order, words, self.height, self.width)
