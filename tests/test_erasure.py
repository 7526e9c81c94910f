"""Both decoders take bytes and whole numbers; anything else is one clear line."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from pictures import make_picture

from benchmark import jpeg, jpeg2000
from benchmark.errors import InvalidInputError

SAMPLE = make_picture(32, 32)
DECODERS = [(jpeg.decode, jpeg.encode(SAMPLE)), (jpeg2000.decode, jpeg2000.encode(SAMPLE, levels=2))]
both = pytest.mark.parametrize(("decode", "data"), DECODERS, ids=["jpeg", "jpeg2000"])
Decoder = Callable[..., Any]


@both
@pytest.mark.parametrize("erase", [None, (200, 300)])
def test_any_kind_of_bytes(decode: Decoder, data: bytes, erase: tuple[int, int] | None) -> None:
    expected = decode(data, erase=erase)
    for other in (bytearray(data), memoryview(data), memoryview(np.frombuffer(data, np.uint8))):
        assert np.array_equal(decode(other, erase=erase), expected)


@both
@pytest.mark.parametrize("wrong", [None, "a path", 5, [1, 2], np.zeros(4, np.uint8)], ids=type)
def test_what_is_not_bytes(decode: Decoder, data: bytes, wrong: Any) -> None:
    for erase in (None, (1, 2)):
        with pytest.raises(InvalidInputError, match=f"is bytes, not {type(wrong).__name__}$"):
            decode(wrong, erase=erase)


@both
@pytest.mark.parametrize(
    "wrong", [5, (1,), (1, 2, 3), ("a", "b"), (100.5, 300.2), (None, 3), (float("nan"), 3), "ab", "abc", {}]
)
def test_what_is_no_range(decode: Decoder, data: bytes, wrong: Any) -> None:
    with pytest.raises(InvalidInputError, match=r"^erase is first byte and end, two whole numbers, not [^\n]+$"):
        decode(data, erase=wrong)


@both
def test_whole_numbers_of_any_kind(decode: Decoder, data: bytes) -> None:
    expected = decode(data, erase=(200, 300))
    assert np.array_equal(decode(data, erase=np.array([200, 300], np.int32)), expected)
    assert np.array_equal(decode(data, erase=[np.uint16(200), np.int64(300)]), expected)


@pytest.mark.parametrize("wrong", [None, 1, ["jj2000"], "JJ2000"])
def test_rules_and_modes_are_words(wrong: Any) -> None:
    with pytest.raises(InvalidInputError, match="unknown conceal"):
        jpeg2000.decode(DECODERS[1][1], conceal=wrong)
    with pytest.raises(InvalidInputError, match="unknown mode"):
        jpeg.decode(DECODERS[0][1], mode=wrong)
