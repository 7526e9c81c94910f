"""Public checkpoints -> safetensors: tensors by name and shape, checked against a network's table.

A checkpoint is a pickle, and a pickle can hold code. torch's restricted reader (`weights_only`) builds tensors and
plain containers alone and refuses everything else before it runs.
"""

from __future__ import annotations

import hashlib
import pickle
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import yaml
from pydantic import ValidationError

from benchmark.errors import InvalidInputError
from benchmark.recognisers.local_weights import FILE, LocalEntry, read_entries
from benchmark.recognisers.networks.catalogue import default_ids
from benchmark.recognisers.preprocessing import Preprocessing
from benchmark.recognisers.registry import METHODS
from benchmark.recognisers.weights import known_weights, network_shapes, shortened
from benchmark.store import write_atomically
from benchmark.training import PREPROCESSING

#: Keys under which training code keeps the network's state among other things.
_WRAPPINGS = ("state_dict", "net_state_dict", "model_state_dict", "backbone", "model", "net")
#: Before every name, of networks that were trained on several GPUs.
_PARALLEL = "module."
#: How often training saw a batch: neither needed nor part of the network.
_COUNTERS = "num_batches_tracked"


@dataclass(frozen=True)
class Imported:
    """What `import_checkpoint` wrote."""

    id: str
    path: Path
    sha256: str
    listing: Path


def import_checkpoint(
    checkpoint: Path,
    network: str,
    out: Path,
    *,
    id: str | None = None,
    preprocessing: Preprocessing | None = None,
    source: str | None = None,
    licence: str = "not stated",
) -> Imported:
    """Convert a checkpoint to the safetensors file `out`, and enter it in the `weights.yaml` beside that.

    `id`: the recogniser's (default: the network's own). Without `preprocessing` that of `preprocessing_of` is taken.
    Raises InvalidInputError for a file that is no checkpoint, that would run code, that is truncated, whose tensors do
    not fit the network, and for an id that is taken.
    """
    shapes = network_shapes(network)
    name = id or default_id(network)
    _require_free(name)
    if out.suffix != ".safetensors":
        raise InvalidInputError(f"--out {out}: the name of a .safetensors file is expected")
    listing = out.parent / FILE
    entries = dict(read_entries(listing)) if listing.is_file() else {}
    tensors = fitting(read_checkpoint(checkpoint), shapes, str(checkpoint))
    content = _serialised(tensors)
    sha256 = hashlib.sha256(content).hexdigest()
    entries[name] = LocalEntry(
        file=out.name,
        sha256=sha256,
        network=network,
        input=preprocessing or preprocessing_of(checkpoint, network),
        source=source or checkpoint.name,
        licence=licence,
    )
    # The file first: an entry without its file would be a recogniser that is named but cannot be loaded.
    write_atomically(out, content)
    plain = {key: entry.model_dump(mode="json") for key, entry in entries.items()}
    write_atomically(listing, yaml.safe_dump(plain, sort_keys=True, allow_unicode=True).encode())
    return Imported(name, out, sha256, listing)


def default_id(network: str) -> str:
    """The id of imported weights of a network, where none is chosen; raises InvalidInputError for an unknown network.

    >>> default_id("shufflefacenet-1"), default_id("mobilefacenet-casia")
    ('shufflefacenet', 'mobilefacenet-casia-imported')
    """
    network_shapes(network)
    own = {of: id for id, of in default_ids().items()}
    return own.get(network) or f"{network}-imported"  # the MobileFaceNets' own ids are those of our files


def default_preprocessing(network: str) -> Preprocessing:
    """What the public training code of a network feeds it.

    >>> default_preprocessing("arcface-r50").std, default_preprocessing("mobilefacenet-casia").columns
    ((127.5, 127.5, 127.5), (8, 104))
    """
    if network in known_weights():
        seen = known_weights()[network].input
        return Preprocessing(columns=seen.columns, mean=seen.mean, std=seen.std)
    std = 127.5 if network.startswith("arcface") else 128.0
    return Preprocessing(mean=(127.5,) * 3, std=(std,) * 3)


def preprocessing_of(checkpoint: Path, network: str) -> Preprocessing:
    """What a checkpoint says that its network was fed, as those of `veilbench train` do; else `default_preprocessing`.

    Raises InvalidInputError where it says so in another form.
    """
    said = _metadata(checkpoint).get(PREPROCESSING)
    if said is None:
        return default_preprocessing(network)
    try:
        return Preprocessing.model_validate_json(said)
    except ValidationError as error:
        reason = str(error.errors()[0]["msg"]).removeprefix("Value error, ")
        raise InvalidInputError(f"{checkpoint}: what it says of its preprocessing cannot be used ({reason})") from None


def _metadata(path: Path) -> Mapping[str, str]:
    """Of a safetensors file; nothing of others, and of what cannot be read: its tensors will say what is wrong."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="np") as file:
            return dict(file.metadata() or {})
    except (SafetensorError, OSError):
        return {}


def read_checkpoint(path: Path) -> dict[str, npt.NDArray[Any]]:
    """The tensors in a checkpoint (a torch file or safetensors), by name, without wrapping and without `module.`.

    Raises InvalidInputError for a file that is none, is truncated, or would run code.
    """
    state = _read_safetensors(path) if _is_safetensors(path) else _unwrapped(_read_torch(path), path)
    if all(name.startswith(_PARALLEL) for name in state):
        state = {name.removeprefix(_PARALLEL): value for name, value in state.items()}
    return {name: value for name, value in state.items() if not name.endswith(_COUNTERS)}


def fitting(
    tensors: Mapping[str, npt.NDArray[Any]], shapes: Mapping[str, tuple[int, ...]], where: str
) -> dict[str, npt.NDArray[np.float32]]:
    """The tensors as float32, where they are exactly those that `shapes` names.

    Raises InvalidInputError (one line, `where` first) for missing, other and wrongly shaped tensors, for whole numbers,
    and for values that are not finite.
    """
    wrong = [f"{name} is missing" for name in shapes if name not in tensors]
    wrong += [f"{name} is not part of it" for name in tensors if name not in shapes]
    for name, shape in shapes.items():
        value = tensors.get(name)
        if value is None:
            continue
        if value.shape != shape:
            wrong.append(f"{name} is {value.shape} instead of {shape}")
        elif not np.issubdtype(value.dtype, np.floating):
            wrong.append(f"{name} holds {value.dtype}, not floating point numbers")
        elif not np.isfinite(value.astype(np.float32)).all():
            wrong.append(f"{name} holds values that are not finite")
    if wrong:
        raise InvalidInputError(f"{where}: does not fit the network: {shortened(wrong)}; is --network right?")
    return {name: np.ascontiguousarray(tensors[name], np.float32) for name in shapes}


def _serialised(tensors: Mapping[str, npt.NDArray[np.float32]]) -> bytes:
    from safetensors.numpy import save

    return bytes(save(dict(tensors)))


def _require_free(id: str) -> None:
    if not re.fullmatch(r"[a-z0-9][a-z0-9._-]*", id):
        raise InvalidInputError(f"--id {id!r}: small letters, digits, dots and dashes only")
    if id in METHODS or id in known_weights():
        raise InvalidInputError(f"--id {id}: is the id of a recogniser of ours; choose another")


def _is_safetensors(path: Path) -> bool:
    """By the first bytes: the length of a header that begins with a brace."""
    try:
        with path.open("rb") as file:
            return file.read(9)[8:] == b"{"
    except OSError as error:
        raise InvalidInputError(f"{path}: cannot be read ({error.strerror}); check the path") from None


def _read_safetensors(path: Path) -> dict[str, npt.NDArray[Any]]:
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        return dict(load(path.read_bytes()))
    except (SafetensorError, KeyError) as error:  # KeyError: a number type that numpy lacks
        raise InvalidInputError(f"{path}: cannot be read as safetensors ({error}); is it truncated?") from None


def _read_torch(path: Path) -> Any:
    import torch

    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        said = re.search(r"(?:GLOBAL|Unsupported (?:class|global)\S*|Trying to \w+) ([\w.]+)", str(error))
        what = f"it names {said[1]}" if said else "it is no state dict"
        raise InvalidInputError(
            f"{path}: refused, since it holds more than tensors ({what}), and reading that would run code; "
            "save the network's state_dict() alone"
        ) from None
    except Exception as error:  # truncated or foreign files fail in zipfile, struct, torch's C++ reader and others
        reason = next(iter(str(error).strip().splitlines()), type(error).__name__)[:160]
        raise InvalidInputError(f"{path}: is no checkpoint that torch reads, or is truncated ({reason})") from None


def _unwrapped(content: Any, path: Path) -> dict[str, npt.NDArray[Any]]:
    """The state dict: the content itself, or what stands under one of the usual keys."""
    import torch

    state = content
    while isinstance(state, Mapping) and not any(isinstance(value, torch.Tensor) for value in state.values()):
        key = next((one for one in _WRAPPINGS if isinstance(state.get(one), Mapping)), None)
        if key is None:
            break
        state = state[key]
    if not isinstance(state, Mapping) or not state or not all(isinstance(v, torch.Tensor) for v in state.values()):
        raise InvalidInputError(
            f"{path}: holds no state dict (names with tensors), not even under {', '.join(_WRAPPINGS)}"
        )
    return {str(name): _array(value) for name, value in state.items()}


def _array(tensor: Any) -> npt.NDArray[Any]:
    """As numpy; number types that numpy lacks are widened."""
    import torch

    if tensor.dtype == torch.bfloat16:
        tensor = tensor.float()
    return np.asarray(tensor.detach().contiguous().numpy())
