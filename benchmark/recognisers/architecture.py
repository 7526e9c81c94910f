"""What the two MobileFaceNets are made of, as a table: every layer, the names of its tensors, and their shapes.

Chen et al., "MobileFaceNets: Efficient CNNs for Accurate Real-Time Face Verification on Mobile Devices", CCBR 2018,
table 1.
The table is plain data: the files are checked against it, the CPU graph is built from it, and neither needs torch.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

Variant = Literal["ms1m", "casia"]
Activation = Literal["none", "relu", "relu6", "prelu"]

#: Inverted residuals: expansion, channels, repeats, stride of the first.
BLOCKS = ((2, 64, 5, 2), (4, 128, 1, 2), (2, 128, 6, 1), (4, 128, 1, 2), (2, 128, 2, 1))
DIMENSION = 128
#: torch's default of BatchNorm2d, with which both networks were trained.
EPSILON = 1e-5


@dataclass(frozen=True)
class Input:
    """What a network sees of a sample: columns (first, end) of it, then (pixel - mean) / std per channel, RGB."""

    columns: tuple[int, int]
    mean: tuple[float, float, float]
    std: tuple[float, float, float]


@dataclass(frozen=True)
class Layer:
    """A convolution, the batch normalisation behind it and an activation, with the names of their tensors."""

    convolution: str
    normalisation: str
    inputs: int
    outputs: int
    kernel: tuple[int, int] = (1, 1)
    stride: int = 1
    padding: int = 0
    depthwise: bool = False
    bias: bool = False
    activation: Activation = "none"
    slopes: str = ""

    def shapes(self) -> Iterator[tuple[str, tuple[int, ...]]]:
        """The name and shape of every tensor of this layer."""
        yield f"{self.convolution}.weight", (self.outputs, 1 if self.depthwise else self.inputs, *self.kernel)
        if self.bias:
            yield f"{self.convolution}.bias", (self.outputs,)
        for part in ("weight", "bias", "running_mean", "running_var"):
            yield f"{self.normalisation}.{part}", (self.outputs,)
        if self.slopes:
            yield f"{self.slopes}.weight", (self.outputs,)


@dataclass(frozen=True)
class Unit:
    """Layers in a row; with `shortcut`, the unit's input is added to its output."""

    layers: tuple[Layer, ...]
    shortcut: bool = False


def units(variant: Variant) -> list[Unit]:
    """The network from image to embedding.

    `ms1m` takes 112 x 112 (ReLU6), `casia` takes 112 x 96 (PReLU, one slope a channel); both give 128 numbers.

    >>> sum(len(unit.layers) for unit in units("ms1m")), units("casia")[2].shortcut, units("casia")[3].shortcut
    (51, False, True)
    """
    return _ms1m() if variant == "ms1m" else _casia()


def shapes(variant: Variant) -> dict[str, tuple[int, ...]]:
    """The name and shape of every tensor that the network needs.

    >>> shapes("casia")["linear7.conv.weight"]
    (512, 1, 7, 6)
    """
    return {name: shape for unit in units(variant) for layer in unit.layers for name, shape in layer.shapes()}


def _residuals() -> Iterator[tuple[int, int, int, int, int]]:
    """Number, inputs, inner channels, outputs and stride of each inverted residual."""
    number, inputs = 0, 64
    for expansion, outputs, repeats, first_stride in BLOCKS:
        for repeat in range(repeats):
            yield number, inputs, inputs * expansion, outputs, 1 if repeat else first_stride
            number, inputs = number + 1, outputs


def _ms1m() -> list[Unit]:
    three = (3, 3)
    network = [
        Unit((Layer("conv1.0", "conv1.1", 3, 64, three, 2, 1, activation="relu6"),)),
        Unit(
            (
                Layer("dw_conv.depthwise", "dw_conv.bn1", 64, 64, three, 1, 1, depthwise=True, activation="relu"),
                Layer("dw_conv.pointwise", "dw_conv.bn2", 64, 64, activation="relu"),
            )
        ),
    ]
    for number, inputs, inner, outputs, stride in _residuals():
        at = f"features.{number}.conv"
        expand = Layer(f"{at}.0.0", f"{at}.0.1", inputs, inner, activation="relu6")
        spatial = Layer(f"{at}.1.0", f"{at}.1.1", inner, inner, three, stride, 1, depthwise=True, activation="relu6")
        project = Layer(f"{at}.2", f"{at}.3", inner, outputs)
        network.append(Unit((expand, spatial, project), shortcut=stride == 1 and inputs == outputs))
    last = (
        Layer("conv2.0", "conv2.1", 128, 512, activation="relu6"),
        Layer("gdconv.depthwise", "gdconv.bn", 512, 512, (7, 7), depthwise=True),
        Layer("conv3", "bn", 512, DIMENSION, bias=True),
    )
    return [*network, Unit(last)]


def _casia() -> list[Unit]:
    three = (3, 3)
    network = [
        Unit((_prelu(Layer("conv1.conv", "conv1.bn", 3, 64, three, 2, 1), "conv1.prelu"),)),
        Unit((_prelu(Layer("dw_conv1.conv", "dw_conv1.bn", 64, 64, three, 1, 1, depthwise=True), "dw_conv1.prelu"),)),
    ]
    for number, inputs, inner, outputs, stride in _residuals():
        at = f"blocks.{number}.conv"
        expand = _prelu(Layer(f"{at}.0", f"{at}.1", inputs, inner), f"{at}.2")
        spatial = _prelu(Layer(f"{at}.3", f"{at}.4", inner, inner, three, stride, 1, depthwise=True), f"{at}.5")
        project = Layer(f"{at}.6", f"{at}.7", inner, outputs)
        network.append(Unit((expand, spatial, project), shortcut=stride == 1 and inputs == outputs))
    last = (
        _prelu(Layer("conv2.conv", "conv2.bn", 128, 512), "conv2.prelu"),
        Layer("linear7.conv", "linear7.bn", 512, 512, (7, 6), depthwise=True),
        Layer("linear1.conv", "linear1.bn", 512, DIMENSION),
    )
    return [*network, Unit(last)]


def _prelu(layer: Layer, slopes: str) -> Layer:
    return replace(layer, activation="prelu", slopes=slopes)
