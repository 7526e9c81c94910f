"""Weights of the user's own: a `weights.yaml` beside the files, of the form of ours, in the folders that are searched.

`veilbench weights import` writes these. A recogniser's digest counts the SHA-256 of such an entry as it does of ours.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, RootModel, StringConstraints

from benchmark.schema import Frozen, read_yaml

from .networks.catalogue import network_names, network_table
from .preprocessing import Preprocessing
from .weights import Weights, networks_of_weights, weights_folders

FILE = "weights.yaml"


def _network(name: str) -> str:
    if name not in networks_of_weights():
        raise ValueError(f"unknown network {name!r}; known: {', '.join(networks_of_weights())}")
    return name


class LocalEntry(Frozen):
    """One file: what is known of it, who made it, and what its network sees."""

    file: Annotated[str, StringConstraints(pattern=r"^[^/\\]+\.safetensors$")]
    sha256: Annotated[str, StringConstraints(pattern="^[0-9a-f]{64}$")]
    network: Annotated[str, AfterValidator(_network)]
    input: Preprocessing
    source: str
    licence: str = "not stated"
    training: str = "not stated"
    reported: str = "nothing"


def local_weights(data: Path | None, *, cache: Path | None = None) -> dict[str, Weights]:
    """The user's entries, by recogniser, of `<data>/weights/` and of the cache; the first that names an id counts.

    Raises InvalidInputError for a file that is not of the form, with every error and its line.
    """
    found: dict[str, Weights] = {}
    for folder in weights_folders(data, cache):
        if (folder / FILE).is_file():
            found = {name: _weights(name, entry) for name, entry in read_entries(folder / FILE).items()} | found
    return found


def read_entries(path: Path) -> dict[str, LocalEntry]:
    """The entries of one such file; raises InvalidInputError where it is not of the form."""
    document = read_yaml(path)
    parsed = document.parse(RootModel[dict[str, LocalEntry]])
    document.check()
    assert parsed is not None  # else a problem was noted, and check() raised
    return parsed.root


def _weights(name: str, entry: LocalEntry) -> Weights:
    dimension = network_table(entry.network).dimension if entry.network in network_names() else 128
    content = entry.model_dump(exclude={"input"})
    return Weights(id=name, dimension=dimension, input=entry.input.input(), hub=None, **content)
