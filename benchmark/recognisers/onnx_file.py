"""Any ONNX face embedder, with its preprocessing as declared: samples -> the model's input -> templates.

Runs sample by sample in onnxruntime. The file is taken whole: one that refers to others is refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from benchmark.errors import InvalidInputError
from benchmark.interfaces import Samples

from .architecture import Input
from .networks.sessions import Sessions

_SIDE = 112


@dataclass(frozen=True)
class Declared:
    """What a model takes and gives: float32 images of `size` (height, width), `dimension` numbers a sample.

    The columns of the sample that `input` names are resized to `size` (bilinear) where they are not of it, put in the
    order of `channels`, and normalised with mean and std in that order. `output` names the output that is the template;
    empty: the first.
    """

    size: tuple[int, int]
    input: Input
    channels: Literal["RGB", "BGR"]
    layout: Literal["NCHW", "NHWC"]
    dimension: int
    output: str = ""

    def resized(self) -> bool:
        """Whether samples are resized, after their columns were cut."""
        return self.size != (_SIDE, self.input.columns[1] - self.input.columns[0])

    def prepare(self, sample: Samples) -> npt.NDArray[np.float32]:
        """The model's input (float32) of one sample (uint8, 1 x 112 x 112 x 3, RGB)."""
        pixels: npt.NDArray[Any] = np.ascontiguousarray(sample[0, :, slice(*self.input.columns)])
        if self.resized():
            import cv2

            height, width = self.size
            pixels = np.asarray(cv2.resize(pixels.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR))
        pixels = pixels[..., ::-1] if self.channels == "BGR" else pixels
        mean, std = np.array(self.input.mean, np.float32), np.array(self.input.std, np.float32)
        image = (pixels - mean) / std
        return np.ascontiguousarray(image[None] if self.layout == "NHWC" else image.transpose(2, 0, 1)[None])


def file_engine(content: bytes, declared: Declared, *, name: str, threads: int = 1) -> Sessions:
    """An engine of an ONNX file's content; `name` is what errors call it.

    Raises InvalidInputError for what is no ONNX model, refers to other files, or does not fit what is declared.
    """
    _require_whole(content, name)
    try:
        engine = Sessions(
            content, declared.prepare, dimension=declared.dimension, output=declared.output or None, threads=threads
        )
    except Exception as error:  # onnxruntime raises classes of its own for each of its codes
        raise InvalidInputError(f"{name}: onnxruntime cannot load it: {_line(error)}") from None
    given = declared.prepare(np.zeros((1, _SIDE, _SIDE, 3), np.uint8))
    _require_input(engine.inputs(), given, name)
    outputs = [one.name for one in engine.outputs()]
    if declared.output and declared.output not in outputs:
        raise InvalidInputError(f"{name}: has no output {declared.output!r}; it has {', '.join(outputs)}")
    try:
        found = engine.run(given)
    except Exception as error:
        raise InvalidInputError(f"{name}: does not take {given.shape}, as declared: {_line(error)}") from None
    if found.dtype != np.float32 or found.size != declared.dimension or found.shape[0] != 1:
        raise InvalidInputError(
            f"{name}: gives {found.dtype} {found.shape} for one sample, not the declared float32 (1, "
            f"{declared.dimension}); mend `dimension` or `output`"
        )
    return engine


def _require_input(inputs: list[Any], given: npt.NDArray[np.float32], name: str) -> None:
    if len(inputs) != 1 or inputs[0].type != "tensor(float)":
        found = ", ".join(f"{one.name} {one.type}" for one in inputs)
        raise InvalidInputError(f"{name}: has the inputs {found}; one of float32 images is what can be used")
    shape = inputs[0].shape
    fixed = len(shape) == given.ndim and all(
        not isinstance(side, int) or side == own for side, own in zip(shape, given.shape, strict=True)
    )
    if not fixed:
        raise InvalidInputError(
            f"{name}: takes {shape}, but what is declared gives {list(given.shape)}; mend `size` or `layout`, and "
            "export it with a batch of 1 or of any size"
        )


def _require_whole(content: bytes, name: str) -> None:
    """Refuse a model with tensors in other files: they would be read unseen, and their digest would not count."""
    import onnx
    from google.protobuf.message import DecodeError

    try:
        model = onnx.load_from_string(content)
    except DecodeError:
        raise InvalidInputError(f"{name}: is not an ONNX file, or is truncated") from None
    if not model.graph.node:
        raise InvalidInputError(f"{name}: is not an ONNX file, or holds no network")
    for tensor in _tensors(model):
        if tensor.data_location == onnx.TensorProto.EXTERNAL:
            raise InvalidInputError(
                f"{name}: keeps the tensor {tensor.name!r} in another file; save it as one file "
                "(onnx.save_model(onnx.load(FILE), FILE2, save_as_external_data=False))"
            )


def _tensors(message: Any) -> Iterator[Any]:
    """Every tensor in a model, wherever it stands: initialisers, attributes, inner graphs, functions."""
    from google.protobuf.message import Message

    if message.DESCRIPTOR.name == "TensorProto":
        yield message
        return
    for field, value in message.ListFields():
        if field.message_type is not None:
            for one in [value] if isinstance(value, Message) else value:
                yield from _tensors(one)


def _line(error: Exception) -> str:
    words = str(error).strip().splitlines()
    return words[0][:300] if words else type(error).__name__
