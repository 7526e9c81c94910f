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

from .architecture import Input, shapes
from .networks.catalogue import network_names, network_table

#: The MobileFaceNets' tables are apart from the catalogue's, in `architecture`.
_MOBILEFACENET = "mobilefacenet-"
#: Files inside the package, of entries that are `embedded`.
EMBEDDED = Path(__file__).parent / "networks" / "embedded"


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
    network: str
    dimension: int
    input: Input
    source: str
    licence: str
    training: str
    reported: str
    hub: Hub | None = None
    embedded: bool = False

    @property
    def variant(self) -> Any:
        """The MobileFaceNet among the two, `ms1m` or `casia`; the network's name for all others."""
        return self.network.removeprefix(_MOBILEFACENET)


@lru_cache
def known_weights() -> dict[str, Weights]:
    """The entries of `weights.yaml`, by recogniser.

    >>> known_weights()["mobilefacenet-casia"].input.columns
    (8, 104)
    """
    return parse_weights((Path(__file__).parent / "weights.yaml").read_text("utf-8"))


def parse_weights(text: str) -> dict[str, Weights]:
    """The entries in a text of the form of `weights.yaml`, by recogniser."""
    entries: dict[str, dict[str, Any]] = yaml.safe_load(text) or {}
    return {name: _entry(name, **entry) for name, entry in entries.items()}


def _entry(name: str, *, input: Mapping[str, Any], hub: Mapping[str, str] | None = None, **rest: Any) -> Weights:
    image = Input(**{key: tuple(value) for key, value in input.items()})
    return Weights(id=name, input=image, hub=Hub(**hub) if hub else None, **rest)


def weights_of(id: str) -> Weights:
    """The weights of a recogniser; raises InvalidInputError for an id without any."""
    if id not in known_weights():
        raise unknown("weights", id, known_weights())
    return known_weights()[id]


def networks_of_weights() -> tuple[str, ...]:
    """The names of all networks that weights can be for, sorted: the catalogue's and both MobileFaceNets.

    >>> networks_of_weights()[-2:]
    ('shufflefacenet-1.5', 'shufflefacenet-2')
    """
    return tuple(sorted((*network_names(), f"{_MOBILEFACENET}casia", f"{_MOBILEFACENET}ms1m")))


def network_shapes(network: str) -> Mapping[str, tuple[int, ...]]:
    """The name and shape of every tensor of a network; raises InvalidInputError for an unknown name.

    >>> network_shapes("mobilefacenet-casia") == shapes("casia"), len(network_shapes("arcface-r18"))
    (True, 156)
    """
    if network not in networks_of_weights():
        raise unknown("network", network, networks_of_weights())
    if network.startswith(_MOBILEFACENET):
        return shapes("ms1m" if network.endswith("ms1m") else "casia")
    return network_table(network).shapes()


def cache_folder() -> Path:
    """Where downloaded weights are kept: the user's cache folder."""
    return Path(platformdirs.user_cache_dir("veilbench", appauthor=False)) / "weights"


def weights_folders(data: Path | None, cache: Path | None = None) -> list[Path]:
    """Where weights are looked for, in order; the folders need not exist."""
    return [*([data / "weights"] if data else []), cache or cache_folder()]


def find_weights(weights: Weights, *, data: Path | None, cache: Path | None = None) -> Path:
    """The file, from `<data>/weights/`, then the cache, then the hub (into the cache); its content is not checked yet.

    An embedded file lies in the package. Raises InvalidInputError where it is nowhere, saying where to put it.
    """
    if weights.embedded:
        return EMBEDDED / weights.file
    cache = cache or cache_folder()
    for folder in weights_folders(data, cache):
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
    path: Path, *, sha256: str, shapes: Mapping[str, tuple[int, ...]], half: bool = False
) -> dict[str, npt.NDArray[np.float32]]:
    """The tensors named in `shapes` (float32) of a safetensors file whose SHA-256 is as expected.

    With `half`, tensors may be float16 in the file; they are widened. Raises InvalidInputError for another digest, an
    unreadable file, and for missing or wrongly shaped tensors.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        content = path.read_bytes()
    except OSError as error:
        raise InvalidInputError(f"{path}: cannot be read ({error.strerror})") from error
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise InvalidInputError(f"{path}: SHA-256 is {found}, expected {sha256}; replace the file")
    try:
        tensors = load(content)
    except (SafetensorError, KeyError) as error:  # KeyError: a number type that numpy lacks (bfloat16)
        raise InvalidInputError(f"{path}: is not a safetensors file that can be used ({error})") from error
    kinds = (np.float32, np.float16) if half else (np.float32,)
    wrong = [
        f"{name} {tensors[name].dtype} {tensors[name].shape} instead of float32 {shape}"
        if name in tensors
        else f"{name} is missing"
        for name, shape in shapes.items()
        if name not in tensors or tensors[name].shape != shape or tensors[name].dtype not in kinds
    ]
    if wrong:
        raise InvalidInputError(f"{path}: does not fit its network: {shortened(wrong)}")
    return {name: tensors[name].astype(np.float32, copy=False) for name in shapes}


def shortened(problems: list[str]) -> str:
    """The first three of them in one line.

    >>> shortened(["a is missing", "b is missing", "c is missing", "d is missing"])
    'a is missing; b is missing; c is missing and 1 more'
    """
    more = f" and {len(problems) - 3} more" if len(problems) > 3 else ""
    return "; ".join(problems[:3]) + more


def state_of(weights: Weights, data: Path | None, *, cache: Path | None = None) -> str:
    """Where a file is and whether its digest is right, or that it is missing."""
    places = [EMBEDDED] if weights.embedded else weights_folders(data, cache)
    path = next((folder / weights.file for folder in places if (folder / weights.file).is_file()), None)
    if path is None:
        return f"missing; put it into {places[0]}" if weights.hub is None else "not here; downloaded when needed"
    right = hashlib.sha256(path.read_bytes()).hexdigest() == weights.sha256
    return f"{path}" if right else f"{path} has another SHA-256 than {weights.sha256}: replace it"


def weights_status(data: Path | None, *, cache: Path | None = None) -> list[str]:
    """One line a file of `weights.yaml`: where it is and whether its digest is right, or that it is missing."""
    return [
        f"weights of {name}: {weights.file}: {state_of(weights, data, cache=cache)}"
        for name, weights in known_weights().items()
    ]
