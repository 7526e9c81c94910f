"""Decode what precedes the encrypted window, and nothing after it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from benchmark.errors import CodestreamError, InvalidInputError
from benchmark.interfaces import Attack, Evidence, MaybeSamples
from benchmark.jpeg2000 import decode
from benchmark.render import render


class LayerTruncation(Attack):
    """Cuts the stream at the first encrypted byte."""

    def run(self, evidence: Evidence, *, generator: np.random.Generator) -> MaybeSamples:
        """Images of N protected samples; None where nothing can be decoded."""
        if evidence.windows is None:
            raise InvalidInputError("layer-truncation needs the encrypted windows")
        spans = evidence.windows[:, :2].tolist()
        return [self._truncated(data, start, end) for data, (start, end) in zip(evidence.protected, spans, strict=True)]

    def _truncated(self, data: bytes, start: int, end: int) -> npt.NDArray[np.uint8] | None:
        try:
            return decode(data, erase=(start, len(data)) if start < end else None)
        except CodestreamError:  # ours decodes less than a viewer does
            return render([data])[0]
