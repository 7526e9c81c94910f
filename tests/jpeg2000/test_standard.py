"""What a standard decoder shows, and what it refuses."""

from __future__ import annotations

import io
import struct
import time
from pathlib import Path

import numpy as np
import pytest
from pictures import make_picture
from PIL import Image

from benchmark.errors import CodestreamError
from benchmark.jpeg2000 import decode_standard, encode


def test_equals_jj2000_without_concealment(shared_oracles: Path) -> None:
    folder = shared_oracles / "j2k_concealment"
    encrypted = sorted(folder.glob("*.enc.j2k"))
    assert len(encrypted) >= 14
    for path in encrypted:
        expected = np.asarray(Image.open(path.with_name(path.name.replace(".enc.j2k", ".jjoff.png"))))
        assert np.array_equal(decode_standard(path.read_bytes()), expected), path.name


def test_truncated_streams_are_errors() -> None:
    codestream = encode(make_picture(48, 48), levels=3, layers=3)
    for length in range(0, len(codestream), 37):
        with pytest.raises(CodestreamError):
            decode_standard(codestream[:length])


def sized(codestream: bytes, width: int, height: int, tile: int | None = None) -> bytes:
    """The same codestream with another image size in SIZ (T.800 A.5.1), and another tile size."""
    tiles = (tile or width, tile or height)
    return (
        codestream[:8]
        + struct.pack(">2I", width, height)
        + codestream[16:24]
        + struct.pack(">2I", *tiles)
        + codestream[32:]
    )


@pytest.mark.parametrize(
    ("width", "height", "tile", "says"),
    [
        (0xFFFFFFFF, 0xFFFFFFFF, None, "pixels"),
        (65536, 65536, None, "pixels"),
        (2048, 2048, 1, "tiles"),
        (0, 16, None, "impossible image area"),
    ],
)
def test_absurd_sizes_are_refused_before_memory_is_taken(width: int, height: int, tile: int | None, says: str) -> None:
    codestream = sized(encode(make_picture(16, 16), levels=1), width, height, tile)
    started = time.perf_counter()
    with pytest.raises(CodestreamError, match=says):
        decode_standard(codestream)
    assert time.perf_counter() - started < 0.5


@pytest.mark.parametrize("mode", ["L", "LA", "RGBA", "I;16"])
def test_other_pictures_are_shown_too(mode: str) -> None:
    sample = make_picture(40, 48)
    grey = np.asarray(Image.fromarray(sample).convert("L"))
    shown = (
        Image.fromarray(grey.astype(np.uint16) << 8 | 77) if mode == "I;16" else Image.fromarray(sample).convert(mode)
    )
    file = io.BytesIO()
    shown.save(file, format="JPEG2000", irreversible=False)
    expected = sample if mode == "RGBA" else np.repeat(grey[..., None], 3, axis=2)
    assert np.array_equal(decode_standard(file.getvalue()), expected)


def test_other_bytes_are_refused_by_their_beginning() -> None:
    for data in (b"", b"\xff", b"\xff\xd8\xff\xe0 JPEG", b"\xff\x4f\xff\x51"):
        with pytest.raises(CodestreamError):
            decode_standard(data)
    with pytest.raises(CodestreamError, match="it is empty"):
        decode_standard(b"")
    with pytest.raises(CodestreamError, match="jp2c"):
        decode_standard(b"\x00\x00\x00\x0cjP  \r\n\x87\n" + bytes(20))


def test_nothing_is_printed(capfd: pytest.CaptureFixture[str]) -> None:
    codestream = encode(make_picture(48, 48), levels=3)
    decode_standard(codestream)
    with pytest.raises(CodestreamError):
        decode_standard(codestream[: len(codestream) // 2] + b"\xff\xd9")
    assert capfd.readouterr() == ("", "")
