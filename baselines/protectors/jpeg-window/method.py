"""Selective encryption of JPEG samples: a window of the entropy-coded bytes, format-compliant."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmark.errors import InvalidInputError
from benchmark.interfaces import Codestreams, Protector, Samples
from benchmark.jpeg import check_window, decode_standard, decrypt, encode, encrypt, encrypted_ranges


class JpegWindow(Protector):
    """JPEG whose entropy-coded bytes are encrypted from `offset` % on, `size` % long."""

    def __init__(self, *, offset: float, size: float, mode: str, **coder: Any) -> None:
        check_window(offset, size, mode)
        if mode == "amplitude-bits" and coder["progressive"]:
            raise InvalidInputError("mode amplitude-bits is for baseline files; with progressive: true take raw-scan")
        self.window: dict[str, Any] = {"offset": offset, "size": size, "mode": mode}
        self.coder = coder

    def prepare(self, samples: Samples) -> Codestreams:
        """JPEG files: what is lost of a sample is lost here."""
        return [encode(sample, **self.coder) for sample in samples]

    def protect(self, prepared: Codestreams, keys: Sequence[bytes], *, generator: np.random.Generator) -> Codestreams:
        """Encrypt the window; every standard decoder still decodes it."""
        return [encrypt(data, key=key, **self.window) for data, key in zip(prepared, keys, strict=True)]

    def recover(self, protected: Codestreams, keys: Sequence[bytes]) -> Samples:
        """Decrypt and decode: exactly the picture that the prepared file shows under the right key, noise else."""
        plain = [decrypt(data, key=key, **self.window) for data, key in zip(protected, keys, strict=True)]
        return np.stack([decode_standard(data) for data in plain])

    def encrypted_ranges(self, protected: Codestreams) -> npt.NDArray[np.int64]:
        """First byte, end, and bytes that hold encrypted bits, of each file."""
        return np.array([encrypted_ranges(data, **self.window) for data in protected], dtype=np.int64).reshape(-1, 3)
