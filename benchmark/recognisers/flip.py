"""Flip-sum: a sample and its mirror image, embedded apart, their templates added.

A face and its mirror image are of one person, and what a network errs in is not the same in both: the usual second pass
of face verification (e.g. Deng et al., "ArcFace", CVPR 2019).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from benchmark.interfaces import Recogniser, Samples, Templates


class FlipSum(Recogniser):
    """A recogniser of network templates, with the sum of two templates for each sample; twice its time.

    >>> from benchmark.recognisers.networks.embedder import Embedder
    >>> first = lambda samples: samples[:, 0, 0].astype(np.float32)
    >>> both = FlipSum("corner+flip", Embedder("corner", first, dimension=3, digest="", weights={}), digest="")
    >>> samples = np.zeros((1, 112, 112, 3), np.uint8)
    >>> samples[0, 0, 0], samples[0, 0, 111] = 1, 2
    >>> both.embed(samples).tolist()
    [[3.0, 3.0, 3.0]]
    """

    def __init__(self, id: str, single: Recogniser, *, digest: str) -> None:
        self.id, self.digest = id, digest
        self.dimension, self.weights = single.dimension, single.weights
        self._single = single

    def embed(self, samples: Samples) -> Templates:
        # Two calls, not one of twice the samples: a lone sample stays one.
        return self._single.embed(samples) + self._single.embed(np.ascontiguousarray(samples[:, :, ::-1]))

    def compare(self, a: Templates, b: Templates) -> npt.NDArray[np.float32]:
        return self._single.compare(a, b)

    def compare_all(self, a: Templates, b: Templates) -> npt.NDArray[np.float32]:
        return self._single.compare_all(a, b)
