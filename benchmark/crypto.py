"""Key derivation and keystreams: HKDF-SHA256 and AES-256-CTR.

The harness derives one key per sample, subject or system from its master key, and a protector derives the key of every
keystream from that. A label says what a key is for; two keystreams never share one.
"""

from __future__ import annotations

import hmac
from functools import lru_cache

from Crypto.Cipher import AES

from benchmark.errors import InvalidInputError

KEY_BYTES = 32


def hkdf_extract(salt: bytes, secret: bytes) -> bytes:
    """HKDF-SHA256's first step (RFC 5869, 2.2): a uniformly random key out of a secret that is not one."""
    return hmac.digest(salt or bytes(32), secret, "sha256")


def hkdf_expand(key: bytes, info: bytes, length: int = KEY_BYTES) -> bytes:
    r"""HKDF-SHA256's second step (RFC 5869, 2.3): `length` bytes (1..8160) that `info` names under a random key.

    Written out over `hmac`: one key costs 2 microseconds where pycryptodome's HKDF takes 28, and every protected sample
    needs two.

    >>> hkdf_expand(hkdf_extract(b"", b"\x0b" * 22), b"").hex()[:16]  # RFC 5869, test case 3
    '8da4e775a563c18f'
    """
    if not 1 <= length <= 255 * 32:
        raise InvalidInputError(f"HKDF-SHA256 gives 1 to 8160 bytes, not {length}")
    output = block = hmac.digest(key, info + b"\x01", "sha256")
    for counter in range(2, -(-length // 32) + 1):
        block = hmac.digest(key, block + info + bytes([counter]), "sha256")
        output += block
    return output[:length]


def derive_key(master: bytes, *label: str) -> bytes:
    """The 32-byte key that `label` names under a 32-byte master key, by HKDF-SHA256.

    The label's parts are joined with their lengths, so that ("ab", "c") and ("a", "bc") give different keys. A master
    key is 32 random bytes, so there is nothing to extract (RFC 5869, 3.3). Raises InvalidInputError on a master key of
    another length.

    >>> derive_key(bytes(32), "sample", "ab", "c") == derive_key(bytes(32), "sample", "a", "bc")
    False
    """
    _check_key(master)
    return hkdf_expand(master, "".join([f"{len(part)}:{part}," for part in label]).encode())


def keystream(key: bytes, length: int, *label: str) -> bytes:
    """`length` bytes of AES-256-CTR under the key that `label` names.

    Counter and nonce start at zero: the label alone keeps keystreams apart, so one label must never serve two
    different plaintexts. A longer keystream of the same label begins with the shorter one.

    >>> keystream(bytes(32), 64, "a")[:16] == keystream(bytes(32), 16, "a") != keystream(bytes(32), 16, "b")
    True
    """
    if length < 0:
        raise InvalidInputError(f"a keystream's length is 0 bytes or more, not {length}")
    # CTR is ECB over the counter (SP 800-38A, 6.5); setting up pycryptodome's own CTR takes 2 microseconds longer.
    blocks = -(-length // 16)
    counters = _counters(-(-blocks // 256) * 256)[: 16 * blocks]
    return AES.new(derive_key(key, *label), AES.MODE_ECB).encrypt(counters)[:length]


@lru_cache(maxsize=32)
def _counters(count: int) -> bytes:
    """The counter blocks 0 .. count - 1, 16 bytes each."""
    return b"".join(number.to_bytes(16, "big") for number in range(count))


def _check_key(key: bytes) -> None:
    if not isinstance(key, bytes):
        raise InvalidInputError(f"a key is {KEY_BYTES} bytes, not {type(key).__name__}")
    if len(key) != KEY_BYTES:
        raise InvalidInputError(
            f"a key is {KEY_BYTES} bytes long, this one has {len(key)}; derive it with derive_key()"
        )
