"""How a codebook is learned: principal components, mixture, metric. Used by tools/fit_fisher_vectors.py alone."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
from sklearn.cluster import MiniBatchKMeans

from .mixture import Floats, Mixture

#: Added to every variance: no component shrinks to a point of the grid.
VARIANCE_FLOOR = 5e-4
#: Features whose posteriors are held at a time.
BLOCK = 10_000
#: Vectors beyond this share of the largest variance are noise of rounding.
_NEGLIGIBLE = 1e-10


def fit_components(x: Floats, count: int) -> tuple[Floats, Floats]:
    """The mean (float32, D) of descriptors (N x D) and `count` principal components (float32, D x count).

    Components are scaled by one factor: the first has deviation 1.

    >>> mean, components = fit_components(np.array([[0, 0], [4, 0], [2, 1], [2, -1]], np.float32), 1)
    >>> mean.tolist(), abs(components).round(1).tolist() == [[np.float32(0.6)], [0]]
    ([2.0, 0.0], True)
    """
    mean = x.mean(axis=0, dtype=np.float64)
    variances, vectors = np.linalg.eigh(np.cov(x, rowvar=False, dtype=np.float64))
    kept = np.argsort(-variances, kind="stable")[:count]
    components = vectors[:, kept] / np.sqrt(variances[kept[0]])
    return mean.astype(np.float32), np.ascontiguousarray(components, np.float32)


def fit_mixture(x: Floats, count: int, *, generator: np.random.Generator, iterations: int = 15) -> Mixture:
    """A mixture of `count` Gaussians over features (float32, N x D): k-means, then expectation-maximisation.

    In float32, and so several times faster than scikit-learn's `GaussianMixture`, which starts and ends alike.
    """
    seed = int(generator.integers(2**31))
    start = MiniBatchKMeans(count, batch_size=4096, n_init=1, max_iter=30, random_state=seed).fit(x)
    nearest = np.eye(count, dtype=np.float32)
    mixture = _maximised(x, [nearest[labels] for labels in np.array_split(start.predict(x), len(x) // BLOCK + 1)])
    for _ in range(iterations):
        blocks = np.array_split(x, len(x) // BLOCK + 1)
        mixture = _maximised(x, (mixture.posteriors(block) for block in blocks))
    return mixture


def _maximised(x: Floats, posteriors: Iterable[Floats]) -> Mixture:
    """The most likely mixture, given which component made each feature; posteriors come in blocks of x, in order."""
    blocks = np.array_split(x, len(x) // BLOCK + 1)
    sums = [(q.sum(axis=0), q.T @ block, q.T @ (block * block)) for q, block in zip(posteriors, blocks, strict=True)]
    # Blocks are added up in float64; a component that lost all its features keeps a trace of weight.
    sizes, first, second = (np.sum([part[i] for part in sums], axis=0, dtype=np.float64) for i in range(3))
    sizes = np.maximum(sizes, 1e-3)
    means = first / sizes[:, None]
    variances = np.maximum(second / sizes[:, None] - means**2, 0) + VARIANCE_FLOOR
    return Mixture(*(part.astype(np.float32) for part in (sizes / sizes.sum(), means, variances)))


def fit_metric(
    vectors: Floats, subjects: npt.NDArray[np.str_], *, rank: int, shrinkage: float
) -> tuple[Floats, Floats]:
    """A metric of low rank over vectors (float32, N x P) of known subjects (N): matrix (float32, rank x P) and offset.

    Principal components, whitened; then whitened again by the covariance within subjects, mixed with the identity of
    equal trace by `shrinkage` (1: as without labels), since few subjects have several images. A template is matrix @
    vector - offset, compared by cosine. (Hatch and Stolcke, "Generalized linear kernels for one-versus-all
    classification: application to speaker recognition", ICASSP 2006: within-class covariance normalisation.)
    """
    mean = vectors.mean(axis=0, dtype=np.float64)
    centred = vectors - mean.astype(np.float32)
    values, directions = np.linalg.eigh((centred @ centred.T).astype(np.float64))
    kept = np.argsort(-values, kind="stable")[:rank]
    kept = kept[values[kept] > _NEGLIGIBLE * values[kept[0]]]
    # Whitened coordinates of the training images are the scaled left singular vectors.
    whitened = directions[:, kept] * np.sqrt(len(vectors))
    basis = centred.T @ (directions[:, kept] * np.sqrt(len(vectors)) / values[kept])
    within = _within(whitened, subjects)
    within *= len(kept) / np.trace(within)
    mixed = (1 - shrinkage) * within + shrinkage * np.eye(len(kept))
    root = np.linalg.cholesky(np.linalg.inv(mixed))
    matrix = (basis @ root).T.astype(np.float32)
    return matrix, (matrix @ mean).astype(np.float32)


def _within(x: npt.NDArray[np.float64], subjects: npt.NDArray[np.str_]) -> npt.NDArray[np.float64]:
    """The covariance within subjects, to each of which it is the same."""
    total = np.zeros((x.shape[1], x.shape[1]))
    several = [name for name, count in zip(*np.unique(subjects, return_counts=True), strict=True) if count > 1]
    for name in several:
        total += np.cov(x[subjects == name], rowvar=False)
    return total / len(several)


def quantised(matrix: Floats) -> tuple[npt.NDArray[np.int8], Floats]:
    """A matrix (float32, T x P) as bytes (int8, -127..127) and one scale a row (float32, T).

    >>> quantised(np.array([[0.5, -1.0]], np.float32))[0].tolist()
    [[64, -127]]
    """
    scale = np.maximum(np.abs(matrix).max(axis=1), np.finfo(np.float32).tiny) / np.float32(127)
    return np.rint(matrix / scale[:, None]).astype(np.int8), scale.astype(np.float32)
