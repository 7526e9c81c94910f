"""ONNX files of the user's: declared preprocessing, and one line for whatever does not fit it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnx
import pytest
import yaml
from onnx import TensorProto, helper, numpy_helper

from benchmark.errors import InvalidInputError
from benchmark.interfaces import Samples
from benchmark.recognisers import _digest, load_recogniser, recogniser_digest

PLAIN: dict[str, Any] = {
    "size": [112, 112],
    "columns": [0, 112],
    "mean": [127.5, 127.5, 127.5],
    "std": [128, 128, 128],
    "channels": "RGB",
    "layout": "NCHW",
    "dimension": 5,
}


def made(batch: str | int = "N", height: int = 112, width: int = 112, layout: str = "NCHW") -> onnx.ModelProto:
    """A model with one linear layer, whose template can be computed by hand."""
    inputs = 3 * height * width
    shape = [batch, 3, height, width] if layout == "NCHW" else [batch, height, width, 3]
    weights = numpy_helper.from_array(_matrix(inputs), "w")
    graph = helper.make_graph(
        [helper.make_node("Flatten", ["x"], ["f"]), helper.make_node("MatMul", ["f", "w"], ["y"])],
        "linear",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [batch, 5])],
        [weights],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


def _matrix(inputs: int) -> Any:
    return np.random.default_rng(3).normal(0, 0.01, (inputs, 5)).astype(np.float32)


def _write(folder: Path, model: onnx.ModelProto, declared: dict[str, Any] | None = None, name: str = "m.onnx") -> str:
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(model.SerializeToString())
    (folder / f"{name}.yaml").write_text(yaml.safe_dump(PLAIN | (declared or {})))
    _digest.cache_clear()  # a file of this name may have been another before
    return f"onnx:{folder / name}"


def _samples(count: int = 3) -> Samples:
    return np.random.default_rng(0).integers(0, 256, (count, 112, 112, 3), dtype=np.uint8)


def test_a_model_sees_what_is_declared(tmp_path: Path) -> None:
    samples = _samples()
    recogniser = load_recogniser(_write(tmp_path, made(), {"mean": [10, 20, 30], "std": [1, 2, 4]}))
    images = ((samples - np.array([10, 20, 30])) / np.array([1, 2, 4])).transpose(0, 3, 1, 2)
    expected = images.reshape(3, -1) @ _matrix(3 * 112 * 112).astype(np.float64)
    np.testing.assert_allclose(recogniser.embed(samples), expected, rtol=1e-3, atol=1e-2)
    assert recogniser.dimension == 5
    assert recogniser.compare(recogniser.embed(samples), recogniser.embed(samples)).tolist() == pytest.approx([1] * 3)


def test_order_layout_columns_and_size(tmp_path: Path) -> None:
    samples = _samples()
    declared = {"size": [56, 48], "columns": [8, 104], "channels": "BGR", "layout": "NHWC", "mean": [1, 2, 3]}
    recogniser = load_recogniser(_write(tmp_path, made(height=56, width=48, layout="NHWC"), declared))
    for sample, found in zip(samples, recogniser.embed(samples), strict=True):
        small = cv2.resize(sample[:, 8:104].astype(np.float64), (48, 56), interpolation=cv2.INTER_LINEAR)
        image = (small[..., ::-1] - np.array([1, 2, 3])) / 128  # mean in the order of the channels, B first
        expected = image.reshape(-1) @ _matrix(3 * 56 * 48).astype(np.float64)
        np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("batch", ["N", 1])
def test_a_template_depends_on_nothing_else(tmp_path: Path, batch: str | int) -> None:
    id = _write(tmp_path, made(batch))
    samples = _samples(5)
    whole = load_recogniser(id).embed(samples)
    assert np.array_equal(load_recogniser(id, threads=2).embed(samples[::-1])[::-1], whole)
    assert np.array_equal(load_recogniser(id).embed(samples[2:3])[0], whole[2])


def test_flip_sum_adds_the_mirror_image(tmp_path: Path) -> None:
    id, samples = _write(tmp_path, made()), _samples()
    single, both = load_recogniser(id), load_recogniser(f"{id}+flip")
    expected = single.embed(samples) + single.embed(samples[:, :, ::-1])
    np.testing.assert_allclose(both.embed(samples), expected, rtol=1e-6)
    assert both.digest != single.digest


def test_digest_counts_file_and_description_and_not_the_path(tmp_path: Path) -> None:
    digest = load_recogniser(_write(tmp_path / "a", made())).digest
    assert load_recogniser(_write(tmp_path / "b", made())).digest == digest
    assert load_recogniser(_write(tmp_path / "a", made(1))).digest != digest
    assert load_recogniser(_write(tmp_path / "a", made(), {"mean": [1, 2, 3]})).digest != digest


def test_descriptions_may_be_json_and_bear_the_short_name(tmp_path: Path) -> None:
    (tmp_path / "m.onnx").write_bytes(made().SerializeToString())
    (tmp_path / "m.json").write_text(json.dumps(PLAIN))
    assert load_recogniser(f"onnx:{tmp_path / 'm.onnx'}").embed(_samples(1)).shape == (1, 5)


def test_a_file_that_changes_in_use_is_refused(tmp_path: Path) -> None:
    id = _write(tmp_path, made())
    recogniser_digest(id)
    (tmp_path / "m.onnx").write_bytes(made(1).SerializeToString())
    with pytest.raises(InvalidInputError, match="has changed"):
        load_recogniser(id)


@pytest.mark.parametrize(
    ("declared", "words"),
    [
        ({"dimension": 6}, r"\(1, 5\) for one sample, not the declared float32 \(1, 6\)"),
        ({"layout": "NHWC"}, "mend `size` or `layout`"),
        ({"size": [96, 96]}, "mend `size` or `layout`"),
        ({"output": "z"}, "no output 'z'; it has y"),
        ({"channels": "RBG"}, "did you mean 'RGB'"),
        ({"std": [1, 0, 1]}, "above 0"),
        ({"columns": [100, 8]}, "two columns"),
        ({"mean": [1, 2]}, "mean: needs 3 or more"),
        ({"chanels": "RGB"}, "chanels: unknown key; did you mean 'channels'"),
    ],
)
def test_what_does_not_fit_is_named(tmp_path: Path, declared: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidInputError, match=words) as caught:
        load_recogniser(_write(tmp_path, made(), declared))
    assert str(tmp_path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_missing_files_and_descriptions_are_one_line(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="no such ONNX file"):
        load_recogniser(f"onnx:{tmp_path / 'none.onnx'}")
    (tmp_path / "m.onnx").write_bytes(made().SerializeToString())
    with pytest.raises(InvalidInputError, match=r"write m.onnx.yaml with size, columns"):
        load_recogniser(f"onnx:{tmp_path / 'm.onnx'}")


def test_models_that_refer_to_other_files_are_refused(tmp_path: Path) -> None:
    id = _write(tmp_path, made())
    onnx.save_model(made(), tmp_path / "m.onnx", save_as_external_data=True, location="m.bin", size_threshold=0)
    _digest.cache_clear()
    assert (tmp_path / "m.bin").stat().st_size > 1000
    with pytest.raises(InvalidInputError, match=r"the tensor 'w' in another file; save it as one file"):
        load_recogniser(id)
    inner = made()  # the same within an attribute
    outside = TensorProto(name="hidden", data_type=TensorProto.FLOAT, dims=[1], data_location=TensorProto.EXTERNAL)
    inner.graph.node.append(helper.make_node("Constant", [], ["c"], value=outside))
    with pytest.raises(InvalidInputError, match="'hidden'"):
        load_recogniser(_write(tmp_path, inner))


@pytest.mark.parametrize("content", [b"", b"no model at all", made().SerializeToString()[:2000]])
def test_what_is_no_model_is_one_line(tmp_path: Path, content: bytes) -> None:
    id = _write(tmp_path, made())
    (tmp_path / "m.onnx").write_bytes(content)
    _digest.cache_clear()
    with pytest.raises(InvalidInputError, match=r"is not an ONNX file|cannot load it") as caught:
        load_recogniser(id)
    assert "\n" not in str(caught.value)


def test_models_with_fixed_batches_or_whole_numbers_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="a batch of 1 or of any size"):
        load_recogniser(_write(tmp_path, made(8)))
    whole = made()
    whole.graph.input[0].type.tensor_type.elem_type = TensorProto.DOUBLE
    whole.graph.initializer[0].CopyFrom(numpy_helper.from_array(_matrix(3 * 112 * 112).astype(np.float64), "w"))
    whole.graph.output[0].type.tensor_type.elem_type = TensorProto.DOUBLE
    with pytest.raises(InvalidInputError, match="one of float32 images"):
        load_recogniser(_write(tmp_path, whole))


def test_other_devices_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="cpu only"):
        load_recogniser(_write(tmp_path, made()), device="cuda")


def test_paths_move_with_their_description(tmp_path: Path) -> None:
    id = _write(tmp_path / "a", made())
    digest = recogniser_digest(id)
    shutil.move(tmp_path / "a", tmp_path / "b")
    assert recogniser_digest(f"onnx:{tmp_path / 'b' / 'm.onnx'}") == digest
