"""Frozen face recognition methods, by id. Importing this package imports no numpy, no torch."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from benchmark.errors import InvalidInputError

if TYPE_CHECKING:
    from benchmark.interfaces import Recogniser

    from .mobilefacenet import Device


def recogniser_ids(data: Path | None = None) -> tuple[str, ...]:
    """The ids of all recognisers that can be had, sorted: ours, and those whose weights the user imported.

    The latter are looked for in `<data>/weights/` (without `data`: VEILBENCH_DATA) and in the user's cache.
    `onnx:FILE` is one for every file and stands for itself. Raises InvalidInputError for a `weights.yaml` there that is
    not of the form.

    >>> {"lbp", "mobilefacenet-casia", "mobilefacenet-casia+flip"} <= {*recogniser_ids()}
    True
    """
    from .registry import known_ids

    return known_ids(data)


def load_recogniser(id: str, *, data: Path | None = None, device: Device = "cpu", threads: int = 1) -> Recogniser:
    """A recogniser, ready to use.

    Weights are looked for in `<data>/weights/` (without `data`: VEILBENCH_DATA), in the user's cache and on the
    Hugging Face hub, and used only if their SHA-256 is right. `onnx:FILE` is an ONNX file with a description beside it.
    `device` is `cpu` or `cuda`; `threads` are for one `embed` call. Raises InvalidInputError for an unknown id or
    device, and for weights that are missing or wrong.

    >>> load_recogniser("lbp").dimension
    3776
    """
    from .registry import Order, method_of

    digest = recogniser_digest(id, data=data, device=device)
    order = Order(id, data, device, threads)
    method = method_of(order)
    loaded = method.load(order, digest)
    if method.digest(order) != digest:
        raise InvalidInputError(f"{id}: its file or its description has changed while it was in use; start again")
    return loaded


def recogniser_digest(id: str, *, data: Path | None = None, device: Device = "cpu") -> str:
    """SHA-256 (64 hex digits) over code, weights, preprocessing and engine, without loading any of them.

    `data` matters only for weights that the user imported: weights of another SHA-256 than the one counted here are
    never used. The digests of `lbp` and `mblbp`, whose templates are whole numbers, and of `fv-*` name no
    engine. Raises InvalidInputError for an unknown id or device.
    """
    return _digest(id, data, device)


@lru_cache
def _digest(id: str, data: Path | None, device: Device) -> str:
    """Made once in a process: what is computed is named by it, and a file that has changed since is not loaded."""
    from .registry import ENGINES, Order, method_of

    order = Order(id, data, device)
    method = method_of(order)
    if device not in ENGINES:
        raise InvalidInputError(f"unknown device {device!r}; known: {', '.join(ENGINES)}")
    return method.digest(order)


def weights_status(data: Path | None) -> list[str]:
    """One line a weights file: where it is and whether its digest is right, or that it is missing."""
    from .weights import weights_status

    return weights_status(data)
