"""The whole codestream under AES-256-GCM: nothing but its length is left."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from Crypto.Cipher import AES

from benchmark.crypto import derive_key
from benchmark.errors import InvalidInputError
from benchmark.interfaces import Codestreams, MaybeSamples, Protector, Samples
from benchmark.jpeg2000 import decode_standard, encode

NONCE_BYTES, TAG_BYTES = 12, 16


class AesFull(Protector):
    """Lossless JPEG 2000, encrypted and authenticated as a whole: nonce (12 bytes), ciphertext, tag (16 bytes)."""

    def __init__(self, **coder: Any) -> None:
        self.coder = coder

    def prepare(self, samples: Samples) -> Codestreams:
        """Lossless codestreams."""
        return [encode(sample, **self.coder) for sample in samples]

    def protect(self, prepared: Codestreams, keys: Sequence[bytes], *, generator: np.random.Generator) -> Codestreams:
        """Encrypt and authenticate each codestream whole."""
        return [seal(data, key) for data, key in zip(prepared, keys, strict=True)]

    def recover(self, protected: Codestreams, keys: Sequence[bytes]) -> MaybeSamples:
        """Check, decrypt and decode; None where the key is wrong or the file was changed."""
        return [_recovered(data, key) for data, key in zip(protected, keys, strict=True)]

    def encrypted_ranges(self, protected: Codestreams) -> npt.NDArray[np.int64]:
        """All but the nonce and the tag."""
        ends = [(NONCE_BYTES, len(data) - TAG_BYTES, len(data) - TAG_BYTES - NONCE_BYTES) for data in protected]
        return np.array(ends, dtype=np.int64).reshape(-1, 3)


def _recovered(data: bytes, key: bytes) -> npt.NDArray[np.uint8] | None:
    try:
        return decode_standard(unseal(data, key))
    except InvalidInputError:
        return None


def seal(plain: bytes, key: bytes) -> bytes:
    """AES-256-GCM with a synthetic nonce, so that a nonce repeats under a key only where the plaintext does."""
    nonce = hmac.digest(derive_key(key, "aes-full", "nonce"), plain, "sha256")[:NONCE_BYTES]
    cipher = AES.new(derive_key(key, "aes-full", "encryption"), AES.MODE_GCM, nonce=nonce, mac_len=TAG_BYTES)
    ciphertext, tag = cipher.encrypt_and_digest(plain)
    return nonce + ciphertext + tag


def unseal(data: bytes, key: bytes) -> bytes:
    """The inverse of `seal`; raises InvalidInputError where the tag does not fit."""
    if len(data) < NONCE_BYTES + TAG_BYTES:
        raise InvalidInputError(f"{len(data)} bytes are no AES-256-GCM file: it has a nonce of 12 and a tag of 16")
    nonce, ciphertext, tag = data[:NONCE_BYTES], data[NONCE_BYTES:-TAG_BYTES], data[-TAG_BYTES:]
    cipher = AES.new(derive_key(key, "aes-full", "encryption"), AES.MODE_GCM, nonce=nonce, mac_len=TAG_BYTES)
    try:
        return cipher.decrypt_and_verify(ciphertext, tag)
    except ValueError:
        raise InvalidInputError("AES-256-GCM: wrong key, or the file was changed") from None
