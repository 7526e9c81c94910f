"""Blocks put back, and holes filled harmonically: against a linear solver and closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from pictures import make_picture

from benchmark.cancelable.filling import filled, put_back
from benchmark.cancelable.remapping import block_sources, remap_blocks
from benchmark.crypto import derive_key
from benchmark.errors import InvalidInputError

KEYS = [derive_key(bytes(32), "sample", str(number)) for number in range(3)]
SAMPLES = np.stack([make_picture(48, 32, seed) for seed in range(3)])


@pytest.mark.parametrize("lost", [0, 5, 20])
def test_what_was_not_lost_comes_back_exactly(lost: int) -> None:
    sources = block_sources(KEYS, blocks=24, lost=lost)
    image, known = put_back(remap_blocks(SAMPLES, sources, block_size=8), sources, block_size=8)
    assert known.sum() == 3 * (24 - lost) * 64
    assert np.array_equal(image[known], SAMPLES[known])
    whole = filled(image, known)
    assert np.array_equal(whole[known], SAMPLES[known])
    if not lost:
        assert np.array_equal(whole, SAMPLES)


def test_a_plane_is_completed_to_a_plane() -> None:
    y, x = np.mgrid[0:48, 0:48]
    plane = (20 + 2 * x + y).astype(np.uint8)[None, ..., None].repeat(3, axis=3)
    known = np.ones((1, 48, 48), bool)
    known[:, 16:32, 10:26] = False
    holed = plane * known[..., None]
    assert abs(filled(holed, known, sweeps=100).astype(int) - plane).max() <= 1


def test_a_hole_is_harmonic_as_a_linear_solver_finds_it() -> None:
    known = np.ones((1, 48, 32), bool)
    known[:, 8:24, 8:24] = False
    known[:, 40:, :8] = False  # in a corner: neighbours that there are
    found = filled(SAMPLES[:1] * known[..., None], known, sweeps=300)[0]
    index = np.full((48, 32), -1)
    index[~known[0]] = np.arange((~known).sum())
    matrix, right = np.zeros((index.max() + 1,) * 2), np.zeros((index.max() + 1, 3))
    for row, column in np.argwhere(~known[0]):
        for r, c in ((row - 1, column), (row + 1, column), (row, column - 1), (row, column + 1)):
            if 0 <= r < 48 and 0 <= c < 32:
                matrix[index[row, column], index[row, column]] += 1
                if known[0, r, c]:
                    right[index[row, column]] += SAMPLES[0, r, c]
                else:
                    matrix[index[row, column], index[r, c]] -= 1
    assert abs(found[~known[0]] - np.linalg.solve(matrix, right)).max() < 1


def test_nothing_known_is_grey_and_shapes_have_to_fit() -> None:
    assert (filled(SAMPLES[:1], np.zeros((1, 48, 32), bool)) == 128).all()
    with pytest.raises(InvalidInputError, match="3 x 24"):
        put_back(SAMPLES, np.zeros((3, 4), np.int64), block_size=8)
