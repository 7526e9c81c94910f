"""The CPU graph against the torch definition, independence of the batch, and accuracy on LFW."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch
from PIL import Image

from benchmark.errors import InvalidInputError
from benchmark.interfaces import Recogniser, Samples
from benchmark.recognisers import load_recogniser
from benchmark.recognisers.architecture import DIMENSION, Variant, shapes
from benchmark.recognisers.cosine import cosine
from benchmark.recognisers.networks.normalised import normalised_engine
from benchmark.recognisers.onnx_network import OnnxEngine, model
from benchmark.recognisers.torch_network import TorchEngine, network
from benchmark.recognisers.weights import find_weights, known_weights, read_weights

VARIANTS: tuple[Variant, ...] = ("ms1m", "casia")
INPUT = {weights.variant: weights.input for weights in known_weights().values()}


def _random_tensors(variant: Variant) -> dict[str, npt.NDArray[np.float32]]:
    """Weights of the scale that trained ones have; slopes below 0 and above 1 occur as they do in the real file."""
    rng = np.random.default_rng(7)
    tensors = {}
    for name, shape in shapes(variant).items():
        if len(shape) == 4:
            values = rng.normal(size=shape) * np.sqrt(2 / np.prod(shape[1:]))
        elif name.endswith("running_var"):
            values = rng.uniform(0.5, 2, shape)
        elif name.endswith("running_mean") or name.endswith("bias"):
            values = rng.normal(0, 0.3, shape)
        else:
            values = rng.uniform(-0.5, 1.5, shape)
        tensors[name] = values.astype(np.float32)
    if variant == "casia":
        tensors["conv1.prelu.weight"][:2] = 1  # the slope with which a PReLU does nothing
    return tensors


def _samples(count: int, seed: int = 0) -> Samples:
    return np.random.default_rng(seed).integers(0, 256, (count, 112, 112, 3), dtype=np.uint8)


@pytest.mark.parametrize("variant", VARIANTS)
def test_table_names_the_tensors_of_the_torch_definition(variant: Variant) -> None:
    state = network(variant, _random_tensors(variant)).state_dict()
    expected = {name: tuple(tensor.shape) for name, tensor in state.items() if "num_batches" not in name}
    assert shapes(variant) == expected


@pytest.mark.parametrize("variant", VARIANTS)
def test_missing_tensors_are_named(variant: Variant) -> None:
    tensors = _random_tensors(variant)
    name = sorted(tensors)[0]
    del tensors[name]
    with pytest.raises(RuntimeError, match=name):
        network(variant, tensors)


@pytest.mark.parametrize("variant", VARIANTS)
def test_graph_equals_the_torch_definition(variant: Variant) -> None:
    tensors, samples = _random_tensors(variant), _samples(5)
    found = OnnxEngine(variant, tensors, INPUT[variant])(samples)
    # Normalised here by hand, in float64, so that an error common to both engines would show.
    first, end = INPUT[variant].columns
    pixels = (samples[:, :, first:end] - np.array(INPUT[variant].mean)) / np.array(INPUT[variant].std)
    images = torch.from_numpy(pixels.transpose(0, 3, 1, 2).astype(np.float32))
    expected = network(variant, tensors)(images).numpy()
    assert (1 - cosine(found, expected) < 1e-5).all()
    np.testing.assert_allclose(found, expected, atol=1e-3 * np.abs(expected).max())
    np.testing.assert_allclose(
        TorchEngine(variant, tensors, INPUT[variant], device="cpu", batch=4)(samples),
        expected,
        atol=1e-3 * np.abs(expected).max(),
    )


@pytest.mark.parametrize("variant", VARIANTS)
def test_templates_do_not_depend_on_the_batch(variant: Variant) -> None:
    """To the bit, on both engines."""
    tensors, samples = _random_tensors(variant), _samples(7)
    for engine in (
        OnnxEngine(variant, tensors, INPUT[variant]),
        TorchEngine(variant, tensors, INPUT[variant], device="cpu", batch=4),
    ):
        whole = engine(samples)
        assert np.array_equal(engine(samples), whole)
        assert np.array_equal(np.concatenate([engine(samples[:3]), engine(samples[3:])]), whole)
        assert np.array_equal(engine(samples[::-1])[::-1], whole)
        assert engine(samples[:0]).shape == (0, 128)


def test_threads_do_not_change_a_template() -> None:
    tensors, samples = _random_tensors("casia"), _samples(3)
    one, two = (OnnxEngine("casia", tensors, INPUT["casia"], threads=threads)(samples) for threads in (1, 2))
    assert np.array_equal(one, two)


@pytest.mark.parametrize("variant", VARIANTS)
def test_normalising_outside_of_the_graph_changes_no_bit(variant: Variant) -> None:
    tensors, samples, image = _random_tensors(variant), _samples(5), INPUT[variant]
    expected = OnnxEngine(variant, tensors, image)(samples)
    for threads, several in ((1, 1), (2, 1), (1, 4)):
        engine = normalised_engine(
            lambda batch: model(variant, tensors, image, batch=batch),
            image.columns,
            dimension=DIMENSION,
            threads=threads,
            several=several,
        )
        assert np.array_equal(engine(samples), expected)
        assert np.array_equal(engine(samples[2:3]), expected[2:3])  # threads share a lone sample


@pytest.mark.parametrize("variant", VARIANTS)
def test_what_is_loaded_gives_the_bits_that_its_digest_names(variant: Variant, data_root: Path) -> None:
    """The digest counts the code of `OnnxEngine`, and no threads."""
    samples = _samples(3)
    weights = known_weights()[f"mobilefacenet-{variant}"]
    path = find_weights(weights, data=data_root)
    tensors = read_weights(path, sha256=weights.sha256, shapes=shapes(variant))
    expected = OnnxEngine(variant, tensors, weights.input)(samples)
    one, two = (load_recogniser(weights.id, data=data_root, threads=threads) for threads in (1, 2))
    assert one.digest == two.digest
    for loaded in (one, two):
        assert np.array_equal(loaded.embed(samples), expected)
        with pytest.raises(InvalidInputError, match="112 x 112"):
            loaded.embed(samples[:1, :100])


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_a_gpu_that_is_not_there_is_one_line() -> None:
    with pytest.raises(InvalidInputError, match="torch sees no GPU"):
        TorchEngine("ms1m", _random_tensors("ms1m"), INPUT["ms1m"])


@pytest.mark.skipif(not torch.cuda.is_available(), reason="torch sees no GPU")
@pytest.mark.parametrize("variant", VARIANTS)
def test_gpu_equals_the_graph(variant: Variant) -> None:
    tensors, samples = _random_tensors(variant), _samples(5)
    gpu = TorchEngine(variant, tensors, INPUT[variant])
    assert (1 - cosine(gpu(samples), OnnxEngine(variant, tensors, INPUT[variant])(samples)) < 1e-4).all()
    assert np.array_equal(gpu(samples[:2]), gpu(samples)[:2])


def _view2(root: Path, step: int) -> tuple[list[str], npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """Image names, pairs of positions in them, and which are genuine: every step-th pair of the list."""
    pairs, genuine = [], []
    for number, line in enumerate((root / "lfw" / "pairs.txt").read_text().splitlines()[1:]):
        if number % step == 0:
            words = line.split("\t")
            first, second = words[0], words[-2] if len(words) == 4 else words[0]
            pairs.append((f"{first}/{first}_{int(words[1]):04d}.jpg", f"{second}/{second}_{int(words[-1]):04d}.jpg"))
            genuine.append(len(words) == 3)
    names = sorted({name for pair in pairs for name in pair})
    position = {name: number for number, name in enumerate(names)}
    return names, np.array([[position[a], position[b]] for a, b in pairs]), np.array(genuine)


def _read(root: Path, names: list[str]) -> Samples:
    return np.stack([np.asarray(Image.open(root / "lfw" / "aligned112" / name).convert("RGB")) for name in names])


def _eer(scores: npt.NDArray[np.float32], genuine: npt.NDArray[np.bool_]) -> float:
    """By counting at every threshold, apart from benchmark.metrics."""
    thresholds = np.sort(scores)
    fnmr = np.searchsorted(np.sort(scores[genuine]), thresholds) / genuine.sum()
    fmr = 1 - np.searchsorted(np.sort(scores[~genuine]), thresholds) / (~genuine).sum()
    nearest = np.abs(fnmr - fmr).argmin()
    return float((fnmr + fmr)[nearest] / 2)


# Percent on every sixth of the 6,000 pairs, measured once; the full list gives 0.73, 1.10 and 33.1
# (docs/recognisers.md). One comparison more or less is 0.2.
@pytest.mark.data
@pytest.mark.parametrize(
    ("id", "percent", "tolerance"),
    [("mobilefacenet-ms1m", 0.4, 0.21), ("mobilefacenet-casia", 0.6, 0.21), ("lbp", 31.4, 0.3)],
)
def test_error_on_lfw(data_root: Path, id: str, percent: float, tolerance: float) -> None:
    names, pairs, genuine = _view2(data_root, step=6)
    assert len(pairs) == 1000
    assert genuine.sum() == 500
    recogniser: Recogniser = load_recogniser(id, data=data_root)
    templates = recogniser.embed(_read(data_root, names))
    scores = recogniser.compare(templates[pairs[:, 0]], templates[pairs[:, 1]])
    assert abs(100 * _eer(scores, genuine) - percent) < tolerance
