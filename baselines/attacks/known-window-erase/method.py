"""Decode without what is known to be encrypted."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from benchmark import jpeg, jpeg2000
from benchmark.errors import CodestreamError, InvalidInputError
from benchmark.interfaces import Attack, Evidence, MaybeSamples

_JPEG_SIGNATURE = b"\xff\xd8\xff"


class KnownWindowErase(Attack):
    """Keeps of every code-block (JPEG: block) what no encrypted byte can have changed."""

    def run(self, evidence: Evidence, *, generator: np.random.Generator) -> MaybeSamples:
        """Images of N protected samples; None where nothing can be decoded."""
        if evidence.windows is None or evidence.algorithm is None:
            raise InvalidInputError("known-window-erase needs the algorithm and the encrypted windows")
        # How JPEG bytes were encrypted; where it is not said, all that they hold counts as lost.
        mode = str(evidence.algorithm["parameters"].get("mode", "raw-scan"))
        spans = evidence.windows[:, :2].tolist()
        return [
            self._erased(data, start, end, mode) for data, (start, end) in zip(evidence.protected, spans, strict=True)
        ]

    def _erased(self, data: bytes, start: int, end: int, mode: str) -> npt.NDArray[np.uint8] | None:
        erase = (start, end) if start < end else None
        try:
            if data.startswith(_JPEG_SIGNATURE):
                return jpeg.decode(data, erase=erase, mode=mode)
            return jpeg2000.decode(data, erase=erase)
        except CodestreamError:
            return None
