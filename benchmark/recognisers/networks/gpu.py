"""A network of the catalogue on a GPU, in torch: deterministic kernels, no TF32."""

from __future__ import annotations

from typing import cast

import numpy as np
import torch

from benchmark.errors import InvalidInputError
from benchmark.interfaces import Samples, Templates
from benchmark.recognisers.architecture import Input

from .graph import Tensors
from .layers import Table
from .modules import Network


class TorchEngine:
    """Samples (uint8, N x 112 x 112 x 3, RGB) -> templates (float32, N x D).

    All passes are of `batch` samples, the last filled up with zeros: every sample goes through the same kernels,
    whatever else is in the call. Raises InvalidInputError where `cuda` is asked for and torch sees no GPU.
    """

    def __init__(self, table: Table, tensors: Tensors, image: Input, *, device: str = "cuda", batch: int = 64) -> None:
        if device == "cuda" and not torch.cuda.is_available():
            raise InvalidInputError("torch sees no GPU here; use device 'cpu', or a CUDA build of torch")
        self._device, self._batch, self._dimension = torch.device(device), batch, table.dimension
        self._network = network(table, tensors).to(self._device)
        self._columns = slice(*image.columns)
        self._mean = torch.tensor(image.mean, device=self._device)
        self._std = torch.tensor(image.std, device=self._device)

    def __call__(self, samples: Samples) -> Templates:
        out = np.empty((len(samples), self._dimension), np.float32)
        for start in range(0, len(samples), self._batch):
            part = samples[start : start + self._batch, :, self._columns]
            batch = np.zeros((self._batch, *part.shape[1:]), np.uint8)
            batch[: len(part)] = part
            out[start : start + self._batch] = self._pass(batch)[: len(part)]
        return out

    def _pass(self, batch: Samples) -> Templates:
        with torch.inference_mode(), torch.backends.cudnn.flags(deterministic=True, benchmark=False, allow_tf32=False):
            pixels = torch.from_numpy(batch).to(self._device).float()
            # Permuted, not copied: the images keep channels last, the layout that GPUs are fastest in.
            images = ((pixels - self._mean) / self._std).permute(0, 3, 1, 2)
            return cast(Templates, self._network(images).cpu().numpy())


def network(table: Table, tensors: Tensors) -> Network:
    """The network in evaluation mode with its weights (any floating type) as float32.

    Raises RuntimeError where a tensor is missing (`weights.read_weights` finds that earlier and says it better).
    """
    built = Network(table)
    state = {name: torch.from_numpy(tensor.astype(np.float32)) for name, tensor in tensors.items()}
    # The batch counters of training are neither needed nor part of what is checked.
    missing = [name for name in built.load_state_dict(state, strict=False).missing_keys if "num_batches" not in name]
    if missing:
        raise RuntimeError(f"missing tensors: {', '.join(missing)}")
    return built.eval().requires_grad_(False)
