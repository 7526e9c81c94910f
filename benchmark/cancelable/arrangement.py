"""Blocks put where they belong without a key: a quadratic assignment problem, solved approximately.

An arrangement costs what `benchmark.cancelable.block_prior` says of each block at its place, and of each seam between
neighbours. The first part alone is a linear assignment problem, which is solved exactly, and again with what the faces'
factors then seem to be; the second is brought down by exchanging two blocks at a time, as long as that helps.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from math import lgamma, log

import numpy as np
import numpy.typing as npt
from numba import njit
from scipy.optimize import linear_sum_assignment

from benchmark.cancelable.block_prior import Values, borders, cut, differences, seams
from benchmark.cancelable.remapping import block_grid
from benchmark.interfaces import Learned, Samples

#: How uncertain the factors are in each round, as the share of their variance that is left.
ROUNDS = (1.0, 0.2, 0.05)
#: How much a seam counts against what is known of places: seams of one block are not independent.
SEAM_WEIGHT = 1.0
#: Sweeps over all pairs of places that may be exchanged.
SWEEPS = 8
#: An exchange that costs so much more by places alone is not looked at: seams would hardly make up for it.
REACH = 20.0
#: Blocks that fit badly say less about the face: degrees of freedom of the t distribution that they are taken to have.
FREEDOM = 8.0


def arrangement_bits(blocks: int, lost: int) -> float:
    """log2 of in how many ways the distinct blocks of a sample may be laid out: blocks! / lost!.

    Which blocks are copies of each other everybody sees, so no more than that is left to guess.

    >>> round(arrangement_bits(49, 0)), round(arrangement_bits(196, 49))
    (209, 1006)
    """
    return (lgamma(blocks + 1) - lgamma(lost + 1)) / log(2)


def distinct(blocks: Samples, kept: int) -> Samples:
    """The blocks (uint8, B x S x S x 3) of the original that are still there, `kept` of them where there are so many.

    Copies are told by their pixels. Blocks that were equal in the original already, as in a black margin, occur more
    often than others, and are kept more than once.
    """
    found, counts = np.unique(blocks.reshape(len(blocks), -1), axis=0, return_counts=True)
    copies = np.ones(len(found), np.int64)
    for _ in range(kept - len(found)):
        copies[np.argmax(counts / copies)] += 1
    return found.repeat(copies, axis=0).reshape(-1, *blocks.shape[1:])


@dataclass(frozen=True)
class Arranger:
    """Finds arrangements under a model that was learned (`learn_blocks`); prepared once for many samples."""

    learned: Learned
    #: For each round: what whitens a block at each place (places x d x d), and constants of its likelihood (places).
    whitening: tuple[tuple[Values, Values], ...]
    #: What blocks say about the factors: places x r x d, and places x r x r.
    reading: Values
    information: Values

    @classmethod
    def of(cls, learned: Learned) -> Arranger:
        """From what `learn_blocks` returned."""
        loadings, noise = learned["loadings"].astype(np.float64), learned["noise"].astype(np.float64)
        reading = loadings.swapaxes(1, 2) @ np.linalg.inv(noise)
        whitening = tuple(_whitening(noise + left * loadings @ loadings.swapaxes(1, 2)) for left in ROUNDS)
        return cls(learned, whitening, reading.astype(np.float32), (reading @ loadings).astype(np.float32))

    def arrange(self, tiles: Samples, grid: tuple[int, int]) -> tuple[npt.NDArray[np.int64], int]:
        """Which of K tiles (uint8, K x S x S x 3) lies at each place (int64; -1: none), and how many were looked at."""
        learned = self.learned
        x = (tiles.reshape(len(tiles), -1).astype(np.float32) - learned["centre"]) @ learned["basis"]
        expected = learned["mean"]
        for whitening in self.whitening:
            cost = _costs(x, expected, whitening)
            which, places = linear_sum_assignment(cost)
            expected = learned["mean"] + self._factors_shown(x[which], places, cost[which, places])
        at = np.full(len(expected), -1)
        at[places] = which
        right, left, bottom, top = borders(tiles)
        side_by_side = np.stack([differences(right, left), differences(bottom, top)])
        around = _around(*grid)
        looked_at = len(self.whitening)
        for _ in range(2):
            cost = _costs(x, expected, self.whitening[-1]).astype(np.float32)
            looked_at += _exchange(
                at, cost, side_by_side, around, learned["seams"], np.float32(SEAM_WEIGHT), np.float32(REACH), SWEEPS
            )
            places = np.flatnonzero(at >= 0)
            expected = learned["mean"] + self._factors_shown(x[at[places]], places, cost[at[places], places])
        return at, looked_at

    def _factors_shown(self, x: Values, places: npt.NDArray[np.int64], cost: Values) -> Values:
        """What the face's factors, as K blocks at their places show them, add to each block: places x d."""
        trust = (FREEDOM + x.shape[1]) / (FREEDOM + np.maximum(cost, 0))
        information = np.tensordot(trust, self.information[places], 1) + np.eye(self.information.shape[1])
        off = trust[:, None] * (x - self.learned["mean"][places])
        seen = np.tensordot(self.reading[places], off, axes=((0, 2), (0, 1)))
        return np.asarray(self.learned["loadings"] @ np.linalg.solve(information, seen).astype(np.float32))


def _whitening(covariances: npt.NDArray[np.float64]) -> tuple[Values, Values]:
    inverse = np.linalg.inv(np.linalg.cholesky(covariances))  # places x d x d: rows whiten
    constant = -2 * np.log(np.diagonal(inverse, axis1=1, axis2=2)).sum(axis=1)
    return inverse.astype(np.float32), (constant - constant.mean()).astype(np.float32)


def _costs(x: Values, expected: Values, whitening: tuple[Values, Values]) -> Values:
    """-2 log likelihood of each block (K x d) at each place: K x places, but for what all places have in common."""
    matrix, constant = whitening
    places, size = expected.shape
    off = (x @ matrix.reshape(-1, size).T).reshape(len(x), places, size)
    off -= (matrix @ expected[:, :, None])[:, :, 0]
    return np.asarray(np.einsum("kpe,kpe->kp", off, off) + constant)


@cache
def _around(rows: int, columns: int) -> npt.NDArray[np.int64]:
    """The seams around each place: int64, places x 4 x 4: neighbour, way, whether it comes first, seam; -1: none."""
    edges, places = seams(rows, columns), rows * columns
    around = np.full((places, 4, 4), -1, np.int64)
    taken = np.zeros(places, np.int64)
    for seam, (a, b, way) in enumerate(edges):
        for place, other, first in ((a, b, 0), (b, a, 1)):
            around[place, taken[place]] = other, way, first, seam
            taken[place] += 1
    return around


@njit(cache=True, nogil=True)
def _local(place, skip, at, cost, beside, around, linear, weight):  # type: ignore[no-untyped-def]
    """What the block at a place costs with its seams, but for the one to the place `skip`."""
    tile = at[place]
    if tile < 0:
        return np.float32(0)
    total = cost[tile, place]
    for number in range(4):
        other = around[place, number, 0]
        if other < 0 or other == skip or at[other] < 0:
            continue
        way, seam = around[place, number, 1], around[place, number, 3]
        s = beside[way, at[other], tile] if around[place, number, 2] else beside[way, tile, at[other]]
        total += 2 * weight * (linear[seam, 0] * s - linear[seam, 1])
    return total


@njit(cache=True, nogil=True)
def _exchange(at, cost, beside, around, linear, weight, reach, sweeps):  # type: ignore[no-untyped-def]
    """Exchanges what lies at two places wherever that costs less, in place; the number of exchanges looked at."""
    places, looked_at = len(at), 0
    for _ in range(sweeps):
        changed = False
        for one in range(places):
            own = _local(one, -1, at, cost, beside, around, linear, weight)
            for other in range(one + 1, places):
                here, there = at[one], at[other]
                if here < 0 and there < 0:
                    continue
                worse = np.float32(0)
                if here >= 0:
                    worse += cost[here, other] - cost[here, one]
                if there >= 0:
                    worse += cost[there, one] - cost[there, other]
                if worse > reach:
                    continue
                looked_at += 1
                before = own + _local(other, one, at, cost, beside, around, linear, weight)
                at[one], at[other] = there, here
                moved = _local(one, -1, at, cost, beside, around, linear, weight)
                if moved + _local(other, one, at, cost, beside, around, linear, weight) < before - np.float32(1e-3):
                    own, changed = moved, True
                else:
                    at[one], at[other] = here, there
        if not changed:
            break
    return looked_at


def rearranged(
    protected: Samples, arranger: Arranger, *, block_size: int, lost: int
) -> tuple[Samples, npt.NDArray[np.bool_], npt.NDArray[np.int64]]:
    """Every sample with its blocks where they seem to belong, which pixels are covered, arrangements looked at.

    uint8, N x H x W x 3; bool, N x H x W; int64, N. Each sample is solved by itself.
    """
    count, height, width, channels = protected.shape
    rows, columns = block_grid((height, width), block_size)
    shown = cut(protected, block_size)
    image, known, looked_at = np.zeros_like(shown), np.zeros(shown.shape[:2], np.bool_), np.zeros(count, np.int64)
    for number, blocks in enumerate(shown):
        tiles = distinct(blocks, rows * columns - lost)
        at, looked_at[number] = arranger.arrange(tiles, (rows, columns))
        known[number] = at >= 0
        image[number, at >= 0] = tiles[at[at >= 0]]
    whole = image.reshape(count, rows, columns, block_size, block_size, channels).swapaxes(2, 3)
    covered = known.reshape(count, rows, columns).repeat(block_size, axis=1).repeat(block_size, axis=2)
    return whole.reshape(protected.shape), covered, looked_at
