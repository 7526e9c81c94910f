"""Marker segments of a JPEG file: what they say about the frame, its scans and the tables that each scan uses.

Everything is read from the bytes themselves, before any memory is taken for an image. Supported: baseline, extended
sequential and progressive frames with Huffman coding and 8 bits a sample, grey or three components, any number of
scans, restart markers. Everything else is refused by its name. Source: ISO/IEC 10918-1 (ITU-T T.81) annex B.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from benchmark.errors import CodestreamError

SOI, EOI, SOS, DQT, DHT, DRI, APP0, APP14 = 0xD8, 0xD9, 0xDA, 0xDB, 0xC4, 0xDD, 0xE0, 0xEE
SIGNATURE = b"\xff\xd8\xff"
MAX_PIXELS = 1 << 22  # as for JPEG 2000: a face sample is far smaller
_SEQUENTIAL, _PROGRESSIVE = (0xC0, 0xC1), 0xC2
_REFUSED = {
    0xC3: "lossless frames (SOF3)",
    0xC5: "hierarchical frames (SOF5)",
    0xC6: "hierarchical frames (SOF6)",
    0xC7: "hierarchical frames (SOF7)",
    0xC8: "JPEG extensions (JPG)",
    0xC9: "arithmetic coding (SOF9)",
    0xCA: "arithmetic coding (SOF10)",
    0xCB: "arithmetic coding (SOF11)",
    0xCC: "arithmetic coding (DAC)",
    0xCD: "arithmetic coding (SOF13)",
    0xCE: "arithmetic coding (SOF14)",
    0xCF: "arithmetic coding (SOF15)",
    0xDC: "a number of lines given after the scan (DNL)",
    0xDE: "hierarchical frames (DHP)",
    0xDF: "hierarchical frames (EXP)",
}


class Component(NamedTuple):
    """One component of the frame: its identifier, sampling factors and quantisation table (B.2.2)."""

    identifier: int
    horizontal: int
    vertical: int
    quantisation: int


class Frame(NamedTuple):
    """What SOF says (B.2.2)."""

    progressive: bool
    height: int
    width: int
    components: tuple[Component, ...]

    @property
    def sampling(self) -> tuple[int, int]:
        """The largest horizontal and vertical sampling factors."""
        return max(c.horizontal for c in self.components), max(c.vertical for c in self.components)

    def size(self, component: Component) -> tuple[int, int]:
        """Height and width of a component in samples (A.1.1)."""
        across, down = self.sampling
        return -(-self.height * component.vertical // down), -(-self.width * component.horizontal // across)


class ScanComponent(NamedTuple):
    """A component of a scan: its number in the frame and its Huffman tables (B.2.3)."""

    number: int
    dc: int
    ac: int


class Scan(NamedTuple):
    """What SOS says (B.2.3): components, spectral selection and successive approximation."""

    components: tuple[ScanComponent, ...]
    first: int
    last: int
    high: int
    low: int


class State(NamedTuple):
    """All that was said up to a point of the file; a scan is decoded with what holds at its SOS."""

    frame: Frame | None = None
    scan: Scan | None = None
    restart_interval: int = 0
    #: Quantisation tables 0..3, each 64 steps in zigzag order.
    quantisation: tuple[tuple[int, ...] | None, ...] = (None,) * 4
    #: Huffman tables, DC 0..3 and then AC 0..3: 16 counts and the values.
    huffman: tuple[bytes | None, ...] = (None,) * 8
    jfif: bool = False
    #: The colour transform of an Adobe segment; -1 where there is none.
    adobe: int = -1


def next_scan(data: bytes, position: int) -> tuple[int, bool]:
    """Walks marker segments from `position` to the end of the next SOS segment; False and its place at EOI instead.

    Raises CodestreamError on truncation and on bytes that are no marker.
    """
    length = len(data)
    while True:
        if position + 2 > length or data[position] != 0xFF:
            what = "the file ends before EOI" if position + 2 > length else "expected a marker"
            raise CodestreamError(f"JPEG at byte {min(position, length)}: {what}")
        marker = data[position + 1]
        if marker == 0xFF:  # fill byte (B.1.1.2)
            position += 1
            continue
        if marker == EOI:
            return position, False
        if marker <= 1 or 0xD0 <= marker <= 0xD8:
            raise CodestreamError(f"JPEG at byte {position}: marker FF{marker:02X} does not belong here")
        end = position + 2 + int.from_bytes(data[position + 2 : position + 4], "big")
        if end < position + 4 or end > length:
            raise CodestreamError(f"JPEG at byte {position}: the segment of marker FF{marker:02X} is cut short")
        position = end
        if marker == SOS:
            return position, True


@lru_cache(maxsize=64)
def read_first_segments(segments: bytes) -> State:
    """The state after all marker segments up to the first SOS; remembered, since an encoder's files begin alike."""
    return read_segments(State(), segments)


def read_segments(state: State, segments: bytes) -> State:
    """The state after some marker segments, of which the last one is SOS.

    Raises CodestreamError, by name on what is not supported.
    """
    position = 0
    while position < len(segments):
        marker = segments[position + 1]
        if marker == 0xFF:
            position += 1
            continue
        end = position + 2 + int.from_bytes(segments[position + 2 : position + 4], "big")
        if marker in _REFUSED:
            raise CodestreamError(f"not supported in JPEG files: {_REFUSED[marker]}")
        try:
            state = _read_segment(state, marker, segments[position + 4 : end])
        except IndexError:
            raise CodestreamError(f"JPEG: the segment of marker FF{marker:02X} is too short") from None
        position = end
    return state


def _read_segment(state: State, marker: int, body: bytes) -> State:
    if marker in _SEQUENTIAL or marker == _PROGRESSIVE:
        if state.frame is not None:
            raise CodestreamError("JPEG: more than one frame")
        return state._replace(frame=_frame(marker, body))
    if marker == DHT:
        return state._replace(huffman=_huffman(state.huffman, body))
    if marker == DQT:
        return state._replace(quantisation=_quantisation(state.quantisation, body))
    if marker == DRI:
        return state._replace(restart_interval=body[0] << 8 | body[1])
    if marker == SOS:
        return state._replace(scan=_checked_scan(state, body))
    if marker == APP0 and body.startswith(b"JFIF\0"):
        return state._replace(jfif=True)
    if marker == APP14 and body.startswith(b"Adobe") and len(body) >= 12:
        return state._replace(adobe=body[11])
    return state


# Progressive files differ in their Huffman tables, but the rest of what they say is worth remembering too.
@lru_cache(maxsize=64)
def _frame(marker: int, body: bytes) -> Frame:
    precision, height, width, count = body[0], body[1] << 8 | body[2], body[3] << 8 | body[4], body[5]
    if precision != 8:
        raise CodestreamError(f"not supported in JPEG files: {precision} bits a sample; only 8 are")
    if height == 0:
        raise CodestreamError(f"not supported in JPEG files: {_REFUSED[0xDC]}")
    if width == 0 or width * height > MAX_PIXELS:
        raise CodestreamError(f"JPEG: {width} x {height} pixels; 1 to {MAX_PIXELS} are supported")
    if count not in (1, 3):
        raise CodestreamError(f"not supported in JPEG files: {count} components; only 1 and 3 are")
    components = tuple(
        Component(body[at], body[at + 1] >> 4, body[at + 1] & 15, body[at + 2]) for at in range(6, 6 + 3 * count, 3)
    )
    for component in components:
        if not (1 <= component.horizontal <= 4 and 1 <= component.vertical <= 4 and component.quantisation <= 3):
            raise CodestreamError("JPEG: impossible sampling factors or quantisation table in SOF")
    if len({component.identifier for component in components}) < count:
        raise CodestreamError("JPEG: two components with one identifier")
    if count == 1:  # sampling factors mean nothing then (A.2.2)
        components = (components[0]._replace(horizontal=1, vertical=1),)
    return Frame(marker == _PROGRESSIVE, height, width, components)


def _huffman(tables: tuple[bytes | None, ...], body: bytes) -> tuple[bytes | None, ...]:
    found, position = list(tables), 0
    while position < len(body):
        kind, number = body[position] >> 4, body[position] & 15
        counts = body[position + 1 : position + 17]
        values = body[position + 17 : position + 17 + sum(counts)]
        if kind > 1 or number > 3 or len(counts) < 16 or len(values) < sum(counts):
            raise CodestreamError("JPEG: a damaged Huffman table (DHT)")
        found[4 * kind + number] = counts + values
        position += 17 + len(values)
    return tuple(found)


@lru_cache(maxsize=64)
def _quantisation(tables: tuple[tuple[int, ...] | None, ...], body: bytes) -> tuple[tuple[int, ...] | None, ...]:
    found, position = list(tables), 0
    while position < len(body):
        width, number = 1 + (body[position] >> 4), body[position] & 15
        steps = body[position + 1 : position + 1 + 64 * width]
        if width > 2 or number > 3 or len(steps) < 64 * width:
            raise CodestreamError("JPEG: a damaged quantisation table (DQT)")
        found[number] = tuple(int.from_bytes(steps[at : at + width], "big") for at in range(0, 64 * width, width))
        position += 1 + 64 * width
    return tuple(found)


def _checked_scan(state: State, body: bytes) -> Scan:
    if state.frame is None:
        raise CodestreamError("JPEG: a scan before the frame's header (SOF)")
    scan = _scan(state.frame, body)
    uses_dc, uses_ac = scan.first == 0 and scan.high == 0, scan.last > 0
    for part in scan.components:
        if (uses_dc and state.huffman[part.dc] is None) or (uses_ac and state.huffman[4 + part.ac] is None):
            raise CodestreamError("JPEG: a scan uses a Huffman table that was not defined")
    return scan


@lru_cache(maxsize=64)
def _scan(frame: Frame, body: bytes) -> Scan:
    numbers = {component.identifier: number for number, component in enumerate(frame.components)}
    count = body[0]
    parts = []
    for at in range(1, 1 + 2 * count, 2):
        dc, ac = body[at + 1] >> 4, body[at + 1] & 15
        if body[at] not in numbers or dc > 3 or ac > 3:
            raise CodestreamError("JPEG: a scan of unknown components or tables")
        parts.append(ScanComponent(numbers[body[at]], dc, ac))
    first, last, high, low = (
        body[1 + 2 * count],
        body[2 + 2 * count],
        body[3 + 2 * count] >> 4,
        body[3 + 2 * count] & 15,
    )
    scan = Scan(tuple(parts), first, last, high, low)
    blocks = sum(frame.components[part.number].horizontal * frame.components[part.number].vertical for part in parts)
    if not parts or len({part.number for part in parts}) < count or (count > 1 and blocks > 10):
        raise CodestreamError("JPEG: a scan of no component, of one twice, or of more than 10 blocks an MCU")
    if frame.progressive:
        possible = low <= 13 and high in (0, low + 1) and (last == 0 if first == 0 else count == 1)
        if not (possible and first <= last <= 63):
            raise CodestreamError("JPEG: an impossible progressive scan")
    elif (first, last, high, low) != (0, 63, 0, 0):
        raise CodestreamError("JPEG: spectral selection or successive approximation in a sequential frame")
    return scan
