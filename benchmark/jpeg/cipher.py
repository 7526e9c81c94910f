"""Format-compliant encryption of a window of a JPEG file's entropy-coded bytes: standard decoders decode the result.

Two modes. `amplitude-bits` (sequential frames): the bits that say sign and magnitude of each coefficient are XORed; all
Huffman codes stay in clear, so every decoder finds every coefficient where it was, with another value of the same
number of bits. The bytes are stuffed anew, which may change the file's length by a few. `raw-scan` (progressive frames
too): bytes are shifted modulo 255 and bytes FF stay, so that no marker can appear and no length changes; Huffman codes
are lost, and a decoder shows what the noise happens to say.

The keystream is AES-256-CTR under a key derived from the sample's key, the window, the mode and a digest of all that
stays in clear: two files share a keystream only where they agree in everything that is not encrypted.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from benchmark.crypto import keystream
from benchmark.errors import CodestreamError, InvalidInputError, unknown
from benchmark.jpeg.cipher_loops import MESSAGES, extent, mark_amplitudes, shift
from benchmark.jpeg.entropy_segments import CodedScan, Parsed, mcu_grid, parse, place_in_file, put_back
from benchmark.jpeg.huffman import lookup_tables

#: What is encrypted inside a window.
MODES = ("amplitude-bits", "raw-scan")


def encrypt(data: bytes, *, key: bytes, offset: float, size: float, mode: str) -> bytes:
    """Encrypt the entropy-coded bytes of a JPEG file inside a window; standard decoders still decode it.

    `key`: 32 bytes, of this sample alone. `offset`, `size`: percent of the entropy-coded bytes of all scans, stuffed
    zeros not counted; a window's ends are rounded to whole bytes. `mode`: `amplitude-bits` or `raw-scan`.

    Raises InvalidInputError on a wrong key, window or mode, CodestreamError on a malformed file.

    >>> from benchmark.jpeg import encode
    >>> plain = encode(np.arange(768, dtype=np.uint8).reshape(16, 16, 3))
    >>> window = {"key": bytes(32), "offset": 0, "size": 50, "mode": "raw-scan"}
    >>> encrypted = encrypt(plain, **window)
    >>> encrypted != plain, decrypt(encrypted, **window) == plain
    (True, True)
    """
    return _transform(data, key, offset, size, mode, 1)


def decrypt(data: bytes, *, key: bytes, offset: float, size: float, mode: str) -> bytes:
    """The inverse of `encrypt` with the same arguments.

    A wrong key is not noticed: nothing is authenticated, and the result is a file that decodes to noise.
    """
    return _transform(data, key, offset, size, mode, -1)


def encrypted_ranges(data: bytes, offset: float, size: float, mode: str) -> tuple[int, int, int]:
    """What is encrypted in a file: first byte, end (exclusive), and how many bytes hold an encrypted bit.

    Positions are of the file that is given: stuffing makes those of a plain file and its `amplitude-bits` twin differ
    a little. A window that holds nothing gives (0, 0, 0).
    """
    parsed = parse(data)
    begin, end = _window(parsed, offset, size, mode)
    first, last, count = extent(_mask(parsed, begin, end, mode))
    if count == 0:
        return 0, 0, 0
    array = np.frombuffer(data, dtype=np.uint8)
    # A byte FF takes its stuffed zero along, but in `raw-scan` neither is encrypted.
    return (
        place_in_file(array, parsed.segments, begin + first),
        place_in_file(array, parsed.segments, begin + last - 1) + 1,
        count,
    )


def _transform(data: bytes, key: bytes, offset: float, size: float, mode: str, sign: int) -> bytes:
    parsed = parse(data)
    begin, end = _window(parsed, offset, size, mode)
    mask = _mask(parsed, begin, end, mode)
    window = parsed.coded[begin:end]
    hidden = window & mask
    window ^= hidden
    label = "jpeg entropy-coded bytes", _window_label(offset, size, mode), _digest(data, parsed)
    window |= hidden
    if mode == "amplitude-bits":
        stream = np.frombuffer(keystream(key, end - begin, *label), dtype=np.uint8)
        window ^= stream & mask
    else:
        # One keystream byte in 256 is passed over: seldom is more needed.
        length = end - begin + (end - begin) // 64 + 64
        kept = window.copy()
        while not shift(window, 0, len(window), np.frombuffer(keystream(key, length, *label), dtype=np.uint8), sign):
            window[:] = kept
            length *= 2
    out = np.empty(len(data) + parsed.total, dtype=np.uint8)
    return out[: put_back(np.frombuffer(data, np.uint8), parsed.segments, parsed.coded, out)].tobytes()


def _mask(parsed: Parsed, begin: int, end: int, mode: str) -> npt.NDArray[np.uint8]:
    """The bits that are encrypted of the entropy-coded bytes in begin..end (uint8, one a byte)."""
    if mode == "raw-scan":
        return np.where(parsed.coded[begin:end] == 0xFF, np.uint8(0), np.uint8(0xFF))
    if parsed.frame.progressive:
        raise InvalidInputError("amplitude-bits is for sequential JPEG files, this one is progressive; take raw-scan")
    mask = np.zeros(end, dtype=np.uint8)
    for scan in parsed.scans:
        rows = parsed.segments[scan.first : scan.end]
        if begin < rows[-1, 3] and rows[0, 2] < end:
            status, place = _mark(parsed, scan, begin, min(end, int(rows[-1, 3])), mask)
            if status:
                raise CodestreamError(f"JPEG at entropy-coded byte {place}: {MESSAGES[status]}")
    return mask[begin:]


def _mark(parsed: Parsed, scan: CodedScan, begin: int, end: int, mask: npt.NDArray[np.uint8]) -> tuple[int, int]:
    assert scan.state.scan is not None
    down, across = mcu_grid(parsed.frame, scan.state.scan)
    found: tuple[int, int] = mark_amplitudes(
        parsed.coded,
        parsed.segments[scan.first : scan.end],
        down * across,
        scan.state.restart_interval or down * across,
        _table_rows(scan),
        lookup_tables(scan.state.huffman),
        begin,
        end,
        mask,
    )
    return found


def _table_rows(coded_scan: CodedScan) -> npt.NDArray[np.int64]:
    """For each block of an MCU the rows of its DC and AC table (int64, N x 2)."""
    frame, scan = coded_scan.state.frame, coded_scan.state.scan
    assert frame is not None
    assert scan is not None
    rows = []
    for part in scan.components:
        component = frame.components[part.number]
        blocks = component.horizontal * component.vertical if len(scan.components) > 1 else 1
        rows += [(part.dc, 4 + part.ac)] * blocks
    return np.array(rows, dtype=np.int64)


def _digest(data: bytes, parsed: Parsed) -> str:
    """SHA-256 of all that stays in clear, in hex; what is encrypted has been set to zero in `parsed.coded`."""
    digest = hashlib.sha256(parsed.coded[: parsed.total].data)
    position = 0
    for start, end, first, last in parsed.segments.tolist():
        digest.update(data[position:start])
        # Lengths, so that bytes cannot move between a segment and what stands around it.
        digest.update(b"%d %d;" % (last - first, start - position))
        position = end
    digest.update(data[position:])
    return digest.hexdigest()


def _window(parsed: Parsed, offset: float, size: float, mode: str) -> tuple[int, int]:
    """First byte and end of a window, in entropy-coded bytes."""
    _window_label(offset, size, mode)
    return round(parsed.total * offset / 100), round(parsed.total * (offset + size) / 100)


@lru_cache(maxsize=256)
def _window_label(offset: float, size: float, mode: str) -> str:
    """A window in words, checked."""
    check_window(offset, size, mode)
    return f"{float(offset)!r} {float(size)!r} {mode}"


def check_window(offset: float, size: float, mode: str) -> None:
    """Raises InvalidInputError unless a window in percent lies within the entropy-coded bytes, in a known mode.

    >>> check_window(97, 4, "raw-scan")
    Traceback (most recent call last):
    benchmark.errors.InvalidInputError: the window reaches past the end: offset 97 % + size 4 % is over 100 %
    """
    if mode not in MODES:
        raise unknown("mode", mode, MODES)
    if not (0 <= offset <= 100 and 0 <= size <= 100):
        raise InvalidInputError(f"a window's offset and size are 0 to 100 %, not {offset} and {size}")
    if offset + size > 100:
        raise InvalidInputError(f"the window reaches past the end: offset {offset:g} % + size {size:g} % is over 100 %")
