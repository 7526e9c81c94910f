"""The description beside an ONNX file: what its network takes and gives, in YAML or JSON."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from benchmark.errors import InvalidInputError
from benchmark.schema import read_yaml

from .onnx_file import Declared
from .preprocessing import Preprocessing

_SUFFIXES = (".yaml", ".yml", ".json")
Side = Annotated[int, Field(ge=1, le=4096)]


class _Description(Preprocessing):
    size: Annotated[tuple[Side, ...], Field(min_length=2, max_length=2)]
    channels: Literal["RGB", "BGR"]
    layout: Literal["NCHW", "NHWC"]
    dimension: Annotated[int, Field(ge=1, le=1 << 16)]
    output: str = ""


def read_declared(file: Path) -> Declared:
    """What stands beside `file` (model.onnx) in `model.onnx.yaml` or `model.yaml` (or .yml, .json).

    Raises InvalidInputError where there is no such file, and with every error in it.
    """
    if not file.is_file():
        raise InvalidInputError(f"{file}: there is no such ONNX file; check the path behind onnx:")
    beside = [file.with_name(file.name + suffix) for suffix in _SUFFIXES]
    beside += [file.with_suffix(suffix) for suffix in _SUFFIXES]
    path = next((one for one in beside if one.is_file()), None)
    if path is None:
        raise InvalidInputError(
            f"{file}: no description beside it; write {beside[0].name} with size, columns, mean, std, channels (RGB or "
            "BGR), layout (NCHW or NHWC) and dimension, as docs/recognisers.md shows"
        )
    document = read_yaml(path)
    parsed = document.parse(_Description)
    document.check()
    assert parsed is not None  # else a problem was noted, and check() raised
    height, width = parsed.size
    return Declared((height, width), parsed.input(), parsed.channels, parsed.layout, parsed.dimension, parsed.output)
