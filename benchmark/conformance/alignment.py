"""A plain file laid beside its protected twin, byte by byte, whatever a protector may have put around the picture."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from benchmark.compliance import format_of
from benchmark.errors import CodestreamError
from benchmark.jpeg.entropy_segments import parse as parse_jpeg
from benchmark.jpeg2000 import packets
from benchmark.jpeg2000.markers import codestream_of

Bytes = npt.NDArray[np.uint8]
#: First byte and end of an encrypted range.
Window = tuple[int, int]


class Laid(NamedTuple):
    """Bytes of a plain and a protected file that stand for each other, and where these lie in the protected one."""

    plain: Bytes
    cipher: Bytes
    #: Offsets in the protected file (int64, ascending).
    at: npt.NDArray[np.int64]

    def changed(self) -> npt.NDArray[np.int64]:
        """Offsets in the protected file of the bytes that differ."""
        changed: npt.NDArray[np.int64] = self.at[self.plain != self.cipher]
        return changed

    def start(self, window: Window) -> int:
        """The first byte of a range, counted in `cipher`."""
        return int(np.searchsorted(self.at, window[0]))


def lay_beside(plain: bytes, cipher: bytes, window: Window) -> Laid | None:
    """The bytes that stand for each other; None where the two files cannot be compared.

    JPEG 2000: all packets, so that segments and boxes around them do not matter; both files must have the same ones.
    JPEG: the entropy-coded segments without stuffed zeros, likewise. Anything else: files of one length as they are;
    else the encrypted range may be the whole plain file, with a nonce and a tag around it.

    >>> lay_beside(b"face", b"nonce****tag", (5, 9)).changed().tolist()
    [5, 6, 7, 8]
    """
    kind = format_of(plain)
    if kind is None or kind != format_of(cipher):
        if len(plain) != len(cipher) and window[1] - window[0] != len(plain):
            return None
        first = 0 if len(plain) == len(cipher) else window[0]
        return _laid((plain, np.arange(len(plain))), (cipher, np.arange(first, first + len(plain))))
    find = _packet_bytes if kind == "jpeg2000" else _entropy_coded_bytes
    try:
        (lengths, own), (other_lengths, other) = find(plain), find(cipher)
    except CodestreamError:
        return None
    return _laid((plain, own), (cipher, other)) if np.array_equal(lengths, other_lengths) else None


def _laid(plain: tuple[bytes, npt.NDArray[np.int64]], cipher: tuple[bytes, npt.NDArray[np.int64]]) -> Laid:
    values = [np.frombuffer(data, np.uint8)[at] for data, at in (plain, cipher)]
    return Laid(values[0], values[1], cipher[1])


def _packet_bytes(data: bytes) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Lengths of all packet headers and bodies (N x 2), and the offsets of their bytes in the file."""
    codestream = codestream_of(data)
    table = packets(codestream)
    starts, bodies, ends = (table[name].astype(np.int64) for name in ("start", "body", "end"))
    at = np.concatenate([np.arange(start, end) for start, end in zip(starts, ends, strict=True)])
    return np.stack([bodies - starts, ends - bodies], axis=1), at + data.index(codestream)


def _entropy_coded_bytes(data: bytes) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Lengths of all entropy-coded segments (N), and the offsets of their bytes in the file, without stuffed zeros."""
    segments, array = parse_jpeg(data).segments, np.frombuffer(data, np.uint8)
    stuffed = np.r_[False, (array[1:] == 0) & (array[:-1] == 0xFF)]
    at = np.concatenate([np.arange(start, end) for start, end in segments[:, :2]])
    return segments[:, 3] - segments[:, 2], at[~stuffed[at]]
