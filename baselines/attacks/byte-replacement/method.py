"""Replace the encrypted bytes by zeros and hand the rest to a standard decoder."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from benchmark.errors import CodestreamError, InvalidInputError
from benchmark.interfaces import Attack, Evidence, MaybeSamples
from benchmark.jpeg2000 import decode_standard, packets


class ByteReplacement(Attack):
    """Zeros in place of all packet-body bytes inside the window; headers stay, so the file stays decodable."""

    def run(self, evidence: Evidence, *, generator: np.random.Generator) -> MaybeSamples:
        """Images of N protected samples; None where nothing can be decoded."""
        if evidence.windows is None:
            raise InvalidInputError("byte-replacement needs the encrypted windows")
        spans = evidence.windows[:, :2].tolist()
        return [self._shown(data, start, end) for data, (start, end) in zip(evidence.protected, spans, strict=True)]

    def _shown(self, data: bytes, start: int, end: int) -> npt.NDArray[np.uint8] | None:
        try:
            return decode_standard(replaced(data, start, end))
        except CodestreamError:
            return None


def replaced(codestream: bytes, start: int, end: int) -> bytes:
    """The codestream with zeros for all packet-body bytes in start..end; a zero never makes a marker."""
    table = packets(codestream)
    steps = np.zeros(len(codestream) + 1, np.int8)
    # Empty bodies begin where they end, so both have to count: add.at, not assignment.
    np.add.at(steps, table["body"], 1)
    np.add.at(steps, table["end"], -1)
    inside = np.cumsum(steps[:-1], dtype=np.int8) > 0
    inside[:start] = False
    inside[end:] = False
    data = np.frombuffer(codestream, np.uint8).copy()
    data[inside] = 0
    return data.tobytes()
