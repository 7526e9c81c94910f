"""Where a JPEG file's entropy-coded segments lie, and their bytes without the stuffed zeros.

A scan is one entropy-coded segment, or several with restart markers between them; in it every byte FF is followed by a
stuffed 00 (T.81 B.1.1.5), so that markers can be found. All these bytes, of all scans one after another and without
the stuffed ones, are what a window is a percentage of: encryption changes neither how many they are nor where a
segment ends.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from benchmark.errors import CodestreamError
from benchmark.jpeg.markers import SIGNATURE, Frame, Scan, State, next_scan, read_first_segments, read_segments

#: Bytes after the last one that a compiled reader may look at.
PADDING = 8
_FILE_ENDS, _TOO_MANY, _OUT_OF_ORDER = 1, 2, 3
_MESSAGES = {
    _FILE_ENDS: "the file ends within a scan",
    _TOO_MANY: "more restart markers than the scan has restart intervals",
    _OUT_OF_ORDER: "restart markers out of order",
}


class CodedScan(NamedTuple):
    """A scan: what holds in it, and its rows of `Parsed.segments`."""

    state: State
    first: int
    end: int


class Parsed(NamedTuple):
    """A file's frame, scans and entropy-coded bytes."""

    frame: Frame
    scans: tuple[CodedScan, ...]
    #: int64, N x 4: each segment's first byte and end in the file, and in `coded`.
    segments: npt.NDArray[np.int64]
    #: Entropy-coded bytes without stuffed zeros (uint8), and PADDING zeros after them.
    coded: npt.NDArray[np.uint8]
    #: How many entropy-coded bytes there are.
    total: int


@lru_cache(maxsize=64)
def mcu_grid(frame: Frame, scan: Scan) -> tuple[int, int]:
    """How many MCUs a scan has down and across (A.2): of blocks of one component, or of all components' shares."""
    if len(scan.components) == 1:
        height, width = frame.size(frame.components[scan.components[0].number])
        return -(-height // 8), -(-width // 8)
    across, down = frame.sampling
    return -(-frame.height // (8 * down)), -(-frame.width // (8 * across))


def parse(data: bytes) -> Parsed:
    """Parse marker segments and find the entropy-coded bytes; no Huffman code is read yet.

    Raises CodestreamError on a malformed file, and by name on what is not supported.
    """
    if not data.startswith(SIGNATURE):
        what = "is empty" if not data else f"begins with {data[:3].hex().upper()}, not FFD8FF"
        raise CodestreamError(f"no JPEG file: it {what}")
    if len(data) >= 1 << 31:
        raise CodestreamError("JPEG files of 2 GiB and more are not supported")
    array = np.frombuffer(data, dtype=np.uint8)
    coded = np.empty(len(data) + PADDING, dtype=np.uint8)
    state = State()
    scans: list[CodedScan] = []
    rows: list[npt.NDArray[np.int64]] = []
    position, count, total = 2, 0, 0
    while True:
        end, found = next_scan(data, position)
        if not found:
            break
        segments = data[position:end]
        state = read_segments(state, segments) if scans else read_first_segments(segments)
        frame, scan = state.frame, state.scan
        assert frame is not None  # or its SOS would have been refused
        assert scan is not None
        down, across = mcu_grid(frame, scan)
        intervals = -(-down * across // state.restart_interval) if state.restart_interval else 1
        # A restart interval takes at least its marker's two bytes: no more memory than the file is long.
        table = np.empty((min(intervals, len(data)), 4), dtype=np.int64)
        status, position, total, met = find_segments(array, end, coded, total, table)
        if not status and met < intervals:
            raise CodestreamError(f"JPEG at byte {position}: {intervals - met} restart intervals are missing")
        if status:
            raise CodestreamError(f"JPEG at byte {position}: {_MESSAGES[status]}")
        scans.append(CodedScan(state, count, count + met))
        rows.append(table)
        count += met
    if not scans:
        raise CodestreamError("JPEG: no scan before the end of the image (EOI)")
    coded[total : total + PADDING] = 0
    frame = scans[0].state.frame
    assert frame is not None
    return Parsed(frame, tuple(scans), np.concatenate(rows) if len(rows) > 1 else rows[0], coded, total)


@njit(cache=True, nogil=True)
def find_segments(data, start, coded, total, table):  # type: ignore[no-untyped-def]  # numba infers them
    """Copies a scan's bytes from `start` on to coded[total:]; returns (status, end in the file, total, segments met).

    `table` (int64, segments that are expected x 4) takes their extents.
    """
    one, position, out, length = np.uintp(1), np.uintp(start), np.uintp(total), np.uintp(data.size)
    met = 0
    first, first_out = position, out
    while True:
        if position + one >= length:
            return _FILE_ENDS, position, out, met
        value = data[position]
        if value != 0xFF:
            coded[out] = value
            out += one
            position += one
            continue
        if data[position + one] == 0:
            coded[out] = 0xFF
            out += one
            position += np.uintp(2)
            continue
        if met == table.shape[0]:
            return _TOO_MANY, position, out, met
        table[met, 0], table[met, 1], table[met, 2], table[met, 3] = first, position, first_out, out
        met += 1
        # Fill bytes may come before a marker; it is looked at where they end.
        ahead = position
        while ahead < length and data[ahead] == 0xFF:
            ahead += one
        if ahead >= length:
            return _FILE_ENDS, position, out, met
        marker = data[ahead]
        if marker < 0xD0 or marker > 0xD7:
            return 0, position, out, met
        if marker != 0xD0 + ((met - 1) & 7):
            return _OUT_OF_ORDER, position, out, met
        position = ahead + one
        first, first_out = position, out


@njit(cache=True, nogil=True)
def put_back(data, segments, coded, out):  # type: ignore[no-untyped-def]  # numba infers them
    """The file with other entropy-coded bytes in its segments, stuffed anew; returns its length.

    `out` (uint8) has room for the file and all of `coded` once more.
    """
    one, position, count = np.uintp(1), np.uintp(0), np.uintp(0)
    for row in range(segments.shape[0] + 1):
        before = np.uintp(segments[row, 0] if row < segments.shape[0] else data.size)
        while position < before:
            out[count] = data[position]
            count += one
            position += one
        if row == segments.shape[0]:
            return count
        for place in range(segments[row, 2], segments[row, 3]):
            value = coded[np.uintp(place)]
            out[count] = value
            count += one
            if value == 0xFF:
                out[count] = 0
                count += one
        position = np.uintp(segments[row, 1])
    return count


@njit(cache=True, nogil=True)
def place_in_coded(data, segments, position):  # type: ignore[no-untyped-def]  # numba infers them
    """How many entropy-coded bytes begin before `position` in the file; a stuffed zero belongs to the FF before it."""
    for row in range(segments.shape[0]):
        start, end = segments[row, 0], segments[row, 1]
        if position <= start:
            return segments[row, 2]
        if position < end:
            place = segments[row, 2]
            at = start
            while at < position:
                at += 2 if data[at] == 0xFF else 1
                place += 1
            return place
    return segments[-1, 3]


@njit(cache=True, nogil=True)
def place_in_file(data, segments, place):  # type: ignore[no-untyped-def]  # numba infers them
    """Where the entropy-coded byte number `place` stands in the file."""
    for row in range(segments.shape[0]):
        if segments[row, 2] <= place < segments[row, 3]:
            at = segments[row, 0]
            for _ in range(place - segments[row, 2]):
                at += 2 if data[at] == 0xFF else 1
            return at
    return segments[-1, 1]
