"""The MobileFaceNets in torch: the reference that the CPU graph is checked against, and the network used on a GPU.

Modules carry the names of their training code's tensors, so the files load as they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from benchmark.errors import InvalidInputError
from benchmark.interfaces import Samples, Templates

from .architecture import BLOCKS, DIMENSION, Input, Variant


class TorchEngine:
    """Runs the network in torch; deterministic kernels, no TF32.

    All passes are of `batch` samples, the last filled up with zeros: every sample goes through the same kernels,
    whatever else is in the call. Raises InvalidInputError where `cuda` is asked for and torch sees no GPU.
    """

    def __init__(
        self,
        variant: Variant,
        tensors: Mapping[str, npt.NDArray[np.float32]],
        image: Input,
        *,
        device: str = "cuda",
        batch: int = 64,
    ) -> None:
        if device == "cuda" and not torch.cuda.is_available():
            raise InvalidInputError("torch sees no GPU here; use device 'cpu', or a CUDA build of torch")
        self._device, self._batch = torch.device(device), batch
        self._network = network(variant, tensors).to(self._device)
        self._columns = slice(*image.columns)
        self._mean = torch.tensor(image.mean, device=self._device)
        self._std = torch.tensor(image.std, device=self._device)

    def __call__(self, samples: Samples) -> Templates:
        out = np.empty((len(samples), DIMENSION), np.float32)
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


def network(variant: Variant, tensors: Mapping[str, npt.NDArray[np.float32]]) -> nn.Module:
    """The network in evaluation mode with its weights loaded.

    Takes float32, N x 3 x 112 x 112 (`ms1m`) or N x 3 x 112 x 96 (`casia`), normalised; gives float32, N x 128.
    Raises RuntimeError where a tensor is missing (`weights.read` finds that earlier and says it better).
    """
    model = MobileFaceNetReLU6() if variant == "ms1m" else MobileFaceNetPReLU()
    state = {name: torch.from_numpy(np.array(tensor)) for name, tensor in tensors.items()}
    # The batch counters of training are neither needed nor part of what is checked.
    missing = [name for name in model.load_state_dict(state, strict=False).missing_keys if "num_batches" not in name]
    if missing:
        raise RuntimeError(f"missing tensors: {', '.join(missing)}")
    return model.eval().requires_grad_(False)


def _convolution(
    inputs: int, outputs: int, kernel: int | tuple[int, int] = 1, stride: int = 1, groups: int = 1, bias: bool = False
) -> nn.Conv2d:
    padding = 1 if kernel == 3 else 0
    return nn.Conv2d(inputs, outputs, kernel, stride, padding, groups=groups, bias=bias)


class _Residual(nn.Module):
    """Expand, filter each channel, project; the input is added where shapes allow."""

    def __init__(self, layers: list[nn.Module], shortcut: bool) -> None:
        super().__init__()
        self.conv = nn.Sequential(*layers)
        self.shortcut = shortcut

    def forward(self, x: Tensor) -> Tensor:
        out = cast(Tensor, self.conv(x))
        return x + out if self.shortcut else out


def _relu6(
    inputs: int, outputs: int, kernel: int | tuple[int, int] = 1, stride: int = 1, groups: int = 1
) -> nn.Sequential:
    return nn.Sequential(
        _convolution(inputs, outputs, kernel, stride, groups), nn.BatchNorm2d(outputs), nn.ReLU6(inplace=True)
    )


class MobileFaceNetReLU6(nn.Module):
    """The `ms1m` network (github.com/foamliu/MobileFaceNet)."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = _relu6(3, 64, 3, 2)
        self.dw_conv = nn.ModuleDict(
            {
                "depthwise": _convolution(64, 64, 3, groups=64),
                "bn1": nn.BatchNorm2d(64),
                "pointwise": _convolution(64, 64),
                "bn2": nn.BatchNorm2d(64),
            }
        )
        blocks: list[nn.Module] = []
        inputs = 64
        for expansion, outputs, repeats, first_stride in BLOCKS:
            for stride in (first_stride, *[1] * (repeats - 1)):
                inner = inputs * expansion
                layers = [_relu6(inputs, inner), _relu6(inner, inner, 3, stride, inner)]
                tail = [_convolution(inner, outputs), nn.BatchNorm2d(outputs)]
                blocks.append(_Residual([*layers, *tail], shortcut=stride == 1 and inputs == outputs))
                inputs = outputs
        self.features = nn.Sequential(*blocks)
        self.conv2 = _relu6(inputs, 512)
        self.gdconv = nn.ModuleDict({"depthwise": _convolution(512, 512, 7, groups=512), "bn": nn.BatchNorm2d(512)})
        self.conv3 = _convolution(512, DIMENSION, bias=True)
        self.bn = nn.BatchNorm2d(DIMENSION)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv1(x)
        x = torch.relu(self.dw_conv["bn1"](self.dw_conv["depthwise"](x)))
        x = torch.relu(self.dw_conv["bn2"](self.dw_conv["pointwise"](x)))
        x = self.conv2(self.features(x))
        x = self.gdconv["bn"](self.gdconv["depthwise"](x))
        return cast(Tensor, self.bn(self.conv3(x)).flatten(1))


class _Block(nn.Module):
    """Convolution, batch normalisation and, unless linear, a PReLU with one slope a channel."""

    def __init__(self, convolution: nn.Conv2d, linear: bool = False) -> None:
        super().__init__()
        self.conv = convolution
        self.bn = nn.BatchNorm2d(convolution.out_channels)
        self.prelu = None if linear else nn.PReLU(convolution.out_channels)

    def forward(self, x: Tensor) -> Tensor:
        x = self.bn(self.conv(x))
        return x if self.prelu is None else cast(Tensor, self.prelu(x))


class MobileFaceNetPReLU(nn.Module):
    """The `casia` network (github.com/Xiaoccer/MobileFaceNet_Pytorch)."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = _Block(_convolution(3, 64, 3, 2))
        self.dw_conv1 = _Block(_convolution(64, 64, 3, groups=64))
        blocks: list[nn.Module] = []
        inputs = 64
        for expansion, outputs, repeats, first_stride in BLOCKS:
            for stride in (first_stride, *[1] * (repeats - 1)):
                inner = inputs * expansion
                expand = [_convolution(inputs, inner), nn.BatchNorm2d(inner), nn.PReLU(inner)]
                spatial = [_convolution(inner, inner, 3, stride, inner), nn.BatchNorm2d(inner), nn.PReLU(inner)]
                tail = [_convolution(inner, outputs), nn.BatchNorm2d(outputs)]
                blocks.append(_Residual([*expand, *spatial, *tail], shortcut=stride == 1 and inputs == outputs))
                inputs = outputs
        self.blocks = nn.Sequential(*blocks)
        self.conv2 = _Block(_convolution(inputs, 512))
        self.linear7 = _Block(_convolution(512, 512, (7, 6), groups=512), linear=True)
        self.linear1 = _Block(_convolution(512, DIMENSION), linear=True)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv2(self.blocks(self.dw_conv1(self.conv1(x))))
        return cast(Tensor, self.linear1(self.linear7(x)).flatten(1))
