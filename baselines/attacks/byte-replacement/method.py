"""Replace the encrypted bytes by zeros and hand the rest to a standard decoder."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from benchmark.errors import CodestreamError, InvalidInputError
from benchmark.interfaces import Attack, Evidence, MaybeSamples
from benchmark.jpeg2000 import decode_standard, packets
from benchmark.jpeg2000.boxes import unwrapped
from benchmark.render import render


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
        except CodestreamError:  # where packets lie is not known in every file that a viewer shows
            return render([data])[0]


def replaced(file: bytes, start: int, end: int) -> bytes:
    """The codestream or JP2 file with zeros for all packet-body bytes in start..end; a zero never makes a marker."""
    codestream, before = unwrapped(file)
    table = packets(codestream)
    steps = np.zeros(len(file) + 1, np.int8)
    # Empty bodies begin where they end, so both have to count: add.at, not assignment.
    np.add.at(steps, before + table["body"], 1)
    np.add.at(steps, before + table["end"], -1)
    inside = np.cumsum(steps[:-1], dtype=np.int8) > 0
    inside[:start] = False
    inside[end:] = False
    data = np.frombuffer(file, np.uint8).copy()
    data[inside] = 0
    return data.tobytes()
