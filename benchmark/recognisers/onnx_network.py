"""The MobileFaceNets for onnxruntime: the graph is built in memory from the table of layers and the tensors.

On a CPU this is the fastest engine that needs no compiler (perf/recognisers.py). The graph sees to two things:

- batch normalisation is folded into the convolutions, so that a layer is one pass;
- PReLU is written with Relu and one depthwise 1 x 1 convolution (`_Graph.prelu`). onnxruntime keeps convolutions in a
  blocked layout that its PRelu does not know: as an operator of its own it would reorder every tensor twice, which
  makes the whole network three times slower.

Samples go through one at a time. That is as fast as any batch (a batch no longer fits the cache), and a template does
not depend on what else is in the batch.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmark.interfaces import Samples, Templates

from .architecture import DIMENSION, EPSILON, Input, Layer, Variant, units

Tensors = Mapping[str, npt.NDArray[np.float32]]


Values = npt.NDArray[np.float64]


def folded(layer: Layer, tensors: Tensors) -> tuple[Values, Values]:
    """Weights and bias of the one convolution that equals a layer's convolution and batch normalisation."""
    names = (f"{layer.normalisation}.{part}" for part in ("weight", "bias", "running_mean", "running_var"))
    scale, shift, mean, variance = (tensors[name].astype(np.float64) for name in names)
    bias = tensors[f"{layer.convolution}.bias"].astype(np.float64) if layer.bias else 0.0
    factor = scale / np.sqrt(variance + EPSILON)
    weights = tensors[f"{layer.convolution}.weight"] * factor[:, None, None, None]
    return weights, (bias - mean) * factor + shift


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

    def convolution(self, x: str, layer: Layer, weights: Values, bias: Values) -> str:
        groups = layer.inputs if layer.depthwise else 1
        strides, pads = [layer.stride] * 2, [layer.padding] * 4
        operands = x, self.constant(weights), self.constant(bias)
        return self.add("Conv", *operands, group=groups, kernel_shape=layer.kernel, strides=strides, pads=pads)

    def prelu(self, x: str, layer: Layer, weights: Values, bias: Values, slopes: Values) -> tuple[str, Values]:
        """A convolution with PReLU behind it, but for a sign in each channel; these signs are the second result.

        With gap g = 1 - slope folded into the convolution, its output is z = g x. Where g > 0,
        prelu(x) = slope / g z + relu(z); where g < 0, -prelu(x) = -1 / g z + relu(z). The next convolution takes the
        sign back.
        """
        gap = 1 - slopes
        gap = np.where(np.abs(gap) < 1e-6, 1e-6, gap)  # a slope of exactly 1 would leave nothing of x
        z = self.convolution(x, layer, weights * gap[:, None, None, None], bias * gap)
        factors = np.where(gap > 0, (1 - gap) / gap, -1 / gap).reshape(-1, 1, 1, 1)
        linear = self.add("Conv", z, self.constant(factors), group=len(gap), kernel_shape=[1, 1])
        return self.add("Add", linear, self.add("Relu", z)), np.sign(gap)

    def layer(self, x: str, signs: Values | None, layer: Layer, tensors: Tensors) -> tuple[str, Values | None]:
        """One layer behind x, whose channels are to be read with `signs`; the same two things of its output."""
        weights, bias = folded(layer, tensors)
        if signs is not None:
            weights = weights * (signs[:, None, None, None] if layer.depthwise else signs[None, :, None, None])
        if layer.activation == "prelu":
            return self.prelu(x, layer, weights, bias, tensors[f"{layer.slopes}.weight"].astype(np.float64))
        x = self.convolution(x, layer, weights, bias)
        if layer.activation == "relu":
            x = self.add("Relu", x)
        elif layer.activation == "relu6":
            x = self.add("Clip", x, self.constant(0), self.constant(6))
        return x, None


def model(variant: Variant, tensors: Tensors, image: Input, *, batch: int = 1) -> bytes:
    """The serialised ONNX model for one batch size N.

    `samples` (uint8, N x 112 x width x 3, RGB; the columns that `image` names) to `templates` (float32, N x 128).
    """
    from onnx import TensorProto, helper

    graph = _Graph()
    first, end = image.columns
    samples = helper.make_tensor_value_info("samples", TensorProto.UINT8, [batch, 112, end - first, 3])
    x = graph.add("Cast", "samples", to=TensorProto.FLOAT)
    x = graph.add("Sub", x, graph.constant(image.mean))
    x = graph.add("Mul", x, graph.constant(1 / np.array(image.std)))
    x = graph.add("Transpose", x, perm=[0, 3, 1, 2])
    signs: Values | None = None
    for unit in units(variant):
        before = x  # without signs where it is added: the unit before one with a shortcut ends in a linear layer
        for layer in unit.layers:
            x, signs = graph.layer(x, signs, layer, tensors)
        if unit.shortcut:
            x = graph.add("Add", x, before)
    graph.add("Flatten", x, output="templates")
    templates = helper.make_tensor_value_info("templates", TensorProto.FLOAT, [batch, DIMENSION])
    whole = helper.make_graph(graph.nodes, variant, [samples], [templates], graph.constants)
    # Versions that every onnxruntime from 1.17 on reads.
    serialised: bytes = helper.make_model(
        whole, opset_imports=[helper.make_opsetid("", 17)], ir_version=9
    ).SerializeToString()
    return serialised


class OnnxEngine:
    """Runs the network on the CPU, sample by sample; with several threads, a sample a thread.

    (One sample shared by two threads would make them wait for each other after every layer.)
    """

    def __init__(self, variant: Variant, tensors: Tensors, image: Input, *, threads: int = 1) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3  # errors only: its warnings are about its own optimisations
        serialised = model(variant, tensors, image)
        self._columns, self._threads = slice(*image.columns), threads
        self._session = onnxruntime.InferenceSession(serialised, options, providers=["CPUExecutionProvider"])

    def __call__(self, samples: Samples) -> Templates:
        out = np.empty((len(samples), DIMENSION), np.float32)

        def one(number: int) -> None:
            crop = np.ascontiguousarray(samples[number : number + 1, :, self._columns])
            out[number] = self._session.run(None, {"samples": crop})[0][0]

        if self._threads == 1:
            for number in range(len(samples)):
                one(number)
        else:
            with ThreadPoolExecutor(self._threads) as pool:
                list(pool.map(one, range(len(samples))))  # a list, so that an error is raised here
        return out
