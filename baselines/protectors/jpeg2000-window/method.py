"""Selective encryption of JPEG 2000 samples: a window of the codestream's packet bodies, format-compliant."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmark.interfaces import Codestreams, Protector, Samples
from benchmark.jpeg2000 import check_window, decode_standard, decrypt, encode, encrypt, encrypted_ranges


class Jpeg2000Window(Protector):
    """Lossless JPEG 2000 whose packet bodies are encrypted from `offset` % on, `size` % long."""

    def __init__(self, *, offset: float, size: float, window_base: str, **coder: Any) -> None:
        check_window(offset, size, window_base)
        self.window: dict[str, Any] = {"offset": offset, "size": size, "window_base": window_base}
        self.coder = coder

    def prepare(self, samples: Samples) -> Codestreams:
        """Lossless codestreams."""
        return [encode(sample, **self.coder) for sample in samples]

    def protect(self, prepared: Codestreams, keys: Sequence[bytes], *, generator: np.random.Generator) -> Codestreams:
        """Encrypt the window; as long as before, and every standard decoder still decodes it."""
        return [encrypt(data, key=key, **self.window) for data, key in zip(prepared, keys, strict=True)]

    def recover(self, protected: Codestreams, keys: Sequence[bytes]) -> Samples:
        """Decrypt and decode: exact under the right key, noise under another."""
        plain = [decrypt(data, key=key, **self.window) for data, key in zip(protected, keys, strict=True)]
        return np.stack([decode_standard(data) for data in plain])

    def encrypted_ranges(self, protected: Codestreams) -> npt.NDArray[np.int64]:
        """First byte, end, and bytes really encrypted, of each codestream."""
        return np.array([encrypted_ranges(data, **self.window) for data in protected], dtype=np.int64).reshape(-1, 3)
