"""Tier-1 against OpenJPEG, with every code-block style, on sound, encrypted and senseless codewords."""

from __future__ import annotations

import hashlib
import inspect
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmark.jpeg2000 import coding_passes, encode, encrypt, tier1_tables
from benchmark.jpeg2000.coding_passes import segmentation_symbol, start
from benchmark.jpeg2000.standard import decode_standard
from benchmark.jpeg2000.tier1 import COMPILED_IN, MAX_PLANES, TOO_MANY_PLANES
from benchmark.jpeg2000.tier1_tables import STATES
from tests.jpeg2000.code_blocks import PLANES, code_blocks, picture
from tests.pictures import make_picture

SHAPES = [64, 32, (4, 256), (256, 4), (8, 16)]
#: Most codewords are random; these bytes make the coder stuff bits, carry and meet markers.
HOSTILE = [0x00, 0x7F, 0x80, 0x8F, 0x90, 0xFE, 0xFF, 0xFF, 0xFF]


def test_what_is_compiled_is_what_is_written() -> None:
    files = [Path(inspect.getfile(module)) for module in (coding_passes, tier1_tables)]
    assert hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest() == COMPILED_IN


def test_mq_decoder_on_the_standards_own_sequence() -> None:
    # ISO/IEC 14492 (T.88) H.2, the sequence that the MQ coder was published with: one context, first in state 0.
    coded = bytes.fromhex("84C73BFCE1A1430402200000410DBB86F4317FFF88FF37471ADB6ADFFFAC")
    plain = bytes.fromhex("00020051000000C00352872AAAAAAAAA82C02000FCD79EF6BF7FED904F46A3BF")
    codeword = np.frombuffer(coded, dtype=np.uint8).copy()
    contexts = np.full(19, STATES[0])
    coder = start(codeword, 0, len(codeword), False)
    nibbles = []
    for _ in range(2 * len(plain)):
        marks, coder = segmentation_symbol(codeword, len(codeword), contexts, coder)
        nibbles.append(f"{marks:x}")
    assert bytes.fromhex("".join(nibbles)) == plain


def _codestream(style: int, code_block: int | tuple[int, int] = 32, layers: int = 5, seed: int = 0) -> bytes:
    sample = make_picture(37, 50, seed)
    return encode(
        sample, levels=0, style=style & 31, segmentation_symbols=style >= 32, code_block=code_block, layers=layers
    )


def _with_bodies(codestream: bytes, seed: int, values: list[int]) -> bytes:
    """The same headers around other codewords."""
    blocks = code_blocks(codestream)
    data, generator = bytearray(codestream), np.random.default_rng(seed)
    for _, _, _, first, length, _ in blocks.rows:
        data[first : first + length] = generator.choice(values, length).astype(np.uint8).tobytes()
    return bytes(data)


@pytest.mark.parametrize("style", range(64))
def test_equals_openjpeg_in_every_style(style: int) -> None:
    plain = _codestream(style, SHAPES[style % 5], layers=1 + style % 7)
    encrypted = encrypt(plain, key=bytes(32), offset=20, size=60, window_base="packet-bodies")
    for codestream in (plain, encrypted):
        assert (picture(code_blocks(codestream).decode()[0]) == decode_standard(codestream)).all()


@pytest.mark.parametrize("code_block", SHAPES)
@pytest.mark.parametrize("size", [(1, 1), (3, 70), (70, 3), (65, 66)])
def test_equals_openjpeg_at_every_edge(code_block: int | tuple[int, int], size: tuple[int, int]) -> None:
    sample = make_picture(*size)
    codestream = encode(sample, levels=0, code_block=code_block)
    assert (picture(code_blocks(codestream).decode()[0]) == sample).all()


@settings(max_examples=150, deadline=None)
@given(style=st.integers(0, 63), seed=st.integers(0, 2**32 - 1), hostile=st.booleans())
def test_equals_openjpeg_on_senseless_codewords(style: int, seed: int, hostile: bool) -> None:
    codestream = _with_bodies(_codestream(style, layers=3), seed, HOSTILE if hostile else list(range(256)))
    assert (picture(code_blocks(codestream).decode()[0]) == decode_standard(codestream)).all()


def test_carries_out_of_the_code_register_as_openjpeg_does() -> None:
    # Found among 30,000 streams of nothing but these bytes: a carry in the very step that loads it.
    codestream = encode(make_picture(64, 64, 1), levels=0, style=28, code_block=64)
    senseless = _with_bodies(codestream, 7044, [0xFF, 0x80, 0x8F])
    assert (picture(code_blocks(senseless).decode()[0]) == decode_standard(senseless)).all()


def test_orientations_are_those_of_openjpeg() -> None:
    # One decomposition gives four blocks a component, LL, HL, LH, HH. A block that is decoded with another band's
    # contexts goes astray, which its segmentation symbols show.
    found = code_blocks(encode(make_picture(32, 32), levels=1, code_block=16, segmentation_symbols=True))
    assert len(found.blocks) == len(found.rows) == 12
    own = np.arange(12) % 4
    found.blocks[:, 5] = PLANES + np.array([0, 1, 1, 2])[own]
    for turn in range(4):
        found.blocks[:, 4] = (own + turn) % 4
        astray = found.decode("jj2000")[1]["plane"] >= 0
        # LL and LH share their contexts.
        assert (astray == (found.blocks[:, 4] % 2 + found.blocks[:, 4] // 3 != own % 2 + own // 3)).all()


def test_consumed_agrees_with_the_lengths_of_a_sound_stream() -> None:
    blocks = code_blocks(_codestream(32, layers=8))
    encrypted = encrypt(_codestream(32, layers=8), key=bytes(32), offset=0, size=100, window_base="packet-bodies")
    ends = np.concatenate(
        [np.cumsum(blocks.rows[a:b, 4]) for a, b in zip(blocks.first_row, blocks.first_row[1:], strict=False)]
    )
    sound = blocks.decode()[2] - ends
    astray = code_blocks(encrypted).decode()[2] - ends
    # The encoder gives each layer a few bytes more than its passes need; the coder looks two bytes ahead at most.
    assert -6 <= sound.min() <= sound.max() <= 2
    assert np.abs(astray).max() > 40


def test_more_bit_planes_than_coefficients_have_are_reported() -> None:
    blocks = code_blocks(_codestream(0))
    blocks.blocks[:, 5] = MAX_PLANES + 1 + blocks.rows[blocks.first_row[:-1], 5]
    coefficients, report, consumed = blocks.decode()
    assert (report["status"] == TOO_MANY_PLANES).all()
    assert (report["planes"] == MAX_PLANES + 1).all()
    assert not coefficients.any()
    assert (consumed == -1).all()


def test_passes_below_the_last_bit_plane_are_passed_over() -> None:
    blocks = code_blocks(_codestream(0))
    blocks.blocks[:, 5] = blocks.rows[blocks.first_row[:-1], 5] + 2
    coefficients, report, _ = blocks.decode()
    assert (report["passes"] == 4).all()
    assert (report["dropped"] > 0).all()
    assert np.abs(coefficients).max() < 8


def test_many_layers_with_and_without_all_blocks() -> None:
    sample = make_picture(64, 64)
    sample[32:] = 128
    codestream = encode(sample, levels=0, code_block=16, layers=30)
    assert (picture(code_blocks(codestream).decode()[0]) == sample).all()


def test_no_index_is_out_of_bounds(tmp_path: Path) -> None:
    """numba's own checks, on senseless codewords, concealed and erased."""
    script = """
import numpy as np
from tests.jpeg2000 import test_tier1 as own
from tests.jpeg2000.code_blocks import code_blocks
for style in range(64):
    data = own._with_bodies(own._codestream(style, own.SHAPES[style % 5]), style, own.HOSTILE)
    for conceal in ("off", "jj2000", "forget-plane", "layer-ends"):
        blocks = code_blocks(data)
        middle = int(np.random.default_rng(style).choice(blocks.rows[:, 3]))
        blocks.decode(conceal)
        blocks.decode(conceal, (middle + style % 9, middle + 40))
blocks.rows[-1, 3] = len(blocks.data)
try:
    blocks.decode()
except IndexError:
    print("sound, and checked")
"""
    environment = os.environ | {"NUMBA_BOUNDSCHECK": "1", "NUMBA_CACHE_DIR": str(tmp_path), "NUMBA_OPT": "1"}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "sound, and checked", done.stderr
