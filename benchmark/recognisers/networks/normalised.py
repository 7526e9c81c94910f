"""The networks on a CPU as they are run: pixels are normalised before onnxruntime, which changes no bit.

The graphs of `onnx_network` and `graph`, whose code is part of the templates' names, open with four operations that
make normalised planes of bytes. onnxruntime broadcasts three numbers over the last axis there, which takes it 0.4 ms a
sample: a tenth of a MobileFaceNet's time, a quarter of a small ShuffleFaceNet's. Plane by plane numpy takes 0.03 ms. So
the four are taken off the graph, and done here as they would be there: in float32, one rounding after the other.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from benchmark.interfaces import Samples

from .layers import Table
from .sessions import Sessions

Values: TypeAlias = npt.NDArray[np.float32]
#: What such a graph opens with.
_OPENING = ["Cast", "Sub", "Mul", "Transpose"]
#: Parameters under which two samples go together, as in `cpu`.
_SMALL = 2_000_000


def normalised_engine(
    graph: Callable[[int], bytes], columns: tuple[int, int], *, dimension: int, threads: int = 1, several: int = 1
) -> Sessions:
    """Samples (uint8, N x 112 x 112 x 3, RGB) -> templates (float32, N x D), the same bits as the whole graph's.

    `graph`: batch size -> the serialised model, as `onnx_network.model` and `graph.model` make it; `columns` are those
    that it sees. `threads` are those of one call; `several` samples go together where there are as many.
    Raises ValueError for a model that opens otherwise.
    """
    lone, mean, factor = without_opening(graph(1))
    together = (several, without_opening(graph(several))[0]) if several > 1 else None
    seen = slice(*columns)

    def planes(samples: Samples) -> Values:
        values = samples[:, :, seen].transpose(0, 3, 1, 2).astype(np.float32, order="C")
        values -= mean
        values *= factor
        return values

    return Sessions(lone, planes, dimension=dimension, threads=threads, several=together)


def table_engine(
    table: Table, graph: Callable[[int], bytes], columns: tuple[int, int], *, threads: int = 1
) -> Sessions:
    """`normalised_engine` for a network of the catalogue: the same bits as `cpu.cpu_engine`."""
    small = sum(math.prod(shape) for shape in table.shapes().values()) < _SMALL
    return normalised_engine(graph, columns, dimension=table.dimension, threads=threads, several=2 if small else 1)


def without_opening(serialised: bytes) -> tuple[bytes, Values, Values]:
    """The model without the operations that normalise, and the mean and factor of each channel (1 x 3 x 1 x 1).

    Its input is then float32, N x 3 x height x width. Raises ValueError for a model that opens otherwise.
    """
    import onnx
    from onnx import numpy_helper

    model = onnx.load_from_string(serialised)
    opening = model.graph.node[:4]
    if [node.op_type for node in opening] != _OPENING:
        raise ValueError(f"the graph does not open with {', '.join(_OPENING)}")
    constants = {tensor.name: tensor for tensor in model.graph.initializer}
    mean, factor = (numpy_helper.to_array(constants[node.input[1]]).reshape(1, 3, 1, 1) for node in opening[1:3])
    batch, height, width, _ = (size.dim_value for size in model.graph.input[0].type.tensor_type.shape.dim)
    planes = onnx.helper.make_tensor_value_info(opening[3].output[0], onnx.TensorProto.FLOAT, [batch, 3, height, width])
    del model.graph.node[:4], model.graph.input[:]
    model.graph.input.append(planes)
    rest: bytes = model.SerializeToString()
    return rest, mean, factor
