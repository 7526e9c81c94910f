"""Blocks behind erased bytes are found again: the right ones, counted from the end."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pictures import make_picture

from benchmark.jpeg import SUBSAMPLINGS, encode
from benchmark.jpeg.coefficients import read_coefficients
from benchmark.jpeg.entropy_segments import parse


def recovered(data: bytes, begin: int, end: int) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """For each block in coded order, whether its AC coefficients are right with and without the codes of the window."""
    parsed = parse(data)
    whole = read_coefficients(parsed).values[:, 1:]
    right = [
        (read_coefficients(parsed, (begin, end), codes_erased=lost).values[:, 1:] == whole).all(axis=1)
        for lost in (True, False)
    ]
    return right[0], right[1]


@pytest.mark.parametrize("subsampling", SUBSAMPLINGS)
@pytest.mark.parametrize("optimise", [False, True])
def test_nearly_all_blocks_behind_the_window_come_back(subsampling: str, optimise: bool) -> None:
    costs = []
    for seed in range(10):
        data = encode(make_picture(112, 112, seed), subsampling=subsampling, optimise=optimise)
        total = parse(data).total
        for begin, end in ((0.0, 0.05), (0.2, 0.3), (0.0, 0.5)):
            lost, readable = recovered(data, round(begin * total), round(end * total))
            # Beyond what the window itself costs: the blocks that it takes until codes are in step again.
            costs.append((readable & ~lost).mean())
    assert np.mean(costs) < 0.04
    assert max(costs) < 0.2


def test_grey_and_restart_intervals() -> None:
    for seed in range(5):
        sample = make_picture(112, 112, seed)
        for data in (encode(np.ascontiguousarray(sample[:, :, 0])), encode(sample, restart=14)):
            total = parse(data).total
            lost, readable = recovered(data, round(0.1 * total), round(0.2 * total))
            assert (readable & ~lost).mean() < 0.08


def test_bands_of_progressive_scans() -> None:
    costs = []
    for seed in range(10):
        parsed = parse(encode(make_picture(112, 112, seed), progressive=True))
        steps = parsed._replace(scans=parsed.scans[:4])  # DC, luma's first band, and chroma: no refinements
        start, end = parsed.segments[1, 2:]
        whole = read_coefficients(steps).values
        found = read_coefficients(steps, (start, start + (end - start) // 5)).values
        right = (found == whole).all(axis=1)[: 14 * 14]
        # A fifth of the scan is lost, and the blocks until codes are in step again.
        costs.append(1 - right.mean())
    assert np.mean(costs) < 0.3
    assert max(costs) < 0.4


def test_nothing_is_found_where_nothing_is_left() -> None:
    data = encode(make_picture(64, 64))
    parsed = parse(data)
    found = read_coefficients(parsed, (0, parsed.total))
    assert not found.values.any()
    assert (found.groups == np.arange(1, len(found.groups) + 1)).all()
