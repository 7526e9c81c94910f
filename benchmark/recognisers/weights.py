"""Weights by SHA-256: what is known of each file, where it is looked for, and the check before anything is used."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import platformdirs
import yaml

from benchmark.errors import InvalidInputError, unknown

from .architecture import Input, Variant


@dataclass(frozen=True)
class Hub:
    """A repository on the Hugging Face hub at a fixed commit."""

    repository: str
    revision: str


@dataclass(frozen=True)
class Weights:
    """An entry of `weights.yaml`."""

    id: str
    file: str
    sha256: str
    variant: Variant
    dimension: int
    input: Input
    hub: Hub | None
    source: str
    licence: str
    training: str
    reported: str


@lru_cache
def known_weights() -> dict[str, Weights]:
    """The entries of `weights.yaml`, by recogniser.

    >>> known_weights()["mobilefacenet-casia"].input.columns
    (8, 104)
    """
    entries: dict[str, dict[str, Any]] = yaml.safe_load((Path(__file__).parent / "weights.yaml").read_text("utf-8"))
    return {name: _entry(name, **entry) for name, entry in entries.items()}


def _entry(name: str, *, input: Mapping[str, Any], hub: Mapping[str, str] | None, **rest: Any) -> Weights:
    shape = Input(**{key: tuple(value) for key, value in input.items()})
    return Weights(id=name, input=shape, hub=Hub(**hub) if hub else None, **rest)


def weights_of(id: str) -> Weights:
    """The weights of a recogniser; raises InvalidInputError for an id without any."""
    if id not in known_weights():
        raise unknown("weights", id, known_weights())
    return known_weights()[id]


def cache_folder() -> Path:
    """Where downloaded weights are kept: the user's cache folder."""
    return Path(platformdirs.user_cache_dir("veilbench", appauthor=False)) / "weights"


def find_weights(weights: Weights, *, data: Path | None, cache: Path | None = None) -> Path:
    """The file, from `<data>/weights/`, then the cache, then the hub (into the cache); its content is not checked yet.

    Raises InvalidInputError where it is nowhere, saying where to put it.
    """
    cache = cache or cache_folder()
    for folder in ([data / "weights"] if data else []) + [cache]:
        if (folder / weights.file).is_file():
            return folder / weights.file
    if weights.hub:
        return _download(weights, weights.hub, cache)
    data_place = f"{data / 'weights'}" if data else "weights/ under the data folder (--data or VEILBENCH_DATA)"
    raise InvalidInputError(
        f"{weights.id}: no weights {weights.file} in {data_place} or {cache}; they have no public copy to download: "
        f"put the file there (SHA-256 {weights.sha256}; made from {weights.source})"
    )


def _download(weights: Weights, hub: Hub, cache: Path) -> Path:
    from huggingface_hub import hf_hub_download

    try:
        return Path(hf_hub_download(hub.repository, weights.file, revision=hub.revision, local_dir=cache))
    except OSError as error:  # the hub's own errors are all kinds of OSError
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise InvalidInputError(
            f"{weights.id}: cannot download {weights.file} from {hub.repository} ({reason}); "
            f"go online or put the file into {cache}"
        ) from error


def read_weights(
    path: Path, *, sha256: str, shapes: Mapping[str, tuple[int, ...]]
) -> dict[str, npt.NDArray[np.float32]]:
    """The tensors named in `shapes` (float32) of a safetensors file whose SHA-256 is as expected.

    Raises InvalidInputError for another digest, an unreadable file, and for missing or wrongly shaped tensors.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        content = path.read_bytes()
    except OSError as error:
        raise InvalidInputError(f"{path}: cannot be read ({error.strerror})") from error
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise InvalidInputError(f"{path}: SHA-256 is {found}, expected {sha256}; remove the file or fetch it again")
    try:
        tensors = load(content)
    except SafetensorError as error:
        raise InvalidInputError(f"{path}: is not a safetensors file ({error})") from error
    wrong = [
        f"{name} {tensors[name].dtype} {tensors[name].shape} instead of float32 {shape}"
        if name in tensors
        else f"{name} is missing"
        for name, shape in shapes.items()
        if name not in tensors or tensors[name].shape != shape or tensors[name].dtype != np.float32
    ]
    if wrong:
        more = f" and {len(wrong) - 3} more" if len(wrong) > 3 else ""
        raise InvalidInputError(f"{path}: does not fit its network: {'; '.join(wrong[:3])}{more}")
    return {name: tensors[name] for name in shapes}


def weights_status(data: Path | None, *, cache: Path | None = None) -> list[str]:
    """One line a file: where it is and whether its digest is right, or that it is missing."""
    lines = []
    for name, weights in known_weights().items():
        places = [*([data / "weights"] if data else []), cache or cache_folder()]
        path = next((folder / weights.file for folder in places if (folder / weights.file).is_file()), None)
        if path is None:
            state = f"missing; put it into {places[0]}" if weights.hub is None else "not here; downloaded when needed"
        else:
            right = hashlib.sha256(path.read_bytes()).hexdigest() == weights.sha256
            state = f"{path}" if right else f"{path} has another SHA-256 than {weights.sha256}: remove it"
        lines.append(f"weights of {name}: {weights.file}: {state}")
    return lines
