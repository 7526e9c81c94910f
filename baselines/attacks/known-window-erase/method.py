"""Decode without what is known to be encrypted."""

from __future__ import annotations

from contextlib import suppress
from functools import partial

import numpy as np
import numpy.typing as npt

from benchmark import jpeg, jpeg2000
from benchmark.errors import CodestreamError, InvalidInputError
from benchmark.interfaces import Attack, Evidence, MaybeSamples
from benchmark.render import render

_JPEG_SIGNATURE = b"\xff\xd8\xff"


class KnownWindowErase(Attack):
    """Keeps of every code-block (JPEG: block) what no encrypted byte can have changed."""

    def run(self, evidence: Evidence, *, generator: np.random.Generator) -> MaybeSamples:
        """Images of N protected samples; None where nothing can be decoded."""
        if evidence.windows is None or evidence.algorithm is None:
            raise InvalidInputError("known-window-erase needs the algorithm and the encrypted windows")
        # How JPEG bytes were encrypted. Where it is not said, or means something else: all that they hold is lost.
        said = evidence.algorithm["parameters"].get("mode")
        mode = said if said in jpeg.MODES else "raw-scan"
        spans = evidence.windows[:, :2].tolist()
        return [
            self._erased(data, start, end, mode) for data, (start, end) in zip(evidence.protected, spans, strict=True)
        ]

    def _erased(self, data: bytes, start: int, end: int, mode: str) -> npt.NDArray[np.uint8] | None:
        erase = (start, end) if start < end else None
        if not data.startswith(_JPEG_SIGNATURE):
            attempts = [lambda: jpeg2000.decode(data, erase=erase)]
        else:
            # Codes that are said to be in clear, and are not, seldom decode.
            modes = dict.fromkeys((mode, "raw-scan"))
            attempts = [partial(jpeg.decode, data, erase=erase, mode=each) for each in modes]
        for attempt in attempts:
            with suppress(CodestreamError):
                return attempt()
        return render([data])[0]  # ours decode less than a viewer does
