"""Plain files laid beside protected ones, whatever stands around the picture."""

from __future__ import annotations

import numpy as np
import pytest
from pictures import make_picture

from benchmark import jpeg, jpeg2000
from benchmark.conformance.alignment import lay_beside
from benchmark.jpeg2000.markers import main_header_bytes

PICTURE = make_picture(48, 40)
JPEG2000 = jpeg2000.encode(PICTURE, layers=6, levels=3)
JPEG = jpeg.encode(PICTURE, quality=90)
COMMENT = b"\xff\x64\x00\x05\x00\x01x"
WINDOW = {"offset": 20, "size": 30}


def with_comment(codestream: bytes) -> bytes:
    header = len(main_header_bytes(codestream))
    return codestream[:header] + COMMENT + codestream[header:]


def test_files_of_no_format_are_taken_as_they_are_or_by_their_range() -> None:
    laid = lay_beside(b"abc", b"nonceXYZtag", (5, 8))
    assert laid is not None
    assert (laid.plain.tobytes(), laid.cipher.tobytes(), laid.at.tolist()) == (b"abc", b"XYZ", [5, 6, 7])
    assert laid.start((6, 8)) == 1
    assert lay_beside(b"abc", b"abcd", (0, 2)) is None
    assert lay_beside(JPEG, JPEG2000, (0, len(JPEG2000) - 1)) is None


@pytest.mark.parametrize("commented", [False, True])
def test_packets_are_found_behind_other_segments(commented: bool) -> None:
    hidden = jpeg2000.encrypt(JPEG2000, key=bytes(32), **WINDOW, window_base="packet-bodies")
    shift = len(COMMENT) if commented else 0
    laid = lay_beside(JPEG2000, with_comment(hidden) if commented else hidden, (0, 0))
    assert laid is not None
    expected = np.flatnonzero(np.frombuffer(JPEG2000, np.uint8) != np.frombuffer(hidden, np.uint8)) + shift
    assert len(expected) > 100
    assert laid.changed().tolist() == expected.tolist()


def test_other_packets_do_not_stand_for_each_other() -> None:
    other = jpeg2000.encode(PICTURE, layers=5, levels=3)
    assert lay_beside(JPEG2000, other, (0, len(JPEG2000))) is None
    assert lay_beside(JPEG2000, JPEG2000[:200], (0, 200)) is None


@pytest.mark.parametrize("mode", ["amplitude-bits", "raw-scan"])
def test_entropy_coded_bytes_are_found_in_files_of_another_length(mode: str) -> None:
    comment = b"\xff\xfe\x00\x03x"
    lengths = set()
    for number in range(20):
        hidden = jpeg.encrypt(JPEG, key=bytes([number] * 32), **WINDOW, mode=mode)
        start, end, encrypted = jpeg.encrypted_ranges(hidden, **WINDOW, mode=mode)
        lengths.add(len(hidden))
        laid = lay_beside(JPEG, hidden[:2] + comment + hidden[2:], (0, 0))
        assert laid is not None
        changed = laid.changed() - len(comment)
        assert start <= changed[0]
        assert changed[-1] < end
        assert encrypted / 2 < len(changed) <= encrypted
    assert (len(lengths) > 1) == (mode == "amplitude-bits")  # stuffed zeros come and go


def test_other_segments_do_not_stand_for_each_other() -> None:
    assert lay_beside(JPEG, jpeg.encode(PICTURE, quality=90, restart=1), (0, len(JPEG))) is None
