"""No protection: the samples themselves."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from benchmark.interfaces import Protected, Protector, Samples


class Identity(Protector):
    """Hands the samples through, whatever the keys."""

    def protect(self, prepared: Samples, keys: Sequence[bytes], *, generator: np.random.Generator) -> Samples:
        """The samples (uint8, N x H x W x 3), in memory of their own."""
        return prepared.copy()

    def recover(self, protected: Protected, keys: Sequence[bytes]) -> Samples:
        """The samples."""
        return np.array(protected, dtype=np.uint8)
