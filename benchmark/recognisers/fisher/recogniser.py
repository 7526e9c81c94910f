"""Fisher vector faces: dense descriptors, a mixture of Gaussians, and a learned metric of low rank; compared by cosine.

Simonyan, Parkhi, Vedaldi, Zisserman, "Fisher Vector Faces in the Wild" (BMVC 2013). What differs is in
docs/fisher-vectors.md.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
from threadpoolctl import ThreadpoolController

from benchmark.interfaces import Recogniser, Samples, Templates
from benchmark.recognisers.aligned import require_aligned
from benchmark.recognisers.cosine import cosine, cosine_all
from benchmark.recognisers.lbp import grey

from .codebook import Codebook, read_codebook
from .codebooks import codebook_path, codebook_sha256
from .descriptors import Sampling, describe, positions
from .encoding import fisher_vector, normalised
from .metric import product
from .mixture import Floats, Mixture


def face_vector(
    image: npt.NDArray[np.uint8], sampling: Sampling, mean: Floats, components: Floats, mixture: Mixture
) -> Floats:
    """The normalised Fisher vector (float32, K (C + 2)) of a grey sample (uint8, 112 x 112)."""
    return normalised(fisher_vector(local_features(image, sampling, mean, components), mixture)).reshape(-1)


def local_features(image: npt.NDArray[np.uint8], sampling: Sampling, mean: Floats, components: Floats) -> Floats:
    """Principal components of a grey sample's descriptors, with row and column beside them: float32, N x (C + 2)."""
    # The mean is taken off what the product gives, which has fewer numbers than the descriptors.
    found = describe(image, sampling) @ components
    found -= mean @ components
    return np.concatenate([found, positions(sampling.patches, sampling.step)], axis=1)


class FisherVectors(Recogniser):
    """Templates of a codebook. One sample at a time and on one thread, so that no template depends on its batch."""

    def __init__(self, id: str, codebook: Codebook, *, digest: str, weights: Mapping[str, str]) -> None:
        self.id = id
        self.digest = digest
        self.weights = weights
        self.dimension = len(codebook.scale)
        self._codebook = codebook
        self._threads = ThreadpoolController()

    def embed(self, samples: Samples) -> Templates:
        require_aligned(samples)
        templates = np.empty((len(samples), self.dimension), np.float32)
        with self._threads.limit(limits=1):
            for image, template in zip(grey(samples), templates, strict=True):
                template[:] = self._template(image)
        return templates

    def _template(self, image: npt.NDArray[np.uint8]) -> Floats:
        book = self._codebook
        vector = face_vector(image, book.sampling, book.mean, book.components, book.mixture)
        return product(book.metric, vector) * book.scale - book.offset

    def compare(self, a: Templates, b: Templates) -> npt.NDArray[np.float32]:
        return cosine(a, b)

    def compare_all(self, a: Templates, b: Templates) -> npt.NDArray[np.float32]:
        return cosine_all(a, b)


def load_fisher_vectors(id: str, *, digest: str) -> FisherVectors:
    """`fv-sift` or `fv-brief`, from the codebook inside the package.

    Raises InvalidInputError for an unknown id and for a codebook that is missing or damaged.
    """
    path, sha256 = codebook_path(id), codebook_sha256(id)
    return FisherVectors(id, read_codebook(path, sha256=sha256), digest=digest, weights={path.name: sha256})
