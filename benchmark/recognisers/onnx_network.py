"""The MobileFaceNets for onnxruntime: the graph is built in memory from the table of layers and the tensors.

On a CPU this is the fastest engine that needs no compiler (perf/recognisers.py). The graph sees to two things:

- batch normalisation is folded into the convolutions, so that a layer is one pass;
- PReLU is written as a x + (1 - a) relu(x) with depthwise 1 x 1 convolutions. onnxruntime keeps convolutions in a
  blocked layout that its PRelu does not know: as an operator of its own it would reorder every tensor twice.

Samples go through one at a time. That is as fast as any batch (a batch no longer fits the cache), and a template does
not depend on what else is in the batch.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmark.interfaces import Samples, Templates

from .architecture import DIMENSION, EPSILON, Input, Layer, Variant, units

Tensors = Mapping[str, npt.NDArray[np.float32]]


def folded(layer: Layer, tensors: Tensors) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Weights and bias of the one convolution that equals a layer's convolution and batch normalisation."""
    names = (f"{layer.normalisation}.{part}" for part in ("weight", "bias", "running_mean", "running_var"))
    scale, shift, mean, variance = (tensors[name].astype(np.float64) for name in names)
    bias = tensors[f"{layer.convolution}.bias"].astype(np.float64) if layer.bias else 0.0
    factor = scale / np.sqrt(variance + EPSILON)
    weights = tensors[f"{layer.convolution}.weight"] * factor[:, None, None, None]
    return weights.astype(np.float32), ((bias - mean) * factor + shift).astype(np.float32)


class _Graph:
    """Nodes and constants, gathered in order; every operation returns the name of its output."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def constant(self, values: npt.ArrayLike) -> str:
        from onnx import numpy_helper

        name = f"constant{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(values, np.float32), name))
        return name

    def add(self, operation: str, *inputs: str, output: str = "", **attributes: Any) -> str:
        from onnx import helper

        output = output or f"value{len(self.nodes)}"
        self.nodes.append(helper.make_node(operation, list(inputs), [output], **attributes))
        return output

    def scaled(self, x: str, factors: npt.NDArray[np.float32]) -> str:
        """x times one factor a channel, as a depthwise 1 x 1 convolution."""
        weights = self.constant(factors.reshape(-1, 1, 1, 1))
        return self.add("Conv", x, weights, group=len(factors), kernel_shape=[1, 1])

    def layer(self, x: str, layer: Layer, tensors: Tensors) -> str:
        weights, bias = (self.constant(values) for values in folded(layer, tensors))
        groups = layer.inputs if layer.depthwise else 1
        strides, pads = [layer.stride] * 2, [layer.padding] * 4
        x = self.add("Conv", x, weights, bias, group=groups, kernel_shape=layer.kernel, strides=strides, pads=pads)
        if layer.activation == "relu":
            return self.add("Relu", x)
        if layer.activation == "relu6":
            return self.add("Clip", x, self.constant(0), self.constant(6))
        if layer.activation == "prelu":
            slopes = tensors[f"{layer.slopes}.weight"]
            return self.add("Add", self.scaled(x, slopes), self.scaled(self.add("Relu", x), 1 - slopes))
        return x


def model(variant: Variant, tensors: Tensors, image: Input) -> bytes:
    """The serialised ONNX model: `samples` (uint8, 1 x 112 x 112 x 3, RGB) to `templates` (float32, 1 x 128)."""
    from onnx import TensorProto, helper

    graph = _Graph()
    first, end = image.columns
    samples = helper.make_tensor_value_info("samples", TensorProto.UINT8, [1, 112, end - first, 3])
    x = graph.add("Cast", "samples", to=TensorProto.FLOAT)
    x = graph.add("Sub", x, graph.constant(image.mean))
    x = graph.add("Mul", x, graph.constant(1 / np.array(image.std)))
    x = graph.add("Transpose", x, perm=[0, 3, 1, 2])
    for unit in units(variant):
        before = x
        for layer in unit.layers:
            x = graph.layer(x, layer, tensors)
        if unit.shortcut:
            x = graph.add("Add", x, before)
    graph.add("Flatten", x, output="templates")
    templates = helper.make_tensor_value_info("templates", TensorProto.FLOAT, [1, DIMENSION])
    whole = helper.make_graph(graph.nodes, variant, [samples], [templates], graph.constants)
    # Versions that every onnxruntime from 1.17 on reads.
    serialised: bytes = helper.make_model(
        whole, opset_imports=[helper.make_opsetid("", 17)], ir_version=9
    ).SerializeToString()
    return serialised


class OnnxEngine:
    """Runs the network on the CPU, sample by sample."""

    def __init__(self, variant: Variant, tensors: Tensors, image: Input, *, threads: int = 1) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3  # errors only: its warnings are about its own optimisations
        serialised = model(variant, tensors, image)
        self._columns = slice(*image.columns)
        self._session = onnxruntime.InferenceSession(serialised, options, providers=["CPUExecutionProvider"])

    def __call__(self, samples: Samples) -> Templates:
        out = np.empty((len(samples), DIMENSION), np.float32)
        for number in range(len(samples)):
            one = np.ascontiguousarray(samples[number : number + 1, :, self._columns])
            out[number] = self._session.run(None, {"samples": one})[0][0]
        return out
