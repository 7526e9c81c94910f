"""A MobileFaceNet on several threads of a CPU: each takes samples of its own, and all share a lone one.

Apart from `mobilefacenet`, whose code is part of the templates' names: how work is shared out changes no bit of them.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from benchmark.interfaces import Samples

from .architecture import DIMENSION, Input, Variant
from .mobilefacenet import MobileFaceNet
from .networks.sessions import Sessions
from .onnx_network import model


class ThreadedMobileFaceNet(MobileFaceNet):
    """As `MobileFaceNet` on the device `cpu`, with `threads` for each `embed` call."""

    def __init__(
        self,
        id: str,
        variant: Variant,
        tensors: Mapping[str, npt.NDArray[np.float32]],
        image: Input,
        *,
        digest: str,
        weights: Mapping[str, str],
        threads: int,
    ) -> None:
        super().__init__(id, variant, tensors, image, digest=digest, weights=weights)
        columns = slice(*image.columns)

        def crop(samples: Samples) -> Samples:
            return np.ascontiguousarray(samples[:, :, columns])

        self._engine = Sessions(model(variant, tensors, image), crop, dimension=DIMENSION, threads=threads)
