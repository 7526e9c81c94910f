"""Checks of what a submission returned: counts, shapes, types, ranges; the reason names what was wrong."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from benchmark.errors import SubmissionFailedError
from benchmark.interfaces import Codestreams, Learned, Protected, Samples, Templates
from benchmark.npz import Arrays, FrameError, decode_batch

#: No template is longer than this.
_MOST_DIMENSIONS = 1 << 16
#: No codestream is larger than its sample by more than this factor, or than 64 KiB if that is more.
_MOST_EXPANSION = 16


class Outcome(NamedTuple):
    """N results, and which of them are failures to process."""

    #: uint8, N x H x W x 3, or float32, N x D; zeros where failed.
    values: npt.NDArray[Any]
    #: bool, N.
    failed: npt.NDArray[np.bool_]


def images(call: str, kind: str, arrays: Arrays, count: int, shape: tuple[int, ...]) -> Outcome:
    """N images of one shape, some of which may be missing."""
    if kind not in ("array", "images"):
        raise _wrong(call, kind, "images")
    failed = arrays.get("failed", np.zeros(count, bool))
    _expect(call, failed, (count,), np.dtype(bool), "images")
    values = arrays.get("result", np.zeros((count, *shape), np.uint8))
    _expect(call, values, (count, *shape), np.dtype(np.uint8), "images")
    return Outcome(values, failed)


def samples(call: str, kind: str, arrays: Arrays, count: int, shape: tuple[int, ...]) -> Samples:
    """N images of one shape, all of them there."""
    outcome = images(call, kind, arrays, count, shape)
    if outcome.failed.any():
        raise SubmissionFailedError(f"{call}() returned None for {int(outcome.failed.sum())} of {count} samples")
    return outcome.values


def codestreams(call: str, kind: str, arrays: Arrays, count: int, shape: tuple[int, ...]) -> Codestreams:
    """N files, none empty, none larger than 16 times its sample."""
    if kind != "bytes":
        raise _wrong(call, kind, "a list of bytes")
    try:
        items = decode_batch(arrays, "result")
    except FrameError as error:
        raise SubmissionFailedError(f"{call}(): {error}") from None
    if len(items) != count or not isinstance(items, list):
        raise SubmissionFailedError(f"{call}() returned {len(items)} codestreams for {count} samples")
    most = max(_MOST_EXPANSION * int(np.prod(shape)), 1 << 16)
    for number, item in enumerate(items):
        if not 0 < len(item) <= most:
            raise SubmissionFailedError(f"{call}(): codestream {number} has {len(item)} bytes; 1 to {most} are allowed")
    return items


def templates(call: str, kind: str, arrays: Arrays, count: int) -> Templates:
    """N finite templates: float32, N x D."""
    values = _array(call, kind, arrays, "an array of templates")
    if values.ndim != 2 or not 0 < values.shape[1] <= _MOST_DIMENSIONS:
        raise SubmissionFailedError(f"{call}() returned an array of shape {values.shape}; N x D is expected")
    _expect(call, values, (count, values.shape[1]), np.dtype(np.float32), "templates")
    _expect_finite(call, values)
    return values


def protected(call: str, kind: str, arrays: Arrays, count: int, shape: tuple[int, ...], domain: str) -> Protected:
    """Protected samples as the domain declares them."""
    if domain == "codestream":
        return codestreams(call, kind, arrays, count, shape)
    return templates(call, kind, arrays, count) if domain == "template" else samples(call, kind, arrays, count, shape)


def ranges(call: str, kind: str, arrays: Arrays, files: Codestreams) -> npt.NDArray[np.int64]:
    """The encrypted window of each file: int64, N x 3: first byte, end, bytes encrypted between them."""
    values = _array(call, kind, arrays, "an array")
    _expect(call, values, (len(files), 3), np.dtype(np.int64), "ranges")
    start, end, encrypted = values.T
    sizes = np.array([len(file) for file in files], np.int64)
    outside = (start < 0) | (end < start) | (end > sizes) | (encrypted < 0) | (encrypted > end - start)
    if outside.any():
        number = int(np.argmax(outside))
        raise SubmissionFailedError(
            f"{call}(): {values[number].tolist()} is no range of codestream {number}, which has {sizes[number]} bytes"
        )
    return values


def scores(call: str, kind: str, arrays: Arrays, count: int) -> npt.NDArray[np.float64]:
    """N finite scores."""
    values = _array(call, kind, arrays, "an array of scores")
    if values.dtype.kind != "f" or values.shape != (count,):
        raise SubmissionFailedError(f"{call}() returned {values.dtype} {values.shape}; {count} floats are expected")
    _expect_finite(call, values)
    return values.astype(np.float64)


def score_matrix(call: str, kind: str, arrays: Arrays, shape: tuple[int, int]) -> npt.NDArray[np.float32]:
    """N x M finite scores, in the precision of score sets."""
    values = _array(call, kind, arrays, "an array of scores")
    if values.dtype.kind != "f" or values.shape != shape:
        count = f"{shape[0]} x {shape[1]}"
        raise SubmissionFailedError(f"{call}() returned {values.dtype} {values.shape}; {count} floats are expected")
    with np.errstate(over="ignore"):
        scores = np.asarray(values, np.float32)
    _expect_finite(call, scores)
    return scores


def learned(call: str, kind: str, arrays: Arrays, header: Mapping[str, Any]) -> Learned:
    """Named arrays of finite numbers."""
    names = header.get("names")
    if kind != "named" or not isinstance(names, list) or len(set(map(str, names))) != len(names):
        raise _wrong(call, kind, "a dict of arrays")
    found = {str(name)[:200]: arrays.get(f"learned.{place}") for place, name in enumerate(names)}
    if any(array is None for array in found.values()):
        raise _wrong(call, kind, "a dict of arrays")
    for array in found.values():
        _expect_finite(call, array)
    return {name: array for name, array in found.items() if array is not None}


def _array(call: str, kind: str, arrays: Arrays, expected: str) -> npt.NDArray[Any]:
    if kind != "array" or "result" not in arrays:
        raise _wrong(call, kind, expected)
    return arrays["result"]


def _expect(call: str, values: npt.NDArray[Any], shape: tuple[int, ...], dtype: np.dtype[Any], what: str) -> None:
    if values.dtype != dtype or values.shape != shape:
        raise SubmissionFailedError(
            f"{call}() returned {what} of {values.dtype} {values.shape}; {dtype} {shape} is expected"
        )


def _expect_finite(call: str, values: npt.NDArray[Any] | None) -> None:
    if values is not None and values.dtype.kind == "f" and not np.isfinite(values).all():
        bad = int(np.count_nonzero(~np.isfinite(values)))
        raise SubmissionFailedError(f"{call}() returned NaN or infinity in {bad} of {values.size} values")


def _wrong(call: str, kind: str, expected: str) -> SubmissionFailedError:
    names = {"none": "nothing", "array": "an array", "bytes": "bytes", "images": "a list of images", "named": "a dict"}
    return SubmissionFailedError(f"{call}() returned {names.get(kind, 'something else')}; {expected} is expected")
