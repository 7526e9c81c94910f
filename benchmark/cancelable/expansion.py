"""Random bits that a key names, for transforms that choose something under it.

Not `benchmark.crypto.keystream`: setting AES up costs a sixth of a warp, hashing a fiftieth, and nothing is encrypted.
"""

from __future__ import annotations

import hashlib

from benchmark.crypto import KEY_BYTES
from benchmark.errors import InvalidInputError


def expand(key: bytes, length: int, *label: str) -> bytes:
    """`length` bytes of SHAKE256 (FIPS 202) over the label's parts, with their lengths, and a 32-byte key.

    Raises InvalidInputError on a key of another length.

    >>> expand(bytes(32), 8, "ab", "c") == expand(bytes(32), 8, "a", "bc")
    False
    """
    if len(key) != KEY_BYTES:
        raise InvalidInputError(f"a key is {KEY_BYTES} bytes long, this one has {len(key)}")
    named = "".join([f"{len(part)}:{part}," for part in label]).encode()
    return hashlib.shake_256(named + key).digest(length)
