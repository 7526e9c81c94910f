"""Lost DC coefficients: the least-squares solution, found another way, and pictures that come back."""

from __future__ import annotations

import numpy as np
import pytest

from benchmark.jpeg import encode
from benchmark.jpeg.coefficients import read_coefficients
from benchmark.jpeg.completion import complete_dc
from benchmark.jpeg.entropy_segments import parse


def dense(values: np.ndarray, groups: np.ndarray, across: int) -> np.ndarray:
    """The same least squares with pixels of an inverse DCT, a full matrix and numpy's solver."""
    frequency = np.arange(8)
    # Values of the cosines at a block's ends, half a sample beyond its first and last one.
    ends = {place: np.cos((2 * place + 1) * frequency * np.pi / 16) for place in (-0.5, 7.5)}
    scale = np.where(frequency == 0, 1, np.sqrt(2))
    blocks = values.reshape(-1, 8, 8).astype(float)
    names = sorted(set(groups.tolist()) - {0})
    rows, wanted = [], []

    def row(signs: dict[int, float]) -> np.ndarray:
        out = np.zeros(len(names))
        for block, sign in signs.items():
            if groups[block]:
                out[names.index(groups[block])] += sign
        return out

    for block in range(len(blocks)):
        if block % across < across - 1:
            far, near = blocks[block, 0] * scale @ ends[7.5], blocks[block + 1, 0] * scale @ ends[-0.5]
            rows.append(row({block: 1, block + 1: -1}))
            wanted.append(near - far)
        if block + across < len(blocks):
            far, near = blocks[block, :, 0] * scale @ ends[7.5], blocks[block + across, :, 0] * scale @ ends[-0.5]
            rows.append(row({block: 1, block + across: -1}))
            wanted.append(near - far)
        if groups[block]:
            rows.append(np.sqrt(1e-3) * row({block: 1}))
            wanted.append(-np.sqrt(1e-3) * blocks[block, 0, 0])
    found = np.linalg.lstsq(np.array(rows), np.array(wanted), rcond=None)[0]
    full = np.concatenate([[0.0], found])
    return values[:, 0] + full[[0 if g == 0 else names.index(g) + 1 for g in groups]]


@pytest.mark.parametrize("nothing_known", [False, True])
def test_is_the_least_squares_solution(nothing_known: bool) -> None:
    generator = np.random.default_rng(3)
    values = (generator.normal(0, 60, (42, 64)) * (generator.random((42, 64)) < 0.3)).astype(np.int32)
    groups = np.zeros(42, dtype=np.int32)
    groups[3:11] = np.arange(4, 12)
    groups[12:20] = 12
    groups[30] = 31
    if nothing_known:
        groups[groups == 0] = 1
    expected = dense(values, groups, 7)
    complete_dc(values, groups, 7)
    assert np.abs(values[:, 0] - expected).max() < 2  # of 8 a grey level


def test_brings_all_lost_levels_of_a_smooth_picture_back() -> None:
    y, x = np.mgrid[0:96, 0:96]
    smooth = (128 + 50 * np.sin(x / 15) * np.cos(y / 20)).astype(np.uint8)
    found = read_coefficients(parse(encode(smooth, quality=95)))
    values = found.values * found.steps[0]
    expected = values[:, 0].copy()
    groups = np.arange(1, len(values) + 1, dtype=np.int32)
    groups[70] = 0
    values[groups > 0, 0] = 0
    complete_dc(values, groups, 12)
    assert np.abs(values[:, 0] - expected).mean() / 8 < 6  # grey levels
    assert np.corrcoef(values[:, 0], expected)[0, 1] > 0.98
