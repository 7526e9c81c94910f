"""The format-compliant cipher of jpeg2000-window, broken on purpose: never use it for anything."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from benchmark.crypto import keystream
from benchmark.interfaces import Codestreams, Protector, Samples
from benchmark.jpeg2000 import decode_standard, encode, encrypted_ranges
from benchmark.jpeg2000.cipher_loops import shift
from benchmark.jpeg2000.codestream import parse

WINDOW = {"offset": 0, "size": 12, "window_base": "packet-bodies"}


class KeystreamReused(Protector):
    """Encrypts the first 12 % of the packet bodies of every sample by one keystream."""

    def __init__(self, *, flaw: str) -> None:
        self.flaw = flaw

    def prepare(self, samples: Samples) -> Codestreams:
        return [encode(sample, layers=16, code_block=32, segmentation_symbols=True) for sample in samples]

    def protect(self, prepared: Codestreams, keys: Sequence[bytes], *, generator: np.random.Generator) -> Codestreams:
        return [self._shifted(data, key, 1) for data, key in zip(prepared, keys, strict=True)]

    def recover(self, protected: Codestreams, keys: Sequence[bytes]) -> Samples:
        plain = [self._shifted(data, key, -1) for data, key in zip(protected, keys, strict=True)]
        return np.stack([decode_standard(data) for data in plain])

    def encrypted_ranges(self, protected: Codestreams) -> npt.NDArray[np.int64]:
        return np.array([encrypted_ranges(data, **WINDOW) for data in protected], np.int64)

    def _shifted(self, data: bytes, key: bytes, sign: int) -> bytes:
        parsed = parse(data)
        first, last, _ = encrypted_ranges(data, **WINDOW)
        used = bytes(32) if self.flaw == "no-key" else key
        stream = np.frombuffer(bytearray(keystream(used, 2 * len(data), "the same for every file")), np.uint8)
        assert shift(parsed.data, parsed.table, first, last, stream, sign)
        return parsed.data.tobytes()
