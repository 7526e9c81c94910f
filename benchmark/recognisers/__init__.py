"""Frozen face recognition methods, by id. Importing this package imports no numpy, no torch."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from benchmark.errors import InvalidInputError, unknown

if TYPE_CHECKING:
    from benchmark.interfaces import Recogniser

    from .mobilefacenet import Device

_MODULES = {
    "fv-brief": "benchmark.recognisers.fisher.recogniser",
    "fv-sift": "benchmark.recognisers.fisher.recogniser",
    "lbp": "benchmark.recognisers.lbp",
    "mobilefacenet-casia": "benchmark.recognisers.mobilefacenet",
    "mobilefacenet-ms1m": "benchmark.recognisers.mobilefacenet",
}
#: The library that computes the templates on each device; part of the digest.
_ENGINES = {"cpu": "onnxruntime", "cuda": "torch"}


def recogniser_ids() -> tuple[str, ...]:
    """The ids of all recognisers, sorted.

    >>> recogniser_ids()
    ('fv-brief', 'fv-sift', 'lbp', 'mobilefacenet-casia', 'mobilefacenet-ms1m')
    """
    return tuple(sorted(_MODULES))


def load_recogniser(id: str, *, data: Path | None = None, device: Device = "cpu", threads: int = 1) -> Recogniser:
    """A recogniser, ready to use.

    Weights are looked for in `<data>/weights/` (without `data`: VEILBENCH_DATA), in the user's cache and on the
    Hugging Face hub, and used only if their SHA-256 is right. `device` is `cpu` or `cuda`; `threads` are for one
    `embed` call. Raises InvalidInputError for an unknown id or device, and for weights that are missing or wrong.

    >>> load_recogniser("lbp").dimension
    3776
    """
    digest = recogniser_digest(id, device=device)
    if id == "lbp":
        from .lbp import LocalBinaryPatterns

        return LocalBinaryPatterns(digest=digest)
    if id.startswith("fv-"):
        from .fisher.recogniser import load_fisher_vectors

        return load_fisher_vectors(id, digest=digest)
    from benchmark.locations import data_root

    from .architecture import shapes
    from .mobilefacenet import MobileFaceNet
    from .weights import find_weights, read_weights, weights_of

    weights = weights_of(id)
    path = find_weights(weights, data=data or data_root())
    tensors = read_weights(path, sha256=weights.sha256, shapes=shapes(weights.variant))
    named = {weights.file: weights.sha256}
    return MobileFaceNet(
        id, weights.variant, tensors, weights.input, digest=digest, weights=named, device=device, threads=threads
    )


@lru_cache
def recogniser_digest(id: str, *, data: Path | None = None, device: Device = "cpu") -> str:
    """SHA-256 (64 hex digits) over code, weights, preprocessing and engine, without loading any of them.

    `data` does not matter: weights of another SHA-256 than the one counted here are never used. The digests of `lbp`,
    whose templates are whole numbers, and of `fv-*` name no engine. Raises InvalidInputError for an unknown id or
    device.
    """
    from benchmark.digest import digest
    from benchmark.source import module_digest

    if id not in _MODULES:
        raise unknown("recogniser", id, _MODULES)
    if device not in _ENGINES:
        raise InvalidInputError(f"unknown device {device!r}; known: {', '.join(_ENGINES)}")
    code = module_digest(_MODULES[id])
    if id == "lbp":
        return digest("recogniser", id, code)
    if id.startswith("fv-"):
        from .fisher.codebooks import codebook_sha256

        return digest("recogniser", id, code, codebook_sha256(id))
    from dataclasses import asdict
    from importlib import metadata

    from .weights import weights_of

    weights = weights_of(id)
    engine = _ENGINES[device]
    return digest(
        "recogniser", id, code, weights.sha256, asdict(weights.input), [device, engine, metadata.version(engine)]
    )


def weights_status(data: Path | None) -> list[str]:
    """One line a weights file: where it is and whether its digest is right, or that it is missing."""
    from .weights import weights_status

    return weights_status(data)
