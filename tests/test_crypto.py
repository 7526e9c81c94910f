"""HKDF against RFC 5869, AES-256-CTR against NIST SP 800-38A, and the rules on top of them."""

from __future__ import annotations

import pytest
from Crypto.Cipher import AES
from Crypto.Hash import SHA256
from Crypto.Protocol.KDF import HKDF

from benchmark.crypto import derive_key, hkdf_expand, hkdf_extract, keystream
from benchmark.errors import InvalidInputError

# RFC 5869, appendix A.1, A.2 and A.3: secret, salt, info, length, output.
RFC_5869 = [
    (
        b"\x0b" * 22,
        bytes(range(13)),
        bytes(range(0xF0, 0xFA)),
        42,
        "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
    ),
    (
        bytes(range(0x50)),
        bytes(range(0x60, 0xB0)),
        bytes(range(0xB0, 0x100)),
        82,
        "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09"
        "da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87",
    ),
    (
        b"\x0b" * 22,
        b"",
        b"",
        42,
        "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8",
    ),
]


@pytest.mark.parametrize(("secret", "salt", "info", "length", "expected"), RFC_5869)
def test_hkdf_matches_rfc_5869(secret: bytes, salt: bytes, info: bytes, length: int, expected: str) -> None:
    assert hkdf_expand(hkdf_extract(salt, secret), info, length).hex() == expected


def test_hkdf_equals_pycryptodome() -> None:
    for length in (1, 32, 33, 8160):
        ours = hkdf_expand(hkdf_extract(b"", b"k" * 32), b"label", length)
        assert ours == HKDF(b"k" * 32, length, b"", SHA256, context=b"label")
    with pytest.raises(InvalidInputError, match="8160"):
        hkdf_expand(b"k", b"", 8161)


def test_derived_keys_are_expanded_from_the_label() -> None:
    assert derive_key(bytes(32), "sample", "ab") == hkdf_expand(bytes(32), b"6:sample,2:ab,")


def test_keystream_is_aes_256_ctr_of_nist_sp_800_38a() -> None:
    # SP 800-38A, F.5.5: the first block is AES(key, initial counter) XOR plaintext. The cipher that keystream() uses
    # must give it, and keystream() must equal AES(key, 0), AES(key, 1), ... block by block.
    key = bytes.fromhex("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4")
    counter = bytes.fromhex("f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff")
    plain = bytes.fromhex("6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51")
    cipher = AES.new(key, AES.MODE_CTR, nonce=b"", initial_value=counter).encrypt(plain)
    assert cipher.hex() == "601ec313775789a5b7a7f504bbf3d228f443e3ca4d62b59aca84e990cacaf5c5"

    block = AES.new(derive_key(key, "purpose"), AES.MODE_ECB)
    blocks = b"".join(block.encrypt(number.to_bytes(16, "big")) for number in range(4))
    assert keystream(key, 60, "purpose") == blocks[:60]


def test_labels_separate_keys() -> None:
    master = bytes(32)
    labels = [("a",), ("a", ""), ("a", "b"), ("ab",), ("", "ab"), ("1:a,",), ()]
    assert len({derive_key(master, *label) for label in labels}) == len(labels)
    assert derive_key(master, "a") != derive_key(bytes(31) + b"\x01", "a")


@pytest.mark.parametrize("key", [b"", bytes(16), bytes(31), bytes(33)])
def test_wrong_key_length_is_one_clear_line(key: bytes) -> None:
    with pytest.raises(InvalidInputError, match=rf"32 bytes long, this one has {len(key)}") as caught:
        keystream(key, 16, "a")
    assert "\n" not in str(caught.value)


def test_wrong_key_type_is_named() -> None:
    with pytest.raises(InvalidInputError, match="not str"):
        derive_key("0" * 32, "a")  # type: ignore[arg-type]  # what a careless caller does


def test_negative_length_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="-1"):
        keystream(bytes(32), -1, "a")
