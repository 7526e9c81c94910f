"""Block re-mapping against a case written out by hand, and what its keyed map must keep to."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from benchmark.cancelable import block_grid, block_sources, remap_blocks
from benchmark.crypto import derive_key
from benchmark.errors import InvalidInputError

KEYS = [derive_key(bytes(32), "sample", str(number)) for number in range(2000)]


def test_blocks_of_two_by_two_by_hand() -> None:
    grey = np.array([[11, 12, 21, 22], [13, 14, 23, 24], [31, 32, 41, 42], [33, 34, 43, 44]], np.uint8)
    samples = np.stack([grey, grey + 100])[..., None].repeat(3, axis=3)
    # Blocks 0 1 / 2 3. The first sample: 3 goes everywhere but to the top right; the second: a permutation.
    moved = remap_blocks(samples, np.array([[3, 0, 3, 3], [1, 2, 3, 0]]), block_size=2)
    assert moved[0, ..., 1].tolist() == [[41, 42, 11, 12], [43, 44, 13, 14], [41, 42, 41, 42], [43, 44, 43, 44]]
    assert (moved[1, ..., 2] - 100).tolist() == [[21, 22, 31, 32], [23, 24, 33, 34], [41, 42, 11, 12], [43, 44, 13, 14]]


@given(
    st.integers(1, 60).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n - 1))),
    st.binary(min_size=32, max_size=32),
)
def test_exactly_so_many_sources_are_lost(size: tuple[int, int], key: bytes) -> None:
    blocks, lost = size
    sources = block_sources([key], blocks=blocks, lost=lost)
    assert sources.shape == (1, blocks)
    assert sources.min() >= 0
    assert sources.max() < blocks
    assert len(np.unique(sources)) == blocks - lost


def test_every_source_is_as_likely_at_every_target() -> None:
    sources = block_sources(KEYS, blocks=9, lost=3)
    for target in range(9):
        assert stats.chisquare(np.bincount(sources[:, target], minlength=9)).pvalue > 1e-4
    assert np.array_equal(sources[7:8], block_sources(KEYS[7:8], blocks=9, lost=3))
    # Golden: the rule in plain Python loops over OpenSSL's SHAKE256 of label and key.
    assert sources[0].tolist() == [1, 1, 1, 8, 0, 7, 3, 6, 8]


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="block_size 20 does not divide a sample of 112 x 112 pixels"):
        block_grid((112, 112), 20)
    with pytest.raises(InvalidInputError, match="49 of 49 source blocks cannot be lost"):
        block_sources(KEYS[:1], blocks=49, lost=49)
    with pytest.raises(InvalidInputError, match="sources of 2 samples are 2 x 4"):
        remap_blocks(np.zeros((2, 4, 4, 3), np.uint8), np.zeros((1, 4), np.int64), block_size=2)
