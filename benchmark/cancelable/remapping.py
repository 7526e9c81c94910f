"""Block re-mapping: the blocks of the protected sample are filled from blocks of the original that the key chooses.

Many targets may have one source, so that some blocks of the original are nowhere in the protected sample: what is lost
so cannot be had back, whoever knows the key.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from benchmark.cancelable.expansion import expand
from benchmark.errors import InvalidInputError
from benchmark.interfaces import Samples


def block_sources(keys: Sequence[bytes], *, blocks: int, lost: int) -> npt.NDArray[np.int64]:
    """The source of each target block under each of N 32-byte keys: int64, N x blocks, numbers of source blocks.

    `lost` source blocks (0..blocks - 1) are left out, chosen by the key; every other one is used at least once, and the
    targets that are left over take one of these again, each uniformly. With `lost` 0 it is a permutation. Raises
    InvalidInputError for another `lost`.

    >>> sources = block_sources([bytes(32)], blocks=16, lost=4)[0]
    >>> len(sources), len(set(sources.tolist()))
    (16, 12)
    """
    if not 0 <= lost < blocks:
        raise InvalidInputError(f"{lost} of {blocks} source blocks cannot be lost: it has to be 0 to {blocks - 1}")
    return np.stack([_sources(key, blocks, lost) for key in keys]) if len(keys) else np.zeros((0, blocks), np.int64)


def _sources(key: bytes, blocks: int, lost: int) -> npt.NDArray[np.int64]:
    """Of one key. 64 random bits a number: the bias of a choice is below 2^-40, ties of an order are as rare."""
    words = np.frombuffer(expand(key, 8 * (2 * blocks + lost), "block sources", str(blocks), str(lost)), "<u8")
    kept = np.argsort(words[:blocks], kind="stable")[: blocks - lost]
    again = (words[2 * blocks :] >> np.uint64(32)) * np.uint64(len(kept)) >> np.uint64(32)
    places = np.argsort(words[blocks : 2 * blocks], kind="stable")
    sources: npt.NDArray[np.int64] = np.concatenate([kept, kept[again.astype(np.int64)]])[places]
    return sources


def remap_blocks(samples: Samples, sources: npt.NDArray[np.int64], *, block_size: int) -> Samples:
    """The samples (uint8, N x H x W x 3) with target block t filled from source block `sources[n, t]`.

    Blocks of `block_size` x `block_size` pixels are numbered row by row. Raises InvalidInputError where they do not
    divide the sides or `sources` is not N x blocks.

    >>> sample = np.arange(4, dtype=np.uint8).reshape(1, 2, 2, 1).repeat(3, axis=3)
    >>> remap_blocks(sample, np.array([[3, 3, 0, 1]]), block_size=1)[0, ..., 0].tolist()
    [[3, 3], [0, 1]]
    """
    count, height, width, channels = samples.shape
    rows, columns = block_grid((height, width), block_size)
    if sources.shape != (count, rows * columns):
        raise InvalidInputError(f"sources of {count} samples are {count} x {rows * columns}, not {sources.shape}")
    blocks = samples.reshape(count, rows, block_size, columns, block_size, channels).swapaxes(2, 3)
    moved = blocks.reshape(count, rows * columns, block_size**2 * channels)[np.arange(count)[:, None], sources]
    back = moved.reshape(count, rows, columns, block_size, block_size, channels).swapaxes(2, 3)
    return back.reshape(samples.shape)


def block_grid(shape: tuple[int, int], block_size: int) -> tuple[int, int]:
    """Rows and columns of blocks in a sample of (height, width); raises InvalidInputError where some would be cut.

    >>> block_grid((112, 112), 16)
    (7, 7)
    """
    if block_size < 1 or shape[0] % block_size or shape[1] % block_size:
        raise InvalidInputError(f"block_size {block_size} does not divide a sample of {shape[1]} x {shape[0]} pixels")
    return shape[0] // block_size, shape[1] // block_size
