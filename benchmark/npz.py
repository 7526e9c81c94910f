"""Arrays with a JSON header as `npz`, never pickled: between processes, and in the store.

The bytes may come from a submission, so reading takes nothing on trust: no pickle, no compression (a small file cannot
unfold into a huge one), and every size is held against the bytes that are there before an array is made.
"""

from __future__ import annotations

import io
import json
import math
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from benchmark.interfaces import Protected

Arrays: TypeAlias = dict[str, npt.NDArray[Any]]
Buffer: TypeAlias = bytes | bytearray | memoryview

_HEADER = "header"
#: Booleans, integers, floats: no objects, no strings, no records.
_KINDS = "biuf"


class FrameError(ValueError):
    """The bytes are not arrays as `pack` writes them, or an array is of a kind that may not travel."""


def pack(header: Mapping[str, Any], arrays: Mapping[str, npt.NDArray[Any]]) -> bytes:
    """A header (JSON data) and named arrays as the bytes of an uncompressed npz file.

    The bytes depend on the content alone. Raises FrameError for arrays of objects and other kinds than numbers.

    >>> unpack(pack({"n": 2}, {"x": np.arange(2)}))
    ({'n': 2}, {'x': array([0, 1])})
    """
    head = np.frombuffer(json.dumps(header, sort_keys=True, allow_nan=False).encode(), np.uint8)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, array in {_HEADER: head, **{f"a:{name}": array for name, array in arrays.items()}}.items():
            if not isinstance(array, np.ndarray) or array.dtype.kind not in _KINDS:
                kind = array.dtype if isinstance(array, np.ndarray) else type(array).__name__
                raise FrameError(f"{name.removeprefix('a:')} is an array of {kind}, not of numbers")
            # A fixed date keeps equal content equal; force_zip64 lets an entry be of any size.
            with archive.open(zipfile.ZipInfo(f"{name}.npy"), "w", force_zip64=True) as entry:
                np.lib.format.write_array(entry, array, allow_pickle=False)
    return file.getvalue()


def unpack(data: Buffer) -> tuple[dict[str, Any], Arrays]:
    """The header and arrays of `pack`; they share the memory of `data`, and are writable where it is.

    Raises FrameError for anything else.
    """
    try:
        view = memoryview(data).cast("B")
        with zipfile.ZipFile(io.BytesIO(view)) as archive:
            found = {entry.filename.removesuffix(".npy"): _array(view, entry) for entry in archive.infolist()}
        header = json.loads(found.pop(_HEADER).tobytes())
    except FrameError:
        raise
    except Exception as error:  # zipfile, json and numpy raise a dozen kinds on hostile bytes
        raise FrameError(f"not an npz file as expected ({type(error).__name__}: {error})") from None
    if not isinstance(header, dict):
        raise FrameError("the header is not a JSON object")
    return header, {name.removeprefix("a:"): array for name, array in found.items()}


def _array(view: memoryview, entry: zipfile.ZipInfo) -> npt.NDArray[Any]:
    if entry.compress_type != zipfile.ZIP_STORED or entry.flag_bits & 1:
        raise FrameError(f"{entry.filename} is compressed or encrypted")
    local = view[entry.header_offset : entry.header_offset + 30]  # the names' lengths there may differ from the index's
    start = entry.header_offset + 30 + int.from_bytes(local[26:28], "little") + int.from_bytes(local[28:30], "little")
    body = view[start : start + entry.file_size]
    head = io.BytesIO(body[:4096])
    version = np.lib.format.read_magic(head)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, fortran, dtype = read(head, max_header_size=4000)
    if dtype.kind not in _KINDS:
        raise FrameError(f"{entry.filename} is an array of {dtype}, not of numbers")
    content = body[head.tell() :]
    if any(length < 0 for length in shape) or math.prod(shape) * dtype.itemsize != len(content):
        raise FrameError(f"{entry.filename} says {shape} of {dtype}, but holds {len(content)} bytes")
    array = np.frombuffer(content, dtype).reshape(shape, order="F" if fortran else "C")
    return array if array.flags.aligned else array.copy()


def join_bytes(items: Sequence[bytes]) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """N byte strings as one buffer (uint8) and N + 1 offsets (int64).

    >>> join_bytes([b"ab", b""])
    (array([97, 98], dtype=uint8), array([0, 2, 2]))
    """
    offsets = np.cumsum([0, *(len(item) for item in items)], dtype=np.int64)
    return np.frombuffer(b"".join(items), np.uint8), offsets


def split_bytes(buffer: npt.NDArray[np.uint8], offsets: npt.NDArray[np.int64]) -> list[bytes]:
    """The inverse of `join_bytes`; raises FrameError for offsets that do not cut the buffer."""
    fits = buffer.dtype == np.uint8 and offsets.dtype == np.int64 and buffer.ndim == offsets.ndim == 1 and len(offsets)
    if not fits or offsets[0] != 0 or offsets[-1] != len(buffer) or (np.diff(offsets) < 0).any():
        raise FrameError("offsets do not fit the buffer of codestreams")
    whole = buffer.tobytes()
    return [whole[start:end] for start, end in zip(offsets[:-1].tolist(), offsets[1:].tolist(), strict=True)]


def encode_batch(batch: Protected, name: str = "batch") -> Arrays:
    """Samples, templates or codestreams as named arrays: `batch`, or `batch.bytes` and `batch.offsets`."""
    if isinstance(batch, np.ndarray):
        return {name: batch}
    buffer, offsets = join_bytes(batch)
    return {f"{name}.bytes": buffer, f"{name}.offsets": offsets}


def decode_batch(arrays: Mapping[str, npt.NDArray[Any]], name: str = "batch") -> Protected:
    """The inverse of `encode_batch`; other arrays beside it do not matter. Raises FrameError where none is there.

    >>> decode_batch(encode_batch([b"ab", b"c"]))
    [b'ab', b'c']
    """
    if name in arrays:
        return arrays[name]
    try:
        return split_bytes(arrays[f"{name}.bytes"], arrays[f"{name}.offsets"])
    except KeyError:
        raise FrameError(f"no {name} among the arrays") from None
