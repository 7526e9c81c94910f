"""What runs against what the digest names: the whole graph, pixels normalised in it. All to the bit."""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime
import pytest

from benchmark.interfaces import Samples
from benchmark.recognisers.architecture import Input
from benchmark.recognisers.networks.catalogue import network_table
from benchmark.recognisers.networks.cpu import cpu_engine
from benchmark.recognisers.networks.graph import Tensors, model
from benchmark.recognisers.networks.layers import Table
from benchmark.recognisers.networks.modules import Network
from benchmark.recognisers.networks.normalised import table_engine, without_opening

#: Two that go two at a time, and one that does not.
NAMES = ("shufflefacenet-0.5", "iresnet-narrow", "shufflefacenet-1.5")
#: One whose factors are powers of two, and one whose numbers no float32 holds exactly.
INPUTS = (
    Input((0, 112), (127.5,) * 3, (128.0,) * 3),
    Input((0, 112), (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)),
)


def samples_of(count: int) -> Samples:
    return np.random.default_rng(0).integers(0, 256, (count, 112, 112, 3), dtype=np.uint8)


def tensors_of(table: Table) -> Tensors:
    return {key: value.numpy() for key, value in Network(table).state_dict().items()}


@pytest.mark.parametrize("image", INPUTS)
@pytest.mark.parametrize("name", NAMES)
def test_templates_are_those_of_the_whole_graph(name: str, image: Input) -> None:
    table, samples = network_table(name), samples_of(5)
    tensors = tensors_of(table)
    expected = cpu_engine(table, tensors, image)(samples)
    assert np.ptp(expected) > 0
    for threads in (1, 2):
        engine = table_engine(
            table, lambda batch: model(table, tensors, image, batch=batch), image.columns, threads=threads
        )
        assert np.array_equal(engine(samples), expected)
        assert np.array_equal(engine(samples[3:4]), expected[3:4])
        assert engine(samples[:0]).shape == (0, table.dimension)


def test_normalised_planes_are_those_within_the_graph() -> None:
    """Every byte in every channel, against the four operations run by themselves."""
    table, image = network_table("shufflefacenet-0.5"), INPUTS[1]
    serialised = model(table, tensors_of(table), image)
    _, mean, factor = without_opening(serialised)
    whole = onnx.load_from_string(serialised)
    del whole.graph.node[4:], whole.graph.output[:]
    name = whole.graph.node[3].output[0]
    whole.graph.output.append(onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [1, 3, 112, 112]))
    session = onnxruntime.InferenceSession(whole.SerializeToString(), providers=["CPUExecutionProvider"])
    samples = np.resize(np.arange(256, dtype=np.uint8)[:, None].repeat(3, axis=1), (1, 112, 112, 3))
    expected = session.run(None, {"samples": samples})[0]
    assert np.array_equal((samples.transpose(0, 3, 1, 2).astype(np.float32) - mean) * factor, expected)


def test_a_graph_that_opens_otherwise_is_refused() -> None:
    table = network_table("shufflefacenet-0.5")
    rest, _, _ = without_opening(model(table, tensors_of(table), INPUTS[0]))
    with pytest.raises(ValueError, match="Cast, Sub, Mul, Transpose"):
        without_opening(rest)
