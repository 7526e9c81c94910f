"""Arguments that the decoders of both formats take: a file, and the range of its bytes that shall not be believed."""

from __future__ import annotations

import operator
from typing import Any

from benchmark.errors import InvalidInputError


def file_bytes(data: Any) -> bytes:
    """The bytes of a file that was handed over as bytes, bytearray or memoryview; else InvalidInputError.

    >>> file_bytes(bytearray(b"ab"))
    b'ab'
    """
    if isinstance(data, bytes):
        return data
    if not isinstance(data, bytearray | memoryview):
        raise InvalidInputError(f"a file to decode is bytes, not {type(data).__name__}")
    return bytes(data)


def erased_range(erase: Any, size: int) -> tuple[int, int]:
    """First byte and end (exclusive) of an erased range, as whole numbers within a file of `size` bytes.

    Raises InvalidInputError for anything else.

    >>> erased_range((3, 5), 9)
    (3, 5)
    """
    try:
        start, stop = (int(operator.index(place)) for place in erase)
    except (TypeError, ValueError):
        raise InvalidInputError(f"erase is first byte and end, two whole numbers, not {erase!r:.60}") from None
    if not 0 <= start <= stop <= size:
        raise InvalidInputError(f"erase is first byte and end within the {size} bytes given, not {start} and {stop}")
    return start, stop
