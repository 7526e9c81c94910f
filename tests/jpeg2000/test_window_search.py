"""The window is found from headers alone, for every coder; nothing is found where nothing is encrypted."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmark.datasets import open_dataset
from benchmark.errors import CodestreamError
from benchmark.jpeg2000 import decode, encode, encrypt, encrypted_ranges
from benchmark.jpeg2000.encoder import BYPASS, PTERM, RESET, TERMALL, VSC
from benchmark.jpeg2000.window_search import _likeliest, find_window

FACES = open_dataset("synthetic", {"seed": 4}, None).load([f"s{number:04d}/0" for number in range(6)]).samples
CODERS: dict[str, dict[str, Any]] = {
    "bodies": {"layers": 16, "code_block": 32, "segmentation_symbols": True},
    "document": {"layers": "jj2000"},
    "resolution": {"layers": 16, "code_block": 32, "progression": "resolution"},
    "one layer": {"layers": 1, "code_block": 16},
    "reset": {"layers": 12, "style": RESET},
    "causal": {"layers": 12, "style": VSC | PTERM},
    "lossy": {"layers": 12, "reversible": False},
    "tiles": {"layers": 12, "tile": (64, 64), "code_block": 16},
}


@pytest.mark.parametrize("coder", [*CODERS.values(), {"layers": 9, "style": BYPASS}, {"layers": 9, "style": TERMALL}])
def test_nothing_is_found_in_what_is_not_encrypted(coder: dict[str, Any]) -> None:
    assert [find_window(encode(face, **coder)) for face in FACES] == [(0, 0)] * len(FACES)


@pytest.mark.parametrize("name", list(CODERS))
@pytest.mark.parametrize(("offset", "size"), [(0, 8), (6, 4), (40, 20)])
def test_what_is_found_overlaps_nearly_all_of_the_window_and_little_else(name: str, offset: int, size: int) -> None:
    window = {"offset": offset, "size": size, "window_base": "packet-bodies"}
    hit = total = wide = 0
    for face in FACES:
        hidden = encrypt(encode(face, **CODERS[name]), key=bytes(32), **window)
        first, end, _ = encrypted_ranges(hidden, **window)
        start, stop = find_window(hidden)
        hit += max(0, min(stop, end) - max(start, first))
        total += end - first
        wide += max(0, first - start)
    assert hit > 0.9 * total
    assert wide < 0.05 * sum(len(encode(face, **CODERS[name])) for face in FACES)


def test_a_whole_stream_is_found_and_offsets_count_from_the_file_s_beginning() -> None:
    window = {"offset": 0, "size": 100, "window_base": "packet-bodies"}
    hidden = encrypt(encode(FACES[0], **CODERS["bodies"]), key=bytes(32), **window)
    first, end, _ = encrypted_ranges(hidden, **window)
    start, stop = find_window(hidden)
    assert (start, stop) == (first, end)
    box = (len(hidden) + 8).to_bytes(4, "big") + b"jp2c" + hidden
    boxed = b"\x00\x00\x00\x0cjP  \r\n\x87\n" + box
    assert find_window(boxed) == (start + 20, stop + 20)


@pytest.mark.parametrize("coder", [{"code_block": 64}, {"code_block": 16}, {"layers": 3, "code_block": 32}], ids=str)
@pytest.mark.parametrize(("offset", "size"), [(0, 8), (6, 4), (30, 10)])
def test_where_headers_say_little_erasing_is_still_better_than_looking(
    coder: dict[str, Any], offset: int, size: int
) -> None:
    window = {"offset": offset, "size": size, "window_base": "packet-bodies"}
    errors = []
    for face in FACES:
        hidden = encrypt(encode(face, **coder), key=bytes(32), **window)
        shown = decode(hidden), decode(hidden, erase=find_window(hidden))
        errors.append([np.log(np.mean((image.astype(float) - face) ** 2)) for image in shown])
    looking, erasing = np.mean(errors, axis=0)
    assert erasing < looking - 0.1  # nearly half a dB


def test_what_is_no_codestream_is_refused() -> None:
    with pytest.raises(CodestreamError, match="not a JPEG 2000 codestream"):
        find_window(b"ciphertext")


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(-9, 9)), min_size=1, max_size=24), st.integers(0, 6))
def test_the_best_range_is_that_of_trying_them_all(rows: list[tuple[int, int]], margin: int) -> None:
    block, value = (np.array(column, np.int64) for column in zip(*rows, strict=True))
    order = np.argsort(block, kind="stable")
    place = np.empty_like(order)
    place[order] = np.arange(len(order))

    def score(first: int, last: int) -> int:
        touched = range(first, last + 1)
        return sum(value[row] for row in touched if block[row] not in block[first:row])

    scores = {(a, b): score(a, b) for a in range(len(rows)) for b in range(a, len(rows))}
    highest = max(0, *scores.values())
    first, last, found = _likeliest(block[order], value[order].astype(float), place, order, float(margin))
    assert found == highest
    if highest > margin:
        near = [a for (a, b), one in scores.items() if one >= highest - margin]
        assert first == min(near)
        best = max(one for (a, _), one in scores.items() if a == first)
        assert last == max(b for (a, b), one in scores.items() if a == first and one >= best - margin)
