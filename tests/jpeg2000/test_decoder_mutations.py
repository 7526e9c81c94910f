"""The concealing decoder fed damaged codestreams: a picture or a CodestreamError, in time, within its arrays.

Two thousand streams by default; VEILBENCH_MUTATIONS=100000 for the whole lot. Compiled code does not check bounds
unless it is told to, in a compiler cache of its own: here for a few hundred streams, and for all in the nightly job:

    export NUMBA_BOUNDSCHECK=1 NUMBA_CACHE_DIR=/tmp/checked VEILBENCH_MUTATIONS=100000
    pytest tests/jpeg2000/test_decoder_mutations.py tests/jpeg/test_robustness.py
"""

from __future__ import annotations

import io
import itertools
import os
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pictures import make_picture
from PIL import Image
from raw_openjpeg import encoded_components

from benchmark.errors import CodestreamError
from benchmark.jpeg2000 import decode_with_report, encode, packets
from benchmark.jpeg2000.encoder import BYPASS, PTERM, RESET, SEGSYM, TERMALL, VSC
from benchmark.jpeg2000.markers import codestream_of, main_header_bytes
from benchmark.jpeg2000.tier1 import CONCEALMENT

STREAMS = int(os.environ.get("VEILBENCH_MUTATIONS", "2000"))
RULES = list(CONCEALMENT)


def jp2_file() -> bytes:
    """A JP2 file by Pillow: boxes around the codestream, which a decoder has to walk."""
    file = io.BytesIO()
    Image.fromarray(make_picture(24, 24)).save(file, "JPEG2000", irreversible=False, num_resolutions=3)
    return file.getvalue()


_PLANE = make_picture(24, 20)[:, :, 0].astype(np.int32)
BASES = [
    encode(make_picture(24, 24), levels=2, code_block=8, layers=3, segmentation_symbols=True),
    encode(make_picture(20, 28), levels=3, code_block=(4, 64), layers=2, style=PTERM | TERMALL | VSC),
    encode(make_picture(24, 24), levels=1, tile=(16, 16), style=BYPASS | RESET | SEGSYM, progression="RPCL"),
    encode(make_picture(32, 24), levels=2, reversible=False, progression="CPRL", precincts=[(16, 16)], sop=True),
    encode(make_picture(24, 32), levels=4, style=BYPASS | TERMALL | PTERM, eph=True, progression="PCRL"),
    encoded_components([_PLANE << 8, _PLANE[::2, ::2] << 8], 16, steps=[(1, 1), (2, 2)], style=SEGSYM),
    jp2_file(),
]


def mutated(base: bytes, generator: np.random.Generator) -> bytes:
    """A base with bytes of packet bodies changed, or of any part, or of its headers, or a piece moved."""
    data = bytearray(base)
    kind = int(generator.integers(8))
    codestream = codestream_of(base)
    boxes = base.index(codestream)
    if kind < 4:
        bodies = packets(codestream)
        places = boxes + np.concatenate([np.arange(row["body"], row["end"]) for row in bodies])
    elif kind < 6:
        places = np.arange(2, boxes + len(main_header_bytes(codestream)) + 40)
    else:
        places = np.arange(2, len(data))
    if kind == 7:
        cut = int(generator.integers(len(data)))
        del data[cut : cut + int(generator.integers(1, 30))]
        return bytes(data)
    most = 60 if kind < 4 else 3
    for place in generator.choice(places, int(generator.integers(1, most))):
        data[place] = int(generator.integers(256))
    return bytes(data)


def try_decoding(data: bytes, rule: str, erase: tuple[int, int] | None) -> bool:
    """Whether it became a picture; what is neither that nor a CodestreamError goes on to pytest."""
    try:
        sample, report = decode_with_report(data, conceal=rule, erase=erase)
    except CodestreamError:
        return False
    assert sample.dtype == np.uint8
    assert sample.shape[2] == 3
    assert (report.blocks["passes"] >= 0).all()
    assert (report.blocks["dropped"] >= 0).all()
    return True


def try_mutations(count: int) -> None:
    """Decode so many damaged streams, all bases and rules in turn."""
    generator = np.random.default_rng(2026)
    outcomes: Counter[tuple[Any, ...]] = Counter()
    slowest = 0.0
    for base, rule in itertools.product(BASES, RULES):
        assert try_decoding(base, rule, None)
    for number in range(count):
        data = mutated(BASES[number % len(BASES)], generator)
        start, stop = sorted(generator.integers(0, len(data) + 1, 2).tolist())
        erase = (start, stop) if number % 5 == 0 else None
        started = time.thread_time()
        shown = try_decoding(data, RULES[number % len(RULES)], erase)
        slowest = max(slowest, time.thread_time() - started)
        outcomes[number % len(BASES), shown] += 1
    for base in range(len(BASES)):
        # Both outcomes occur often, so the test did look at both.
        assert 0.1 < outcomes[base, True] / (outcomes[base, True] + outcomes[base, False]) < 0.95, outcomes
    assert slowest < 1


def test_mutated_streams() -> None:
    try_mutations(STREAMS)


def test_never_out_of_bounds(tmp_path: Path) -> None:
    """The whole decoder, packet headers, tier-1, wavelets and placing, compiled anew with its indices checked."""
    if os.environ.get("NUMBA_BOUNDSCHECK") == "1":
        pytest.skip("this is that process")
    script = "import sys; sys.path[:0] = sys.argv[1:]; import test_decoder_mutations as t; t.try_mutations(560)"
    here = Path(__file__).resolve().parent
    environment = os.environ | {"NUMBA_BOUNDSCHECK": "1", "NUMBA_CACHE_DIR": str(tmp_path), "NUMBA_OPT": "1"}
    subprocess.run([sys.executable, "-c", script, str(here), str(here.parent)], check=True, env=environment)


def header_with(base: bytes, position: int, value: bytes) -> bytes:
    return base[:position] + value + base[position + len(value) :]


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("pixels", "pixels"),
        ("layers", "too many packets"),
        ("components", "components"),
        ("depth", "16 bits"),
        ("tiles", "tiles"),
        ("planes", "bit-planes"),
    ],
)
def test_absurd_headers_are_refused_at_once(name: str, says: str) -> None:
    base = BASES[0]
    coding, steps = base.index(b"\xff\x52"), base.index(b"\xff\x5c")
    absurd = {
        "pixels": header_with(base, 8, b"\xff\xff\xff\xff" * 2),
        "layers": header_with(base, coding + 6, b"\xff\xff"),
        "components": header_with(base, 40, b"\x40\x00"),
        "depth": header_with(base, 42, b"\x25"),
        "tiles": header_with(header_with(base, 8, b"\x00\x00\x04\x00" * 2), 24, b"\x00\x00\x00\x01" * 2),
        "planes": header_with(base, steps + 4, b"\xe0\xf8"),
    }[name]
    started = time.thread_time()
    with pytest.raises(CodestreamError, match=says):
        decode_with_report(absurd)
    assert time.thread_time() - started < 0.5
