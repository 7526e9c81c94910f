"""What tier-1 does about errors: detection, both rules of concealment, erasure."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmark.jpeg2000 import encode, encrypt
from benchmark.jpeg2000.tier1 import CONCEALED, CONCEALMENT, DECODED, ERASED
from tests.jpeg2000.code_blocks import code_blocks
from tests.pictures import make_picture

SEGSYM, PTERM, TERMALL, BYPASS = 32, 16, 4, 1
#: Styles with something to detect errors by.
CHECKED = [SEGSYM, SEGSYM + 2 + 8, SEGSYM + BYPASS, PTERM + TERMALL, PTERM + BYPASS, PTERM + TERMALL + BYPASS, 63]


def _codestream(style: int, layers: int = 5, size: int = 50) -> bytes:
    return encode(
        make_picture(37, size),
        levels=0,
        style=style & 31,
        segmentation_symbols=style >= 32,
        code_block=16,
        layers=layers,
    )


def _encrypted(codestream: bytes, offset: float = 30, size: float = 40) -> bytes:
    return encrypt(codestream, key=bytes(32), offset=offset, size=size, window_base="packet-bodies")


@pytest.mark.parametrize("style", range(64))
def test_no_error_is_found_in_a_sound_stream(style: int) -> None:
    blocks = code_blocks(_codestream(style))
    off = blocks.decode()[0]
    for conceal in CONCEALMENT:
        coefficients, report, _ = blocks.decode(conceal)
        assert (report["status"] == DECODED).all()
        assert (report["plane"] == -1).all()
        assert (report["dropped"] == 0).all()
        assert (coefficients == off).all()


@pytest.mark.parametrize("style", CHECKED)
def test_errors_are_found_where_they_are(style: int) -> None:
    codestream = _codestream(style)
    encrypted = _encrypted(codestream)
    changed = np.flatnonzero(np.frombuffer(codestream, np.uint8) != np.frombuffer(encrypted, np.uint8))
    blocks = code_blocks(encrypted)
    _, report, _ = blocks.decode("forget-plane")
    hit = report["status"] == CONCEALED
    assert hit.mean() > 0.8
    assert (report["first_byte"][hit] < report["last_byte"][hit]).all()
    assert (report["last_byte"][hit] > changed[0]).all()
    assert (report["plane"][hit] == report["planes"][hit] - 1 - (report["pass"][hit] + 2) // 3).all()
    # Segmentation symbols miss one error in sixteen, and find it a bit-plane later.
    late = report["first_byte"][hit] > changed[-1]
    assert late.mean() < 0.3


@pytest.mark.parametrize("style", CHECKED)
def test_forget_plane_keeps_whole_passes(style: int) -> None:
    blocks = code_blocks(_encrypted(_codestream(style)))
    concealed, report, _ = blocks.decode("forget-plane")
    assert (report["dropped"] > 0).any()
    assert (concealed == blocks.limited(report["passes"])).all()


@pytest.mark.parametrize("style", CHECKED[:3])
def test_jj2000_cuts_values_below_the_plane(style: int) -> None:
    blocks = code_blocks(_encrypted(_codestream(style)))
    concealed, report, _ = blocks.decode("jj2000")
    # What the decoder has after the pass that failed; there the rule of JJ2000 applies.
    total = report["passes"] + report["dropped"]
    until = blocks.limited(np.where(report["pass"] >= 0, report["pass"] + 1, total))
    for block, (origin, stride, width, height, *_) in enumerate(blocks.blocks):
        rows, columns = np.mgrid[:height, :width]
        values = until.reshape(-1)[origin + rows * stride + columns]
        if report["plane"][block] >= 0:
            bit = 2 << int(report["plane"][block])
            kept = np.abs(values) & -bit
            values = np.sign(values) * np.where(kept > 0, kept | bit, 0)
        assert (concealed.reshape(-1)[origin + rows * stride + columns] == values).all()


@pytest.mark.parametrize("style", [0, 2, 8, PTERM, *CHECKED])
def test_layer_ends_show_errors_without_symbols(style: int) -> None:
    plain = _codestream(style, layers=12)
    encrypted = _encrypted(plain)
    before, _, _ = code_blocks(plain).decode()
    blocks = code_blocks(encrypted)
    astray, _, _ = blocks.decode()
    concealed, report, _ = blocks.decode("layer-ends")
    assert (report["status"] == CONCEALED).mean() > 0.9
    assert (concealed == blocks.limited(report["passes"])).all()
    # Closer to the truth than without, and far closer than a decoder that forgets everything.
    error = [float(np.square(found - before).mean()) for found in (concealed, astray, np.zeros_like(before))]
    assert error[0] < 0.9 * error[1]
    assert error[0] < 0.2 * error[2]


def test_termination_errors_spare_the_passes_that_were_verified() -> None:
    blocks = code_blocks(_encrypted(_codestream(PTERM + TERMALL)))
    _, report, _ = blocks.decode("forget-plane")
    hit = report["status"] == CONCEALED
    assert (report["passes"][hit] == report["pass"][hit]).all()


def _erased_anywhere(style: int, layers: int, begin: float, share: float, seed: int) -> None:
    codestream = _codestream(style, layers)
    blocks = code_blocks(codestream)
    start = int(begin * len(codestream))
    stop = start + 1 + int(share * (len(codestream) - start - 1))
    coefficients, report, consumed = blocks.decode(erase=(start, stop))
    # The passes that are kept are what they are with all bytes.
    assert (coefficients == blocks.limited(report["passes"])).all()
    # No erased byte has any influence.
    blocks.data[start:stop] = np.random.default_rng(seed).integers(0, 256, stop - start, dtype=np.uint8)
    again, report_again, consumed_again = blocks.decode(erase=(start, stop))
    assert (coefficients == again).all()
    assert (report == report_again).all()
    assert (consumed == consumed_again).all()
    _check_rows(blocks.rows, blocks.first_row, report, start, stop)


def _check_rows(
    rows: npt.NDArray[np.int32],
    first_row: npt.NDArray[np.int32],
    report: npt.NDArray[np.void],
    start: int,
    stop: int,
) -> None:
    """Blocks that are touched, and only those, say so, and keep at least the segments before."""
    for block, entry in enumerate(report):
        own = rows[first_row[block] : first_row[block + 1]]
        touched = (own[:, 4] > 0) & (own[:, 3] < stop) & (own[:, 3] + own[:, 4] > start)
        assert entry["status"] == (ERASED if touched.any() else DECODED)
        if touched.any():
            first = int(np.argmax(touched))
            assert own[:first, 2].sum() <= entry["passes"] <= own[: first + 1, 2].sum()
            assert entry["first_byte"] == max(own[first, 3], start)
            assert entry["passes"] + entry["dropped"] == own[:, 2].sum()


@settings(max_examples=150, deadline=None)
@given(
    style=st.sampled_from([0, 2, 8, SEGSYM, SEGSYM + 10]),
    layers=st.integers(1, 9),
    begin=st.floats(0, 0.99),
    share=st.floats(0, 1),
    seed=st.integers(0, 2**32 - 1),
)
def test_erased_bytes_have_no_influence(style: int, layers: int, begin: float, share: float, seed: int) -> None:
    _erased_anywhere(style, layers, begin, share, seed)


@settings(max_examples=100, deadline=None)
@given(
    style=st.sampled_from([BYPASS, TERMALL, TERMALL + BYPASS, PTERM + TERMALL, 63]),
    layers=st.integers(1, 9),
    begin=st.floats(0, 0.99),
    share=st.floats(0, 1),
    seed=st.integers(0, 2**32 - 1),
)
def test_erased_bytes_of_terminated_segments(style: int, layers: int, begin: float, share: float, seed: int) -> None:
    _erased_anywhere(style, layers, begin, share, seed)


def test_erasing_everything_keeps_next_to_nothing() -> None:
    codestream = _codestream(0)
    coefficients, report, consumed = code_blocks(codestream).decode(erase=(0, len(codestream)))
    assert (report["passes"] == 0).all()
    assert not coefficients.any()
    assert (consumed == -1).all()


def test_concealment_beside_erasure_finds_other_errors() -> None:
    codestream = _codestream(SEGSYM, layers=1)
    blocks = code_blocks(_encrypted(codestream, 0, 10))
    erased_from = len(codestream) * 3 // 4
    _, report, _ = blocks.decode("forget-plane", (erased_from, len(codestream)))
    assert {CONCEALED, ERASED, DECODED} == set(report["status"].tolist())
