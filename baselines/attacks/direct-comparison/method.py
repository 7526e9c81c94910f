"""No attack at all: protected data are compared as they are."""

from __future__ import annotations

import numpy as np

from benchmark.interfaces import Attack, Evidence, Protected


class DirectComparison(Attack):
    """Hands on what was stolen; the harness, which has it already, does not ask for it in a run."""

    def run(self, evidence: Evidence, *, generator: np.random.Generator) -> Protected:  # type: ignore[override]  # declared as `returns: protected`
        """The N protected samples or templates, unchanged."""
        return evidence.protected
