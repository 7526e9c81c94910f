"""Arrangements found without keys: exact where the prior is, against scipy's densities and exhaustive search."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from pictures import make_picture
from scipy.stats import multivariate_normal

from benchmark.cancelable import arrangement
from benchmark.cancelable.arrangement import Arranger, arrangement_bits, distinct, rearranged
from benchmark.cancelable.block_prior import cut, learn_blocks, seams
from benchmark.cancelable.remapping import block_sources, remap_blocks
from benchmark.crypto import derive_key

KEYS = [derive_key(bytes(32), "sample", str(number)) for number in range(3)]


def alike(count: int, seed: int = 0) -> np.ndarray:
    """One picture in which no two blocks are alike, with a little noise and another light in each photograph."""
    random = np.random.default_rng(seed)
    light = random.normal(0, 8, (count, 1, 1, 1))
    noisy = make_picture(48, 48, 1) + light + random.normal(0, 2, (count, 48, 48, 3))
    return noisy.round().clip(0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def arranger() -> Arranger:
    return Arranger.of(learn_blocks(alike(60), block_size=8))


@pytest.mark.parametrize("lost", [0, 9, 24])
def test_where_the_prior_is_exact_every_block_comes_back(arranger: Arranger, lost: int) -> None:
    samples = alike(3, seed=9)
    sources = block_sources(KEYS, blocks=36, lost=lost)
    image, covered, looked_at = rearranged(
        remap_blocks(samples, sources, block_size=8), arranger, block_size=8, lost=lost
    )
    assert np.array_equal(image[covered], samples[covered])
    for number in range(3):
        kept = np.isin(np.arange(36), sources[number]).reshape(6, 6).repeat(8, axis=0).repeat(8, axis=1)
        assert np.array_equal(covered[number], kept)
    assert (looked_at > 0).all()
    assert looked_at.max() < 2 ** arrangement_bits(36, lost)


def test_a_sample_alone_is_arranged_as_in_a_batch(arranger: Arranger) -> None:
    samples = remap_blocks(alike(3, seed=9), block_sources(KEYS, blocks=36, lost=9), block_size=8)
    together = rearranged(samples, arranger, block_size=8, lost=9)[0]
    assert np.array_equal(rearranged(samples[1:2], arranger, block_size=8, lost=9)[0][0], together[1])
    assert rearranged(samples[:0], arranger, block_size=8, lost=9)[0].shape == (0, 48, 48, 3)


def test_costs_are_normal_likelihoods(arranger: Arranger) -> None:
    learned = arranger.learned
    size = learned["basis"].shape[1]
    x = np.random.default_rng(2).normal(0, 50, (5, size)).astype(np.float32)
    cost = arrangement._costs(x, learned["mean"], arranger.whitening[0])
    expected = np.empty((5, 36))
    for place in range(36):
        loadings = learned["loadings"][place].astype(float)
        covariance = learned["noise"][place].astype(float) + loadings @ loadings.T
        expected[:, place] = -2 * multivariate_normal(learned["mean"][place], covariance).logpdf(x)
    apart = cost - expected  # the same for all
    assert apart == pytest.approx(np.full((5, 36), apart.mean()), abs=1e-3 * expected.max())


def test_no_exchange_of_two_is_left_that_would_cost_less() -> None:
    random = np.random.default_rng(4)
    rows, columns, tiles = 2, 3, 5
    cost = random.normal(size=(tiles, 6)).astype(np.float32)
    beside = random.normal(size=(2, tiles, tiles)).astype(np.float32)
    edges = seams(rows, columns)
    linear = random.uniform(0.5, 2, (len(edges), 2)).astype(np.float32)

    def energy(at: np.ndarray) -> float:
        total = sum(cost[tile, place] for place, tile in enumerate(at) if tile >= 0)
        for (a, b, way), (slope, offset) in zip(edges, linear, strict=True):
            if at[a] >= 0 and at[b] >= 0:
                total += 2 * 0.7 * (slope * beside[way, at[a], at[b]] - offset)
        return float(total)

    best = min(energy(np.array(at)) for at in itertools.permutations([0, 1, 2, 3, 4, -1]))
    reached = []
    for start in range(6):
        at = np.roll(np.array([0, 1, 2, 3, 4, -1]), start)
        before = energy(at)
        arrangement._exchange(
            at, cost, beside, arrangement._around(rows, columns), linear, np.float32(0.7), np.float32(1e9), 50
        )
        assert sorted(at) == [-1, 0, 1, 2, 3, 4]
        assert energy(at) <= before
        reached.append(energy(at))
        for one, other in itertools.combinations(range(6), 2):
            swapped = at.copy()
            swapped[[one, other]] = swapped[[other, one]]
            assert energy(swapped) >= reached[-1] - 2e-3
    assert min(reached) == pytest.approx(best, abs=1e-4)


def test_copies_are_told_from_blocks_that_were_equal_already() -> None:
    blocks = cut(make_picture(16, 16)[None], 8)[0]
    black = np.zeros_like(blocks[0])
    # Of six blocks of the original four are kept: two of a black margin, 0 and 1.
    shown = np.stack([black, blocks[0], black, blocks[1], black, blocks[0]])
    found = distinct(shown, 4)
    assert sorted(one.tobytes() for one in found) == sorted(
        one.tobytes() for one in (black, black, blocks[0], blocks[1])
    )
    assert len(distinct(blocks[[0, 1, 2, 2]], 3)) == 3


@pytest.mark.parametrize(("blocks", "lost"), [(4, 0), (49, 0), (49, 24), (196, 49)])
def test_bits_are_those_of_the_number_of_arrangements(blocks: int, lost: int) -> None:
    number = math.factorial(blocks) // math.factorial(lost)
    assert arrangement_bits(blocks, lost) == pytest.approx(math.log2(number))
