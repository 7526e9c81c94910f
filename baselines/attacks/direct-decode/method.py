"""No attack at all: look at the protected file with a standard decoder."""

from __future__ import annotations

import numpy as np

from benchmark.interfaces import Attack, Evidence, MaybeSamples
from benchmark.render import render


class DirectDecode(Attack):
    """Hands out what a standards-compliant viewer shows; None where it shows nothing."""

    def run(self, evidence: Evidence, *, generator: np.random.Generator) -> MaybeSamples:
        """Images of N protected samples."""
        return render(evidence.protected)
