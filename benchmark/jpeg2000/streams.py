"""OpenJPEG streams over memory, and a collector for what its error handler says."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from benchmark.errors import CodestreamError, InvalidInputError
from benchmark.jpeg2000.library import MESSAGE, READ, SEEK, SKIP

_END = ctypes.c_size_t(-1).value
#: One write call for a face's codestream; OpenJPEG's own default of 1 MiB costs page faults.
_WRITE_BUFFER = 1 << 16


class Complaints:
    """Collects the first error message of one codec; OpenJPEG prints nothing by itself."""

    def __init__(self, library: Any, codec: int) -> None:
        self.first = ""
        # The callback must live as long as the codec.
        self._callback = MESSAGE(self._note)
        library.opj_set_error_handler(codec, self._callback, None)

    def _note(self, message: bytes, _: object) -> None:
        self.first = self.first or message.decode("utf-8", "replace").strip().replace("\n", " ")

    def check(self, done: int, what: str, error: type[InvalidInputError] = CodestreamError) -> None:
        """Raises where OpenJPEG returned false."""
        if not done:
            raise error(f"OpenJPEG could not {what}: {self.first or 'it gives no reason'}")


@contextmanager
def reader(library: Any, data: bytes) -> Iterator[int]:
    """An input stream over bytes, destroyed on leaving."""
    source = ctypes.cast(ctypes.c_char_p(data), ctypes.c_void_p).value
    length = len(data)
    position = 0

    def read(buffer: int, wanted: int, _: object) -> int:
        nonlocal position
        count = min(wanted, length - position)
        if count <= 0:
            return _END
        ctypes.memmove(buffer, source + position, count)  # type: ignore[operator]  # never None for a bytes object
        position += count
        return count

    def skip(count: int, _: object) -> int:
        nonlocal position
        before = position
        position = min(max(position + count, 0), length)
        return position - before if position != before or count == 0 else -1

    def seek(target: int, _: object) -> int:
        nonlocal position
        if not 0 <= target <= length:
            return 0
        position = target
        return 1

    with _stream(library, True, length, read, skip, seek) as stream:
        library.opj_stream_set_user_data_length(stream, length)
        yield stream


@contextmanager
def writer(library: Any, output: bytearray) -> Iterator[int]:
    """An output stream into a bytearray, destroyed on leaving."""
    position = 0

    def write(buffer: int, count: int, _: object) -> int:
        nonlocal position
        output[position : position + count] = ctypes.string_at(buffer, count)
        position += count
        return count

    def skip(count: int, _: object) -> int:
        nonlocal position
        if position + count < 0:
            return -1
        position += count
        output.extend(bytes(max(position - len(output), 0)))
        return count

    def seek(target: int, _: object) -> int:
        nonlocal position
        if not 0 <= target <= len(output):
            return 0
        position = target
        return 1

    with _stream(library, False, _WRITE_BUFFER, write, skip, seek) as stream:
        yield stream


@contextmanager
def _stream(
    library: Any, reads: bool, buffer: int, move: Callable[..., int], skip: Callable[..., int], seek: Callable[..., int]
) -> Iterator[int]:
    callbacks = READ(move), SKIP(skip), SEEK(seek)
    stream = library.opj_stream_create(max(buffer, 16), reads)
    if not stream:
        raise MemoryError("OpenJPEG could not create a stream")
    try:
        (library.opj_stream_set_read_function if reads else library.opj_stream_set_write_function)(stream, callbacks[0])
        library.opj_stream_set_skip_function(stream, callbacks[1])
        library.opj_stream_set_seek_function(stream, callbacks[2])
        # Without user data OpenJPEG would not know the length of an input stream.
        library.opj_stream_set_user_data(stream, None, None)
        yield stream
    finally:
        library.opj_stream_destroy(stream)
