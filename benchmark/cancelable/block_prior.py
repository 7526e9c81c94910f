"""Where a block of an aligned face belongs: a model learned from faces whose blocks stand in their places.

Every block is described by `d` principal components that all blocks share. The face as a whole has `r` factors (light,
skin, pose, hair), each standard normal; given these, the block at place p is normal with a covariance of that place:

    block_p = mean_p + loadings_p z + noise_p

(a mixture of places of factor analysers with the factors in common; Ghahramani and Hinton, 1996). A seam between
neighbours is described by the logarithm of how far the two borders, continued towards each other, differ; a linear
discriminant for each seam of the grid tells neighbours from blocks that only have been laid side by side.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.spatial.distance import cdist

from benchmark.cancelable.remapping import block_grid
from benchmark.errors import InvalidInputError
from benchmark.interfaces import Learned, Samples

Values: TypeAlias = npt.NDArray[np.float32]

#: Principal components of a block, beside one for each pixel of its side; there are at most as many as numbers in it.
COMPONENTS = 8
#: Factors of a face; at most one for five samples.
FACTORS = 60
#: Share of a place's covariance that comes from that of all places: the more, the fewer samples.
SHRINKAGE = 0.05
#: Added to a difference before its logarithm is taken, in grey levels: what quantisation hides.
GRAIN = 1.0


def cut(samples: Samples, block_size: int) -> Samples:
    """The blocks of N samples (uint8, N x H x W x 3), row by row: uint8, N x blocks x block_size x block_size x 3.

    >>> cut(np.arange(12, dtype=np.uint8).reshape(1, 2, 2, 3), 1)[0, 2].tolist()
    [[[6, 7, 8]]]
    """
    count, height, width, channels = samples.shape
    rows, columns = block_grid((height, width), block_size)
    blocks = samples.reshape(count, rows, block_size, columns, block_size, channels).swapaxes(2, 3)
    return blocks.reshape(count, rows * columns, block_size, block_size, channels)


def borders(blocks: npt.NDArray[Any]) -> tuple[Values, Values, Values, Values]:
    """Right, left, bottom and top border of blocks (... x S x S x 3), continued half a pixel: each ... x 3 S.

    A continuation adds half the step from the pixel before, so that a slope goes on through a seam.
    """
    x = blocks.astype(np.float32)
    inner = min(1, x.shape[-2] - 1)  # a block of one pixel has no slope

    def continued(last: Values, before: Values) -> Values:
        return (1.5 * last - 0.5 * before).reshape(*x.shape[:-3], -1)

    return (
        continued(x[..., :, -1, :], x[..., :, -1 - inner, :]),
        continued(x[..., :, 0, :], x[..., :, inner, :]),
        continued(x[..., -1, :, :], x[..., -1 - inner, :, :]),
        continued(x[..., 0, :, :], x[..., inner, :, :]),
    )


def seams(rows: int, columns: int) -> npt.NDArray[np.int64]:
    """The seams of a grid: int64, E x 3: block, its neighbour, 0 if that is to the right and 1 if it is below.

    >>> seams(2, 2).tolist()
    [[0, 1, 0], [2, 3, 0], [0, 2, 1], [1, 3, 1]]
    """
    number = np.arange(rows * columns).reshape(rows, columns)
    across = [(a, b, 0) for a, b in zip(number[:, :-1].ravel(), number[:, 1:].ravel(), strict=True)]
    down = [(a, b, 1) for a, b in zip(number[:-1].ravel(), number[1:].ravel(), strict=True)]
    return np.array(across + down, np.int64).reshape(-1, 3)


def difference(one: Values, other: Values) -> Values:
    """How badly borders (... x 3 S) go on in each other: the logarithm of their mean absolute difference."""
    return np.asarray(np.log(np.abs(one - other).mean(axis=-1) + np.float32(GRAIN)))


def differences(ones: Values, others: Values) -> Values:
    """`difference` of each of K borders (K x 3 S) to each of L: K x L.

    >>> x = np.array([[1.0, 2.0, 3.0], [4.0, 4.0, 4.0]], np.float32)
    >>> bool(np.allclose(differences(x, x), difference(x[:, None], x[None])))
    True
    """
    return np.asarray(np.log(cdist(ones, others, "cityblock") / ones.shape[1] + GRAIN), np.float32)


def learn_blocks(originals: Samples, *, block_size: int) -> Learned:
    """The model from N faces (uint8, N x H x W x 3), at least 2 of them; raises InvalidInputError for fewer."""
    if len(originals) < 2:
        raise InvalidInputError(
            f"where blocks belong cannot be learned from {len(originals)} samples, only from 2 or more"
        )
    rows, columns = block_grid((originals.shape[1], originals.shape[2]), block_size)
    blocks = cut(originals, block_size)
    basis, centre = _components(blocks)
    places = blocks.shape[1]
    x = np.stack([(one.reshape(places, -1) - centre) @ basis for one in blocks])
    mean = x.mean(axis=0)
    loadings, noise = _factors(x - mean)
    return {
        "basis": basis, "centre": centre, "mean": mean, "loadings": loadings, "noise": noise,
        "seams": _discriminants(blocks, seams(rows, columns)),
    }  # fmt: skip


def _components(blocks: Samples) -> tuple[Values, Values]:
    """Basis (T x d) and centre (T) of all blocks, taken together."""
    flat = blocks.reshape(len(blocks), blocks.shape[1], -1)
    size = flat.shape[-1]
    total, product = np.zeros(size), np.zeros((size, size))
    for one in flat:
        x = one.astype(np.float32)
        total += x.sum(axis=0)
        product += x.T @ x
    centre = total / (len(flat) * flat.shape[1])
    vectors = np.linalg.eigh(product / (len(flat) * flat.shape[1]) - np.outer(centre, centre))[1]
    return vectors[:, : -1 - min(COMPONENTS + blocks.shape[2], size) : -1].astype(np.float32), centre.astype(np.float32)


def _factors(x: Values) -> tuple[Values, Values]:
    """Loadings (places x d x r) of centred faces (N x places x d), and covariances (places x d x d) of what is left."""
    count, places, size = x.shape
    factors = min(FACTORS, max(1, count // 5))
    flat = x.reshape(count, -1)
    vectors = np.linalg.eigh(flat @ flat.T)[1]
    z = vectors[:, -factors:] * np.sqrt(np.float32(count))
    loadings = flat.T @ z / count
    rest = (flat - z @ loadings.T).reshape(count, places, size)
    noise = np.einsum("npi,npj->pij", rest, rest, optimize=True) / (count - factors)
    noise = (1 - SHRINKAGE) * noise + SHRINKAGE * noise.mean(axis=0)
    noise += np.eye(size, dtype=np.float32)  # a grey level of rounding
    return loadings.reshape(places, size, factors).astype(np.float32), noise.astype(np.float32)


def _discriminants(blocks: Samples, edges: npt.NDArray[np.int64]) -> Values:
    """Each seam's cost, slope * difference - offset, as slope and offset (E x 2); below 0: neighbours are likelier."""
    right, left, bottom, top = borders(blocks)
    ends, starts = np.stack([right, bottom]), np.stack([left, top])
    block, neighbour, way = edges.T
    found = np.empty((len(edges), 2), np.float32)
    for number, (a, b, w) in enumerate(zip(block, neighbour, way, strict=True)):
        beside = difference(ends[w, :, a], starts[w, :, b])
        # Blocks of the same sample that have been laid there: a step through all places but the right one.
        other = (b + 1 + np.arange(len(blocks)) % (blocks.shape[1] - 1)) % blocks.shape[1]
        apart = difference(ends[w, :, a], starts[w, np.arange(len(blocks)), other])
        spread = (beside.var() + apart.var()) / 2 + 1e-3
        slope = max(apart.mean() - beside.mean(), 0) / spread
        found[number] = slope, slope * (apart.mean() + beside.mean()) / 2
    return found
