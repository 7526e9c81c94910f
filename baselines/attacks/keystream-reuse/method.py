"""Learn a keystream from one's own files, and decrypt others' by it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from benchmark.errors import CodestreamError, InvalidInputError
from benchmark.interfaces import Attack, Evidence, Learned, MaybeSamples, TrainingPairs
from benchmark.jpeg2000 import decode, decode_with_report, encode
from benchmark.jpeg2000.cipher_loops import shift
from benchmark.jpeg2000.codestream import parse
from benchmark.jpeg2000.keystream_recovery import UNKNOWN, learn_draws
from benchmark.jpeg2000.markers import main_header, main_header_bytes
from benchmark.jpeg2000.window_search import window_in

CODER = ("progression", "layers", "code_block", "levels", "segmentation_symbols")


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
        coder = {name: parameters[name] for name in CODER if name in parameters}
        spans = evidence.windows[:, :2].tolist()
        files = []
        for original, hidden, (start, end) in zip(training.originals, evidence.protected, spans, strict=True):
            plain = encode(original, **coder)
            # Another coder than the one declared: nothing can be laid beside this file.
            if start < end and len(plain) == len(hidden) and plain[:start] == hidden[:start]:
                files.append((plain, hidden, start, end))
        return {"draws": learn_draws(files)}

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
        except CodestreamError:
            return None

    def _decrypted(self, data: bytes, start: int, end: int) -> bytes | None:
        """The file under the learned keystream; None where that is too short or does not fit."""
        parsed = parse(data)
        if not len(self.draws) or not shift(parsed.data, parsed.table, start, end, self.draws, -1):
            return None
        plain = parsed.data.tobytes()
        # Whether it fits shows without any original: in the clear, decoder and packet headers agree.
        report = decode_with_report(plain)[1]
        found = window_in(report, main_header(main_header_bytes(plain)).style)
        return plain if found == (0, 0) else None
