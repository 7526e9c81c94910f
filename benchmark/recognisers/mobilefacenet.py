"""MobileFaceNet: a small convolutional network, 128 numbers a face, compared by cosine.

Chen et al., "MobileFaceNets", CCBR 2018. Two trainings: `mobilefacenet-ms1m` and `mobilefacenet-casia` (weights.yaml).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

import numpy as np
import numpy.typing as npt

from benchmark.interfaces import Recogniser, Samples, Templates

from .aligned import require_aligned
from .architecture import DIMENSION, Input, Variant
from .cosine import cosine, cosine_all

Device = Literal["cpu", "cuda"]


class MobileFaceNet(Recogniser):
    """onnxruntime on a CPU, torch on a GPU: the same network, equal within 1e-4 in cosine, not to the bit.

    `load_recogniser` takes it for GPUs alone. On CPUs it loads `networks.normalised`, which is quicker, and which tests
    hold to the bits of what is here, since the code here is what digests name.

    Raises InvalidInputError where a GPU is asked for and there is none. `threads` are those of one `embed` call.
    """

    dimension = DIMENSION

    def __init__(
        self,
        id: str,
        variant: Variant,
        tensors: Mapping[str, npt.NDArray[np.float32]],
        image: Input,
        *,
        digest: str,
        weights: Mapping[str, str],
        device: Device = "cpu",
        threads: int = 1,
    ) -> None:
        self.id, self.digest, self.weights = id, digest, weights
        self._engine = _engine(variant, tensors, image, device, threads)

    def embed(self, samples: Samples) -> Templates:
        require_aligned(samples)
        return self._engine(samples)

    def compare(self, a: Templates, b: Templates) -> npt.NDArray[np.float32]:
        return cosine(a, b)

    def compare_all(self, a: Templates, b: Templates) -> npt.NDArray[np.float32]:
        return cosine_all(a, b)


def _engine(
    variant: Variant, tensors: Mapping[str, npt.NDArray[np.float32]], image: Input, device: Device, threads: int
) -> Callable[[Samples], Templates]:
    # Each engine takes a second and much memory to import: only the one that is used.
    if device == "cpu":
        from .onnx_network import OnnxEngine

        return OnnxEngine(variant, tensors, image, threads=threads)
    from .torch_network import TorchEngine

    return TorchEngine(variant, tensors, image, device=device)
