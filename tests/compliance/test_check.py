"""The check must pass what is compliant and, above all, fail what is not."""

from __future__ import annotations

import ctypes
import io
import os
import re
import signal
from pathlib import Path

import numpy as np
import pytest
from pictures import make_picture
from PIL import Image

from benchmark.compliance import DECODERS, MARKER_CODES, check, installed
from benchmark.compliance import decoders as decoders_module
from benchmark.compliance.process import DecodingProcess
from benchmark.jpeg2000 import encode, encrypt, packets

#: One setting each of what windows can be: both readings, from the start and not, part and all.
WINDOWS = [("codestream", 6, 4), ("codestream", 0, 12), ("packet-bodies", 6, 4), ("packet-bodies", 0, 100)]


def jpeg(picture, **options) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "JPEG", quality=90, **options)
    return buffer.getvalue()


@pytest.fixture(scope="module")
def process():
    with DecodingProcess() as shared:
        yield shared


@pytest.mark.parametrize("progression", ["layer", "resolution"])
@pytest.mark.parametrize(("base", "offset", "size"), WINDOWS)
def test_every_decoder_accepts_encrypted_codestreams(process, progression, base, offset, size):
    window = {"offset": offset, "size": size, "window_base": base}
    plain = [encode(make_picture(112, 112, seed), progression=progression, layers="16") for seed in range(3)]
    streams = [encrypt(data, key=bytes([seed] * 32), **window) for seed, data in enumerate(plain)]
    found = check(streams, shape=(112, 112), process=process)
    assert list(found) == [*DECODERS["jpeg2000"], MARKER_CODES]
    for name, verdict in found.items():
        there = verdict.version is not None
        assert (verdict.streams, verdict.failures) == (3 * there, 0), (name, verdict.reasons)


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"restart_marker_rows": 1}, {"optimize": True}])
def test_every_decoder_accepts_jpeg(process, options):
    found = check([jpeg(make_picture(64, 48), **options)], shape=(64, 48), process=process)
    assert list(found) == [*DECODERS["jpeg"], MARKER_CODES]
    assert not any(verdict.failures for verdict in found.values())


def test_no_decoder_accepts_a_codestream_whose_packet_headers_were_encrypted(process):
    plain = encode(make_picture(112, 112), layers="16")
    noise = np.random.default_rng(1).integers(0, 255, len(plain), dtype=np.uint8)
    first = int(packets(plain)["start"][0])
    broken = plain[:first] + noise[first:].tobytes()
    found = check([plain, broken], process=process)
    assert {name: verdict.failures for name, verdict in found.items()} == {
        name: int(verdict.version is not None) for name, verdict in found.items()
    }
    assert all(verdict.reasons[0][0] == 1 for verdict in found.values() if verdict.failures)


def test_a_jpeg_without_its_tables_is_refused_by_all(process):
    data = jpeg(make_picture(64, 48))
    scan = data.index(b"\xff\xda")
    found = check([data[:4] + data[scan:]], process=process)
    assert all(verdict.failures == verdict.streams for verdict in found.values())


def test_a_picture_of_another_size_is_a_failure(process):
    found = check([encode(make_picture(16, 16), levels=1)], shape=(16, 17), process=process)
    assert found["openjpeg"].failures == 1
    assert found["openjpeg"].reasons == ((0, "shows 16 x 16"),)
    assert found[MARKER_CODES].failures == 0


def test_ciphertext_claims_no_format_and_among_streams_is_refused(process):
    assert check([b"ciphertext", bytes(100)]) == {}
    found = check([encode(make_picture(16, 16), levels=1), b"ciphertext"], process=process)
    assert all(verdict.failures == (verdict.streams > 0) for verdict in found.values())


def test_what_is_not_installed_is_named_and_not_counted(process, monkeypatch):
    monkeypatch.setattr(decoders_module, "_ffmpeg_version", lambda: None)
    assert installed("jpeg2000")["ffmpeg"] is None
    found = check([encode(make_picture(16, 16), levels=1)], process=process)
    assert found["ffmpeg"] == (None, 0, 0, ())


@pytest.mark.parametrize(("blow", "reason"), [(signal.SIGKILL, "crashed"), (signal.SIGSTOP, "took longer than 1 s")])
def test_a_decoder_that_crashes_or_hangs_is_a_failure_and_the_next_stream_is_tried(blow, reason):
    stream = encode(make_picture(16, 16), levels=1)
    with DecodingProcess(seconds=1) as own:
        assert own.decode("jpeg2000", "openjpeg", stream).shape == (16, 16)
        os.kill(own._process.pid, blow)
        answer = own.decode("jpeg2000", "openjpeg", stream)
        assert (answer.shape, answer.reason, answer.died) == (None, reason, True)
        assert own.decode("jpeg2000", "openjpeg", stream).shape == (16, 16)


def test_decoders_run_where_they_can_do_no_harm():
    if ctypes.CDLL(None).syscall(444, None, ctypes.c_size_t(0), 1) < 1:  # landlock_create_ruleset: which version?
        pytest.skip("this kernel has no Landlock")
    with DecodingProcess() as own:
        own.decode("jpeg2000", "openjpeg", encode(make_picture(16, 16), levels=1))
        process = Path(f"/proc/{own._process.pid}")
        assert "NoNewPrivs:\t1\n" in (process / "status").read_text()  # set by what confines, and by nothing else
        assert re.search(r"Max file size +0 +0 ", (process / "limits").read_text())


def test_a_decoder_that_always_dies_is_not_asked_for_ever():
    class Deadly(DecodingProcess):
        def decode(self, kind, decoder, stream):
            return super().decode(kind, decoder, stream)._replace(shape=None, reason="crashed", died=True)

    with Deadly() as own:
        found = check([encode(make_picture(16, 16), levels=1)] * 5, process=own)
    assert found["openjpeg"][1:3] == (3, 3)
