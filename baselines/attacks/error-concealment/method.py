"""Decode as an error-resilient decoder does: what contradicts itself is concealed."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from benchmark.errors import CodestreamError
from benchmark.interfaces import Attack, Evidence, MaybeSamples
from benchmark.jpeg2000 import decode
from benchmark.render import render


class ErrorConcealment(Attack):
    """Conceals code-blocks whose segmentation symbols or terminations are wrong; needs to know nothing."""

    def __init__(self, *, rule: str) -> None:
        self.rule = rule

    def run(self, evidence: Evidence, *, generator: np.random.Generator) -> MaybeSamples:
        """Images of N protected samples; None where nothing can be decoded."""
        return [self._concealed(data) for data in evidence.protected]

    def _concealed(self, data: bytes) -> npt.NDArray[np.uint8] | None:
        try:
            return decode(data, conceal=self.rule)
        except CodestreamError:  # ours decodes less than a viewer does
            return render([data])[0]
