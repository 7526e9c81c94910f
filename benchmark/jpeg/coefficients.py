"""All quantised coefficients of a JPEG file, as far as they can be read around erased bytes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from benchmark.errors import CodestreamError
from benchmark.jpeg.cipher_loops import MESSAGES
from benchmark.jpeg.entropy_segments import CodedScan, Parsed, mcu_grid
from benchmark.jpeg.huffman import lookup_tables
from benchmark.jpeg.markers import Frame, Scan
from benchmark.jpeg.progressive_loops import read_ac_first, read_ac_more, read_dc
from benchmark.jpeg.scan_loops import ZIGZAG
from benchmark.jpeg.sequential_loops import read_sequential


class Blocks(NamedTuple):
    """Where a component's blocks lie among those of all components, row by row."""

    first: int
    down: int
    across: int


class Coefficients(NamedTuple):
    """Quantised coefficients, and what is not known of them."""

    #: One a component.
    blocks: tuple[Blocks, ...]
    #: int16, blocks x 64, row by row in a block; what was lost is 0.
    values: npt.NDArray[np.int16]
    #: int32, a block each: 0, its DC coefficient is known; else up to a constant that the blocks of a group share.
    groups: npt.NDArray[np.int32]
    #: int32, one a component x 64: the quantiser's steps, in the order of `values`.
    steps: npt.NDArray[np.int32]


def block_layout(frame: Frame) -> tuple[Blocks, ...]:
    """Each component's blocks, as many as whole MCUs of all components hold (A.2.4)."""
    across, down = frame.sampling
    mcus_down, mcus_across = -(-frame.height // (8 * down)), -(-frame.width // (8 * across))
    layout, first = [], 0
    for component in frame.components:
        layout.append(Blocks(first, mcus_down * component.vertical, mcus_across * component.horizontal))
        first += layout[-1].down * layout[-1].across
    return tuple(layout)


def read_coefficients(parsed: Parsed, erased: tuple[int, int] = (0, 0), *, codes_erased: bool = True) -> Coefficients:
    """Read every scan without looking at entropy-coded bytes erased[0]..erased[1] (of `parsed.coded`).

    `codes_erased`: whether Huffman codes in there are lost, and with them all that follows in a segment, or only
    amplitude bits. Of a progressive file later scans are read too, save where they refine what was lost.
    Raises CodestreamError where what can be read is damaged, or where a component has no scan.
    """
    layout = block_layout(parsed.frame)
    total = layout[-1].first + layout[-1].down * layout[-1].across
    values = np.zeros((total, 64), dtype=np.int16)
    groups = np.zeros(total, dtype=np.int32)
    lost = np.zeros(total, dtype=np.uint64)
    steps: dict[int, tuple[int, ...]] = {}
    for scan in parsed.scans:
        for number in _numbers(scan):
            steps.setdefault(number, _steps(parsed.frame, scan, number))
        _read_scan(parsed, scan, layout, (8 * erased[0], 8 * erased[1], codes_erased), values, groups, lost)
    if len(steps) < len(layout):
        raise CodestreamError("JPEG: a component has no scan")
    natural = np.empty((len(layout), 64), dtype=np.int32)
    for number, zigzag in steps.items():
        natural[number, ZIGZAG] = zigzag
    return Coefficients(layout, values, groups, natural)


def _numbers(scan: CodedScan) -> list[int]:
    assert scan.state.scan is not None
    return [part.number for part in scan.state.scan.components]


def _steps(frame: Frame, scan: CodedScan, number: int) -> tuple[int, ...]:
    """The quantiser's steps, zigzag: those that hold when a component's first scan begins."""
    found = scan.state.quantisation[frame.components[number].quantisation]
    if found is None:
        raise CodestreamError("JPEG: a component's quantisation table was not defined")
    return found


def _read_scan(
    parsed: Parsed,
    coded_scan: CodedScan,
    layout: tuple[Blocks, ...],
    erased: tuple[int, int, bool],
    values: npt.NDArray[np.int16],
    groups: npt.NDArray[np.int32],
    lost: npt.NDArray[np.uint64],
) -> None:
    scan = coded_scan.state.scan
    assert scan is not None
    down, across = mcu_grid(parsed.frame, scan)
    places, components = _places(parsed.frame, scan, layout)
    tables = lookup_tables(coded_scan.state.huffman)
    segments = parsed.segments[coded_scan.first : coded_scan.end]
    interval = coded_scan.state.restart_interval or down * across
    grid = parsed.coded, segments, down * across, across, interval, places
    erased_bits = erased[:2]
    if not parsed.frame.progressive:
        status, at = read_sequential(*grid, components, tables, *erased, values, groups)
    elif scan.first == 0:
        status, at = read_dc(*grid, components, tables, *erased_bits, scan.high, scan.low, values, groups)
    else:
        read = read_ac_first if scan.high == 0 else read_ac_more
        status, at = read(*grid, tables, *erased_bits, scan.first, scan.last, scan.low, values, lost)
    if status:
        raise CodestreamError(f"JPEG at entropy-coded byte {at}: {MESSAGES[status]}")


def _places(
    frame: Frame, scan: Scan, layout: tuple[Blocks, ...]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Where the blocks of a scan's MCUs go, and whose they are: see scan_loops."""
    rows, owners = [], []
    for index, part in enumerate(scan.components):
        component, blocks = frame.components[part.number], layout[part.number]
        interleaved = len(scan.components) > 1
        width, height = (component.horizontal, component.vertical) if interleaved else (1, 1)
        for y in range(height):
            for x in range(width):
                rows.append((blocks.first, blocks.across, width, height, x, y, part.dc, 4 + part.ac))
                owners.append(index)
    return np.array(rows, dtype=np.int64), np.array(owners, dtype=np.int64)
