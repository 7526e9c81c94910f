"""The CPU graph of the networks against their torch definition, and that nothing else changes a template."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime
import pytest
import torch

from benchmark.errors import InvalidInputError
from benchmark.interfaces import Samples
from benchmark.recognisers.architecture import Input
from benchmark.recognisers.cosine import cosine
from benchmark.recognisers.networks.catalogue import network_table
from benchmark.recognisers.networks.cpu import cpu_engine
from benchmark.recognisers.networks.gpu import TorchEngine, network
from benchmark.recognisers.networks.graph import model
from benchmark.recognisers.networks.layers import Linear, PReLU, Table

SEEN = Input((0, 112), (127.5, 120.0, 110.0), (128.0, 127.5, 60.0))
#: The two small ones; the others take seconds.
QUICK = ("shufflefacenet-0.5", "iresnet-narrow")
ALL = (*QUICK, "shufflefacenet-1", "arcface-r18")


def random_tensors(table: Table, seed: int = 7) -> dict[str, npt.NDArray[np.float32]]:
    """Weights of the scale that trained ones have; slopes below 0, above 1 and of exactly 1 occur."""
    rng = np.random.default_rng(seed)
    tensors: dict[str, npt.NDArray[np.float32]] = {}
    slopes = {f"{one.name}.weight" for one in table.operations() if isinstance(one, PReLU)}
    linear = {f"{one.name}.weight" for one in table.operations() if isinstance(one, Linear)}
    for name, shape in table.shapes().items():
        if len(shape) == 4 or name in linear:
            fan_in = np.prod(shape[1:])
            values = rng.standard_normal(shape, np.float32) * np.float32(np.sqrt(2 / fan_in))
        elif name.endswith("running_var"):
            values = rng.uniform(0.5, 2, shape)
        elif name.endswith(("running_mean", "bias")):
            values = rng.normal(0, 0.3, shape)
        elif name in slopes:
            values = rng.uniform(-0.5, 1.5, shape)
            if shape[0] > 1:
                values[:2] = 1
        else:
            values = rng.uniform(-0.5, 1.5, shape)
        tensors[name] = values.astype(np.float32)
    return tensors


def samples_of(count: int, seed: int = 0) -> Samples:
    return np.random.default_rng(seed).integers(0, 256, (count, 112, 112, 3), dtype=np.uint8)


@pytest.mark.parametrize("name", ALL)
def test_graph_equals_the_torch_definition(name: str) -> None:
    table, samples = network_table(name), samples_of(3)
    tensors = random_tensors(table)
    found = cpu_engine(table, tensors, SEEN)(samples)
    # Normalised here by hand, in float64, so that an error common to both engines would show.
    pixels = (samples - np.array(SEEN.mean)) / np.array(SEEN.std)
    with torch.inference_mode():
        images = torch.from_numpy(pixels.transpose(0, 3, 1, 2).astype(np.float32))
        expected = network(table, tensors)(images).numpy()
    assert found.shape == (3, table.dimension)
    assert (1 - cosine(found, expected) < 1e-5).all()
    np.testing.assert_allclose(found, expected, atol=1e-4 * np.abs(expected).max())
    in_torch = TorchEngine(table, tensors, SEEN, device="cpu", batch=4)(samples)
    np.testing.assert_allclose(in_torch, expected, atol=1e-4 * np.abs(expected).max())
    # Templates of different faces differ: a network that gives one vector for all would pass the above.
    assert cosine(found[:1], found[1:2])[0] < 1 - 1e-4


@pytest.mark.parametrize("name", QUICK)
def test_half_precision_is_widened(name: str) -> None:
    table, samples = network_table(name), samples_of(2)
    half = {key: value.astype(np.float16) for key, value in random_tensors(table).items()}
    whole = {key: value.astype(np.float32) for key, value in half.items()}
    assert np.array_equal(cpu_engine(table, half, SEEN)(samples), cpu_engine(table, whole, SEEN)(samples))


@pytest.mark.parametrize("name", QUICK)
def test_templates_depend_on_neither_batch_nor_threads(name: str) -> None:
    """To the bit."""
    table, samples = network_table(name), samples_of(5)
    tensors = random_tensors(table)
    one, two = cpu_engine(table, tensors, SEEN), cpu_engine(table, tensors, SEEN, threads=2)
    whole = one(samples)
    assert np.array_equal(np.concatenate([one(samples[:2]), one(samples[2:])]), whole)
    assert np.array_equal(one(samples[::-1])[::-1], whole)
    assert np.array_equal(two(samples), whole)
    for number in range(5):  # a lone sample is shared by both threads
        assert np.array_equal(two(samples[number : number + 1])[0], whole[number])
    assert one(samples[:0]).shape == (0, table.dimension)
    passes = TorchEngine(table, tensors, SEEN, device="cpu", batch=4)
    assert np.array_equal(passes(samples[4:]), passes(samples)[4:])


@pytest.mark.parametrize("name", QUICK)
def test_graph_is_one_that_onnx_accepts(name: str) -> None:
    table = network_table(name)
    tensors = {key: np.ones(shape, np.float32) for key, shape in table.shapes().items()}
    graph = onnx.load_from_string(model(table, tensors, SEEN, batch=2))
    onnx.checker.check_model(graph, full_check=True)
    operations = {node.op_type for node in graph.graph.node}
    assert not operations & {"PRelu", "Reshape"}  # what the docstring promises
    assert ("BatchNormalization" in operations) == (name == "iresnet-narrow")


@pytest.mark.parametrize("name", QUICK)
def test_batches_of_any_size_give_the_same_bits(name: str) -> None:
    table, samples = network_table(name), samples_of(4)
    tensors = random_tensors(table)

    def run(batch: int) -> npt.NDArray[np.float32]:
        session = onnxruntime.InferenceSession(
            model(table, tensors, SEEN, batch=batch), providers=["CPUExecutionProvider"]
        )
        parts = [session.run(None, {"samples": samples[at : at + batch]})[0] for at in range(0, 4, batch)]
        return np.concatenate(parts)

    assert np.array_equal(run(1), run(2))
    assert np.array_equal(run(1), run(4))


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_a_gpu_that_is_not_there_is_one_line() -> None:
    table = network_table("shufflefacenet-0.5")
    with pytest.raises(InvalidInputError, match="torch sees no GPU"):
        TorchEngine(table, random_tensors(table), SEEN)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="torch sees no GPU")
@pytest.mark.parametrize("name", QUICK)
def test_gpu_equals_the_graph(name: str) -> None:
    table, samples = network_table(name), samples_of(5)
    tensors = random_tensors(table)
    gpu = TorchEngine(table, tensors, SEEN)
    assert (1 - cosine(gpu(samples), cpu_engine(table, tensors, SEEN)(samples)) < 1e-4).all()
    assert np.array_equal(gpu(samples[:2]), gpu(samples)[:2])
