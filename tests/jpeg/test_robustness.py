"""Hostile JPEG files: a result or a CodestreamError, never anything else, and never a long wait."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pictures import make_picture

from benchmark.errors import CodestreamError
from benchmark.jpeg import decode, decode_standard, decrypt, encode, encrypt, encrypted_ranges
from benchmark.jpeg.entropy_segments import parse

BASES = [
    encode(make_picture(24, 32), quality=80),
    encode(make_picture(24, 32), restart=2, subsampling="4:4:4", optimise=True),
    encode(make_picture(24, 32), progressive=True),
    encode(make_picture(24, 32), progressive=True, restart=1),
]
WINDOW: dict[str, Any] = {"offset": 5, "size": 60}
#: How many mutated files are tried: the quick share, or as many as VEILBENCH_MUTATIONS says.
MUTATIONS = int(os.environ.get("VEILBENCH_MUTATIONS", "20000"))


def try_all(data: bytes, number: int = 0) -> list[str]:
    """What came through; anything but a CodestreamError goes on to pytest."""
    mode = ("amplitude-bits", "raw-scan")[number % 2]
    if mode == "amplitude-bits" and b"\xff\xc2" in data:
        mode = "raw-scan"
    start = number % max(1, len(data))
    acts = {
        "parse": lambda: parse(data),
        "encrypt": lambda: encrypt(data, key=bytes(32), mode=mode, **WINDOW),
        "ranges": lambda: encrypted_ranges(data, 5, 60, mode),
        "decode": lambda: decode(data),
        "erase": lambda: decode(data, erase=(start, min(len(data), start + 50)), mode=mode),
        **({"standard": lambda: decode_standard(data)} if number % 8 == 0 else {}),
    }
    done, refusals = [], []
    for name, act in acts.items():
        try:
            act()
            done.append(name)
        except CodestreamError as error:
            refusals.append(str(error))
    assert "\n" not in "".join(refusals)
    if "encrypt" in done:
        encrypted = encrypt(data, key=bytes(32), mode=mode, **WINDOW)
        assert decrypt(encrypted, key=bytes(32), mode=mode, **WINDOW) == data
    return done


def mutated(base: bytes, generator: np.random.Generator) -> bytes:
    """Some bytes changed, a piece cut out or doubled, or the end lost."""
    data = bytearray(base)
    kind = generator.integers(10)
    position = int(generator.integers(len(data)))
    if kind < 7:
        # Half are aimed at the entropy-coded data of the first scan and what follows, half at the headers.
        scan = base.index(b"\xff\xda")
        low, high = (2, scan + 14) if kind < 3 else (scan, len(data))
        for _ in range(int(generator.integers(1, 4))):
            data[int(generator.integers(low, high))] = int(generator.integers(256))
    elif kind == 7:
        del data[position : position + int(generator.integers(1, 20))]
    elif kind == 8:
        data[position:position] = data[position : position + int(generator.integers(1, 20))]
    else:
        del data[position:]
    return bytes(data)


def try_mutations(count: int) -> None:
    for number, base in enumerate(BASES * 2):  # compile, before times are taken
        try_all(base, number // len(BASES))
        scan = base.index(b"\xff\xda")
        decode(base, erase=(scan + 20, scan + 60), mode="raw-scan")  # loses blocks whose DC has to be completed
    generator = np.random.default_rng(10918)
    came_through: Counter[str] = Counter()
    slowest = 0.0
    for number in range(count):
        data = mutated(BASES[number % len(BASES)], generator)
        started = time.perf_counter()
        came_through.update(try_all(data, number // len(BASES)))
        slowest = max(slowest, time.perf_counter() - started)
    # Both outcomes occur often, so the test did look at both.
    for name in ("parse", "encrypt", "ranges", "decode", "erase"):
        assert 0.1 < came_through[name] / count < 0.95, came_through
    assert slowest < 1


def test_mutated_files() -> None:
    try_mutations(MUTATIONS)


def test_never_out_of_bounds(tmp_path: Path) -> None:
    # Compiled loops do not check their indices; here they do, in a process that compiles them anew.
    if os.environ.get("NUMBA_BOUNDSCHECK") == "1":
        pytest.skip("this is that process")
    script = "import sys; sys.path[:0] = sys.argv[1:]; import test_robustness as t; t.try_mutations(600)"
    here = Path(__file__).resolve().parent
    environment = os.environ | {"NUMBA_BOUNDSCHECK": "1", "NUMBA_CACHE_DIR": str(tmp_path)}
    subprocess.run([sys.executable, "-c", script, str(here), str(here.parent)], check=True, env=environment)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes(data: bytes) -> None:
    for start in (b"", b"\xff\xd8\xff"):
        try_all(start + data)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(BASES), st.data())
def test_any_entropy_coded_data(base: bytes, data: st.DataObject) -> None:
    # Headers stay, all after the first SOS is arbitrary: the Huffman decoders meet any bits.
    start = base.index(b"\xff\xda")
    start += 2 + int.from_bytes(base[start + 2 : start + 4], "big")
    body = data.draw(st.binary(max_size=300)).replace(b"\xff", b"\xff\0")
    try_all(base[:start] + body + b"\xff\xd9", data.draw(st.integers(0, 400)))


@pytest.mark.parametrize("base", BASES)
def test_every_truncation_is_an_error(base: bytes) -> None:
    for length in range(len(base)):
        assert set(try_all(base[:length], length)) <= {"standard"}
