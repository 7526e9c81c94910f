"""A network of the catalogue, or any other, as a recogniser: templates compared by cosine."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

from benchmark.interfaces import Recogniser, Samples, Templates
from benchmark.recognisers.aligned import require_aligned
from benchmark.recognisers.cosine import cosine, cosine_all


class Embedder(Recogniser):
    """`engine` makes templates (float32, N x D) of samples (uint8, N x 112 x 112 x 3, RGB): see `cpu` and `gpu`.

    `embed` raises InvalidInputError for samples of another type or shape.
    """

    def __init__(
        self,
        id: str,
        engine: Callable[[Samples], Templates],
        *,
        dimension: int,
        digest: str,
        weights: Mapping[str, str],
    ) -> None:
        self.id, self.dimension, self.digest, self.weights = id, dimension, digest, weights
        self._engine = engine

    def embed(self, samples: Samples) -> Templates:
        require_aligned(samples)
        return self._engine(samples)

    def compare(self, a: Templates, b: Templates) -> npt.NDArray[np.float32]:
        return cosine(a, b)

    def compare_all(self, a: Templates, b: Templates) -> npt.NDArray[np.float32]:
        return cosine_all(a, b)
