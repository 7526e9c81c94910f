"""Learn a keystream from one's own files, and decrypt others' by it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmark.errors import CodestreamError, InvalidInputError
from benchmark.interfaces import Attack, Evidence, Learned, MaybeSamples, TrainingPairs
from benchmark.jpeg2000 import decode, decode_with_report, encode
from benchmark.jpeg2000.boxes import unwrapped
from benchmark.jpeg2000.cipher_loops import shift
from benchmark.jpeg2000.coder import coder_of
from benchmark.jpeg2000.codestream import parse
from benchmark.jpeg2000.keystream_recovery import UNKNOWN, learn_draws
from benchmark.jpeg2000.markers import main_header, main_header_bytes
from benchmark.jpeg2000.window_search import window_in
from benchmark.render import render


class KeystreamReuse(Attack):
    """Decrypts where the keystream of the attacker's own files fits, and else erases the window."""

    def __init__(self) -> None:
        self.draws = np.empty(0, np.uint8)

    def fit(self, training: TrainingPairs, *, generator: np.random.Generator) -> Learned:
        """The keystream that the attacker's own files share, as far as it is known; empty where they share none."""
        evidence = training.evidence
        if evidence.windows is None or evidence.algorithm is None:
            raise InvalidInputError("keystream-reuse needs the algorithm and the encrypted windows")
        parameters = evidence.algorithm["parameters"]
        spans = evidence.windows[:, :2].tolist()
        twins = [
            _twin(original, hidden, start, end, parameters)
            for original, hidden, (start, end) in zip(training.originals, evidence.protected, spans, strict=True)
        ]
        return {"draws": learn_draws([twin for twin in twins if twin is not None])}

    def restore(self, learned: Learned) -> None:
        """Take up the keystream, up to the first draw that is not known."""
        draws = learned["draws"]
        unknown = np.flatnonzero(draws == UNKNOWN)
        self.draws = draws[: unknown[0] if len(unknown) else None].astype(np.uint8)

    def run(self, evidence: Evidence, *, generator: np.random.Generator) -> MaybeSamples:
        """Images of N protected samples; None where nothing can be decoded."""
        if evidence.windows is None:
            raise InvalidInputError("keystream-reuse needs the encrypted windows")
        spans = evidence.windows[:, :2].tolist()
        return [self._shown(data, start, end) for data, (start, end) in zip(evidence.protected, spans, strict=True)]

    def _shown(self, data: bytes, start: int, end: int) -> npt.NDArray[np.uint8] | None:
        try:
            plain = self._decrypted(data, start, end) if start < end else data
            return decode(plain) if plain is not None else decode(data, erase=(start, end))
        except CodestreamError:  # ours decodes less than a viewer does
            return render([data])[0]

    def _decrypted(self, data: bytes, start: int, end: int) -> bytes | None:
        """The file under the learned keystream; None where that is too short or does not fit."""
        codestream, before = unwrapped(data)
        parsed = parse(codestream)
        if not len(self.draws) or not shift(parsed.data, parsed.table, start - before, end - before, self.draws, -1):
            return None
        plain = parsed.data.tobytes()
        # Whether it fits shows without any original: in the clear, decoder and packet headers agree.
        report = decode_with_report(plain)[1]
        found = window_in(report, main_header(main_header_bytes(plain)).style)
        return data[:before] + plain + data[before + len(plain) :] if found == (0, 0) else None


def _twin(
    original: npt.NDArray[np.uint8], hidden: bytes, start: int, end: int, parameters: Mapping[str, Any]
) -> tuple[bytes, bytes, int, int] | None:
    """Plain and encrypted codestream, first byte and end of the window; None where ours has no coder like that one."""
    try:
        codestream, before = unwrapped(hidden)
        plain = encode(original, **coder_of(codestream, parameters))
    except InvalidInputError:
        return None
    start, end = start - before, end - before
    if not start < end or len(plain) != len(codestream) or plain[:start] != codestream[:start]:
        return None
    return plain, codestream, start, end
