"""RetinaFace with MobileNet 0.25 (Deng et al., CVPR 2020) in torch, batch normalisation folded into the convolutions.

Modules carry the names of the training code's tensors, so the file loads as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import cast

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils import fuse_conv_bn_eval

#: Pixels between neighbouring cells of the three feature maps.
STRIDES = (8, 16, 32)
ANCHORS_PER_CELL = 2
#: (inputs, outputs, first stride) of each depthwise separable convolution in the three stages of the body.
_BODY = (
    ((8, 16, 1), (16, 32, 2), (32, 32, 1), (32, 64, 2), (64, 64, 1)),
    ((64, 128, 2), (128, 128, 1), (128, 128, 1), (128, 128, 1), (128, 128, 1), (128, 128, 1)),
    ((128, 256, 2), (256, 256, 1)),
)
_WIDTH = 64  # channels of the pyramid
_SLOPE = 0.1  # of every leaky ReLU


def load_network(tensors: Mapping[str, npt.NDArray[np.float32]]) -> RetinaFace:
    """The network in evaluation mode, folded, channels last; raises RuntimeError where tensors do not fit it."""
    network = RetinaFace()
    # The file is known by its digest. The training counters that it holds are not needed.
    state = {name: torch.from_numpy(np.array(tensor)) for name, tensor in tensors.items()}
    network.load_state_dict(state)
    network.eval().requires_grad_(False)
    _fold(network)
    first = network.body["stage1"][0][0].weight  # type: ignore[index]
    first.copy_(first.flip(1).clone())  # trained on BGR; turning the weights over is cheaper than turning pictures
    return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


def _fold(module: nn.Module) -> None:
    """Every convolution takes in the batch normalisation that follows it."""
    for child in module.children():
        _fold(child)
    if isinstance(module, nn.Sequential):
        layers = list(module)
        for place, (layer, following) in enumerate(pairwise(layers)):
            if isinstance(layer, nn.Conv2d) and isinstance(following, nn.BatchNorm2d):
                module[place] = fuse_conv_bn_eval(layer, following)
                module[place + 1] = nn.Identity()


def _convolution(inputs: int, outputs: int, kernel: int = 3, stride: int = 1, *, linear: bool = False) -> nn.Sequential:
    layers: list[nn.Module] = [
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False),
        nn.BatchNorm2d(outputs),
    ]
    return nn.Sequential(*layers, *([] if linear else [nn.LeakyReLU(_SLOPE, inplace=True)]))


def _separable(inputs: int, outputs: int, stride: int) -> nn.Sequential:
    """A filter for each channel, then a mixture of channels."""
    return nn.Sequential(
        nn.Conv2d(inputs, inputs, 3, stride, 1, groups=inputs, bias=False),
        nn.BatchNorm2d(inputs),
        nn.LeakyReLU(_SLOPE, inplace=True),
        nn.Conv2d(inputs, outputs, 1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.LeakyReLU(_SLOPE, inplace=True),
    )


class _Pyramid(nn.Module):
    """Coarse maps are enlarged and added to finer ones (Lin et al., CVPR 2017)."""

    def __init__(self) -> None:
        super().__init__()
        self.output1 = _convolution(64, _WIDTH, 1)
        self.output2 = _convolution(128, _WIDTH, 1)
        self.output3 = _convolution(256, _WIDTH, 1)
        self.merge1 = _convolution(_WIDTH, _WIDTH)
        self.merge2 = _convolution(_WIDTH, _WIDTH)

    def forward(self, fine: Tensor, middle: Tensor, coarse: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        third = self.output3(coarse)
        second = self.output2(middle)
        second = self.merge2(second + functional.interpolate(third, size=second.shape[2:], mode="nearest"))
        first = self.output1(fine)
        first = self.merge1(first + functional.interpolate(second, size=first.shape[2:], mode="nearest"))
        return first, second, third


class _Context(nn.Module):
    """Three branches that see 3x3, 5x5 and 7x7 cells (SSH: Najibi et al., ICCV 2017)."""

    def __init__(self) -> None:
        super().__init__()
        half, quarter = _WIDTH // 2, _WIDTH // 4
        self.conv3X3 = _convolution(_WIDTH, half, linear=True)
        self.conv5X5_1 = _convolution(_WIDTH, quarter)
        self.conv5X5_2 = _convolution(quarter, quarter, linear=True)
        self.conv7X7_2 = _convolution(quarter, quarter)
        self.conv7x7_3 = _convolution(quarter, quarter, linear=True)

    def forward(self, x: Tensor) -> Tensor:
        shared = self.conv5X5_1(x)
        branches = self.conv3X3(x), self.conv5X5_2(shared), self.conv7x7_3(self.conv7X7_2(shared))
        return functional.relu(torch.cat(branches, 1))


class _Head(nn.Module):
    """`values` numbers for each anchor of each cell."""

    def __init__(self, values: int) -> None:
        super().__init__()
        self.values = values
        self.conv1x1 = nn.Conv2d(_WIDTH, ANCHORS_PER_CELL * values, 1)

    def forward(self, x: Tensor) -> Tensor:
        return cast(Tensor, self.conv1x1(x)).permute(0, 2, 3, 1).reshape(len(x), -1, self.values)


class RetinaFace(nn.Module):
    """Takes float32, N x 3 x H x W: as trained, BGR of 0..255 less (104, 117, 123); as loaded by `load_network`, RGB of
    0..255 less (123, 117, 104).

    Gives for each of the A anchors (in the order of `anchors.anchors`) two logits (nothing, face), N x A x 2; the
    encoded box, N x A x 4; and the five encoded landmarks, N x A x 10.
    """

    def __init__(self) -> None:
        super().__init__()
        stages = [[_separable(*layer) for layer in stage] for stage in _BODY]
        first = nn.Sequential(_convolution(3, 8, stride=2), *stages[0])
        self.body = nn.ModuleDict(
            {"stage1": first, "stage2": nn.Sequential(*stages[1]), "stage3": nn.Sequential(*stages[2])}
        )
        self.fpn = _Pyramid()
        self.ssh1, self.ssh2, self.ssh3 = _Context(), _Context(), _Context()
        self.ClassHead = nn.ModuleList(_Head(2) for _ in STRIDES)
        self.BboxHead = nn.ModuleList(_Head(4) for _ in STRIDES)
        self.LandmarkHead = nn.ModuleList(_Head(10) for _ in STRIDES)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        fine = self.body["stage1"](x)
        middle = self.body["stage2"](fine)
        maps = self.fpn(fine, middle, self.body["stage3"](middle))
        maps = [context(level) for context, level in zip((self.ssh1, self.ssh2, self.ssh3), maps, strict=True)]
        logits, boxes, landmarks = (
            torch.cat([head(level) for head, level in zip(heads, maps, strict=True)], 1)
            for heads in (self.ClassHead, self.BboxHead, self.LandmarkHead)
        )
        return logits, boxes, landmarks
