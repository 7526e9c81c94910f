"""A JPEG decoder that leaves erased bytes out: what an attacker sees who knows the window and drops what it touched."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from benchmark.compiling import compiling
from benchmark.erasure import erased_range, file_bytes
from benchmark.errors import unknown
from benchmark.jpeg.cipher import MODES
from benchmark.jpeg.coefficients import Coefficients, read_coefficients
from benchmark.jpeg.completion import complete_dc
from benchmark.jpeg.entropy_segments import Parsed, parse, place_in_coded
from benchmark.jpeg.progressive_loops import read_ac_first, read_ac_more, read_dc
from benchmark.jpeg.reconstruction import factors, samples_of_blocks, to_picture, upsampled
from benchmark.jpeg.sequential_loops import read_sequential


def decode(data: bytes, *, erase: tuple[int, int] | None = None, mode: str = "raw-scan") -> npt.NDArray[np.uint8]:
    """The picture (uint8, H x W x 3) without what bytes erase[0]..erase[1] of the file say.

    `mode` is how these bytes were encrypted. `raw-scan`: Huffman codes in them are lost. The blocks behind them are
    found again (see `resynchronisation`), save in progressive scans of DC coefficients or that refine what was lost:
    these are dropped up to the next restart marker or their end. `amplitude-bits`: the codes are in clear, so only
    coefficients with bits in these bytes are lost. Lost coefficients are 0; lost DC coefficients are completed from the
    blocks around (see `completion`). The result depends on no bit that was erased.

    Without `erase` it is, bit for bit, what libjpeg-turbo shows, which decodes faster (`decode_standard`).
    Raises CodestreamError on a damaged file, InvalidInputError on an impossible range.

    >>> from benchmark.jpeg import decode_standard, encode
    >>> data = encode(np.arange(768, dtype=np.uint8).reshape(16, 16, 3))
    >>> bool((decode(data) == decode_standard(data)).all())
    True
    """
    if not isinstance(mode, str) or mode not in MODES:
        raise unknown("mode", str(mode), MODES)
    data = file_bytes(data)
    parsed = parse(data)
    loops = (read_dc, read_ac_first, read_ac_more) if parsed.frame.progressive else (read_sequential,)
    with compiling("JPEG decoder", loops):
        return _decoded(data, parsed, erase, mode)


def _decoded(data: bytes, parsed: Parsed, erase: tuple[int, int] | None, mode: str) -> npt.NDArray[np.uint8]:
    found = read_coefficients(parsed, _erased(data, parsed, erase), codes_erased=mode == "raw-scan")
    planes = []
    largest = parsed.frame.sampling
    for number, component in enumerate(parsed.frame.components):
        across, down = factors(largest, (component.horizontal, component.vertical))
        height, width = parsed.frame.size(component)
        plane = upsampled(_samples(found, number)[:height, :width], across, down)
        planes.append(plane[: parsed.frame.height, : parsed.frame.width])
    return to_picture(planes, transformed=_transformed(parsed))


def _erased(data: bytes, parsed: Parsed, erase: tuple[int, int] | None) -> tuple[int, int]:
    """The erased range in entropy-coded bytes."""
    if erase is None:
        return 0, 0
    array = np.frombuffer(data, dtype=np.uint8)
    first, last = (place_in_coded(array, parsed.segments, place) for place in erased_range(erase, len(data)))
    return first, last


def _samples(found: Coefficients, number: int) -> npt.NDArray[np.uint8]:
    """A component's samples, of whole blocks (uint8)."""
    blocks = found.blocks[number]
    own = slice(blocks.first, blocks.first + blocks.down * blocks.across)
    values = found.values[own] * found.steps[number]
    if found.groups[own].any():
        complete_dc(values, found.groups[own], blocks.across)
    plane = np.empty((8 * blocks.down, 8 * blocks.across), dtype=np.uint8)
    samples_of_blocks(values, blocks.across, plane)
    return plane


def _transformed(parsed: Parsed) -> bool:
    """Whether three components are YCbCr, by libjpeg's rules: JFIF, then Adobe's word, then the identifiers."""
    state = parsed.scans[0].state
    if state.jfif:
        return True
    if state.adobe >= 0:
        return state.adobe != 0
    return bytes(component.identifier for component in parsed.frame.components) != b"RGB"
