"""A table of layers for onnxruntime: the graph is built in memory from the table and the tensors.

On a CPU this is the fastest engine that needs no compiler (perf/recognisers.py). The graph sees to four things:

- batch normalisation is folded into the convolution or linear layer before it. The one that opens an IResNet block
  stands before a convolution whose border is padded with zeros, not with the normalised image of zero: it stays an
  operation of its own, which is exact;
- a PReLU with one slope is LeakyRelu, which onnxruntime runs within the convolution before it;
- a PReLU with a slope a channel is written with Relu and one depthwise 1 x 1 convolution (`_Graph.prelu`), since
  onnxruntime's own PRelu does not know the blocked layout of its convolutions and would reorder every tensor twice;
- channels are never shuffled. A unit's two halves are gathered from where their channels lie, and the weights of the
  next convolution take the order that they come in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from benchmark.recognisers.architecture import Input

from .layers import EPSILON, Chain, Convolution, Linear, Normalisation, Operation, PReLU, Residual, Shuffled, Table

Tensors: TypeAlias = Mapping[str, npt.NDArray[np.floating[Any]]]
Values: TypeAlias = npt.NDArray[np.float64]
Places: TypeAlias = npt.NDArray[np.int64]


@dataclass(frozen=True)
class _Image:
    """A value of the graph, and how its channels are to be read."""

    name: str
    #: Channel c of the network is `signs[c]` times channel `places[c]` of the value; None: all of one, in order.
    signs: Values | None = None
    places: Places | None = None


def model(table: Table, tensors: Tensors, image: Input, *, batch: int = 1) -> bytes:
    """The serialised ONNX model for one batch size N.

    `samples` (uint8, N x 112 x width x 3, RGB; the columns that `image` names) to `templates` (float32, N x D). All
    batch sizes give the same bits: convolutions go image by image, and linear layers are one operation a row.
    """
    from onnx import TensorProto, helper

    graph = _Graph(tensors, batch)
    first, end = image.columns
    samples = helper.make_tensor_value_info("samples", TensorProto.UINT8, [batch, 112, end - first, 3])
    value = graph.add("Cast", "samples", to=TensorProto.FLOAT)
    value = graph.add("Sub", value, graph.constant(image.mean))
    value = graph.add("Mul", value, graph.constant(1 / np.array(image.std)))
    x = _Image(graph.add("Transpose", value, perm=[0, 3, 1, 2]))
    for unit in table.units:
        if isinstance(unit, Chain):
            x = graph.run(x, unit.operations)
        elif isinstance(unit, Residual):
            x = graph.residual(x, unit)
        else:
            x = graph.shuffled(x, unit)
    graph.add("Flatten", x.name, output="templates")
    templates = helper.make_tensor_value_info("templates", TensorProto.FLOAT, [batch, table.dimension])
    whole = helper.make_graph(graph.nodes, table.name, [samples], [templates], graph.constants)
    # Versions that every onnxruntime from 1.17 on reads.
    serialised: bytes = helper.make_model(
        whole, opset_imports=[helper.make_opsetid("", 17)], ir_version=9
    ).SerializeToString()
    return serialised


class _Graph:
    """Nodes and constants, gathered in order."""

    def __init__(self, tensors: Tensors, batch: int) -> None:
        self._batch = batch
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self._tensors = tensors

    def constant(self, values: npt.ArrayLike, kind: type[Any] = np.float32) -> str:
        from onnx import numpy_helper

        name = f"constant{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(values, kind), name))
        return name

    def add(self, operation: str, *inputs: str, output: str = "", **attributes: Any) -> str:
        """Add a node; returns the name of its output."""
        from onnx import helper

        output = output or f"value{len(self.nodes)}"
        self.nodes.append(helper.make_node(operation, list(inputs), [output], **attributes))
        return output

    def tensor(self, name: str) -> Values:
        return self._tensors[name].astype(np.float64)

    def normalisation(self, operation: Normalisation) -> tuple[Values, Values]:
        """Factor and shift of each channel."""
        scale, shift, mean, variance = (
            self.tensor(f"{operation.name}.{part}") for part in ("weight", "bias", "running_mean", "running_var")
        )
        factor = scale / np.sqrt(variance + EPSILON)
        return factor, shift - mean * factor

    def run(self, x: _Image, operations: Sequence[Operation]) -> _Image:
        """Operations in a row behind x."""
        position = 0
        while position < len(operations):
            operation, behind = operations[position], operations[position + 1 : position + 3]
            normalisation = behind[0] if behind and isinstance(behind[0], Normalisation) else None
            if isinstance(operation, Normalisation):
                x = self.alone(x, operation)
            elif isinstance(operation, Linear):
                x = self.linear(x, operation, normalisation)
                position += normalisation is not None
            elif isinstance(operation, Convolution):
                after = behind[1:] if normalisation else behind[:1]
                activation = after[0] if after and isinstance(after[0], PReLU) else None
                x = self.convolution(x, operation, normalisation, activation)
                position += (normalisation is not None) + (activation is not None)
            else:
                raise NotImplementedError(f"{operation.name}: a PReLU without a convolution before it")
            position += 1
        return x

    def alone(self, x: _Image, operation: Normalisation) -> _Image:
        """Batch normalisation where it cannot be folded; it takes the signs of x back."""
        factor, shift = self.normalisation(operation)
        factor = factor if x.signs is None else factor * x.signs
        if x.places is not None:
            raise NotImplementedError(f"{operation.name}: batch normalisation of channels that are out of order")
        rest = (np.zeros_like(factor), np.ones_like(factor))  # a mean and a variance: both are in the factor already
        operands = [self.constant(values) for values in (factor, shift, *rest)]
        return _Image(self.add("BatchNormalization", x.name, *operands, epsilon=0.0))

    def linear(self, x: _Image, operation: Linear, normalisation: Normalisation | None) -> _Image:
        weights = self.tensor(f"{operation.name}.weight").reshape(operation.outputs, operation.inputs)
        bias = self.tensor(f"{operation.name}.bias")
        if x.signs is not None or x.places is not None:
            raise NotImplementedError(f"{operation.name}: a linear layer behind channels with signs or out of order")
        if normalisation is not None:
            factor, shift = self.normalisation(normalisation)
            weights, bias = weights * factor[:, None], bias * factor + shift
        flat, operands = self.add("Flatten", x.name), (self.constant(weights.T), self.constant(bias))
        if self._batch == 1:
            return _Image(self.add("Gemm", flat, *operands))
        # A product of several rows may sum in another order than that of one.
        rows = [self.add("Gather", flat, self.constant([row], np.int64), axis=0) for row in range(self._batch)]
        return _Image(self.add("Concat", *(self.add("Gemm", row, *operands) for row in rows), axis=0))

    def convolution(
        self, x: _Image, operation: Convolution, normalisation: Normalisation | None, activation: PReLU | None
    ) -> _Image:
        """A convolution with the normalisation and the activation behind it, as far as it has them."""
        weights, bias = self.tensor(f"{operation.name}.weight"), np.zeros(operation.outputs)
        if normalisation is not None:
            factor, bias = self.normalisation(normalisation)
            weights = weights * factor[:, None, None, None]
        places = None
        if operation.groups == 1:
            weights = weights if x.signs is None else weights * x.signs[None, :, None, None]
            weights = weights if x.places is None else weights[:, np.argsort(x.places)]
        else:  # depthwise: channels stay where they are
            weights = weights if x.signs is None else weights * x.signs[:, None, None, None]
            if x.places is not None:
                order, places = np.argsort(x.places), x.places
                weights, bias = weights[order], bias[order]
        if activation is not None and activation.slopes > 1:
            if places is not None:
                raise NotImplementedError(f"{activation.name}: slopes of channels that are out of order")
            return self.prelu(x.name, operation, weights, bias, self.tensor(f"{activation.name}.weight"))
        name = self.filter(x.name, operation, weights, bias)
        if activation is not None:
            name = self.add("LeakyRelu", name, alpha=float(self.tensor(f"{activation.name}.weight")[0]))
        return _Image(name, places=places)

    def filter(self, x: str, operation: Convolution, weights: Values, bias: Values) -> str:
        o = operation
        operands = x, self.constant(weights), self.constant(bias)
        kernel, strides, pads = [o.kernel] * 2, [o.stride] * 2, [o.padding] * 4
        return self.add("Conv", *operands, group=o.groups, kernel_shape=kernel, strides=strides, pads=pads)

    def prelu(self, x: str, operation: Convolution, weights: Values, bias: Values, slopes: Values) -> _Image:
        """A convolution with PReLU behind it, but for a sign in each channel.

        With gap g = 1 - slope folded into the convolution, its output is z = g x. Where g > 0,
        prelu(x) = slope / g z + relu(z); where g < 0, -prelu(x) = -1 / g z + relu(z). What comes next takes the sign
        back.
        """
        gap = 1 - slopes
        gap = np.where(np.abs(gap) < 1e-6, 1e-6, gap)  # a slope of exactly 1 would leave nothing of x
        z = self.filter(x, operation, weights * gap[:, None, None, None], bias * gap)
        factors = np.where(gap > 0, (1 - gap) / gap, -1 / gap).reshape(-1, 1, 1, 1)
        linear = self.add("Conv", z, self.constant(factors), group=len(gap), kernel_shape=[1, 1])
        return _Image(self.add("Add", linear, self.add("Relu", z)), np.sign(gap))

    def residual(self, x: _Image, unit: Residual) -> _Image:
        main = self.run(x, unit.main)
        beside = self.run(x, unit.shortcut)
        if main.signs is not None or beside.signs is not None:
            raise NotImplementedError("a sum of channels with signs")
        return _Image(self.add("Add", main.name, beside.name))

    def shuffled(self, x: _Image, unit: Shuffled) -> _Image:
        """Both branches, one behind the other; where each channel of the shuffled image lies is only noted.

        Channels 2i and 2i + 1 of the shuffled image are channels i of the left branch and of the right one.
        """
        own = [operation.outputs for operation in unit.right if isinstance(operation, Convolution)][-1]
        if unit.left:
            left, right = self.run(x, unit.left), self.run(x, unit.right)
        else:
            whole = np.arange(2 * own) if x.places is None else x.places
            left, right = self.gather(x.name, whole[:own]), self.run(self.gather(x.name, whole[own:]), unit.right)
        if right.places is not None or right.signs is not None or left.signs is not None:
            raise NotImplementedError("a branch whose channels have signs or are out of order")
        first = np.arange(own) if left.places is None else left.places
        places = np.stack([first, own + np.arange(own)], axis=1).reshape(-1)
        return _Image(self.add("Concat", left.name, right.name, axis=1), places=places)

    def gather(self, x: str, places: Places) -> _Image:
        """The channels at these places, in the order in which they lie: neighbours are copied together."""
        lying = np.sort(places)
        return _Image(
            self.add("Gather", x, self.constant(lying, np.int64), axis=1), places=np.searchsorted(lying, places)
        )
