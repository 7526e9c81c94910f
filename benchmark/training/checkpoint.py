"""Where a training stands, as one safetensors file: the network, AdamW's moments, the step. Nothing is unpickled."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from benchmark.errors import InvalidInputError
from benchmark.store import write_atomically

_MOMENTS = ("exp_avg", "exp_avg_sq", "step")


def write_checkpoint(path: Path, model: nn.Module, optimiser: torch.optim.Optimizer, *, step: int, plan: str) -> None:
    """Write all that the next step depends on, atomically; `plan` is the digest of what is trained how, on what."""
    tensors = {f"model/{name}": value for name, value in model.state_dict().items()}
    for name, parameter in model.named_parameters():
        state = optimiser.state.get(parameter, {})
        tensors |= {f"{part}/{name}": state[part] for part in _MOMENTS if part in state}
    whole = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
    write_atomically(path, save(whole, {"step": str(step), "plan": plan}))


def read_checkpoint(path: Path, model: nn.Module, optimiser: torch.optim.Optimizer, *, plan: str) -> int:
    """Restore model and optimiser, and return the step to go on with; 0 where there is no such file.

    Raises InvalidInputError for a file of another plan, or one that is damaged.
    """
    if not path.is_file():
        return 0
    try:
        with safe_open(path, framework="pt") as file:
            said: Mapping[str, str] = file.metadata() or {}
            tensors: dict[str, Tensor] = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
        step = int(said["step"])
    except (SafetensorError, KeyError, ValueError, OSError) as error:
        raise InvalidInputError(f"{path}: is no readable checkpoint ({error}); remove it to begin anew") from None
    if said.get("plan") != plan:
        raise InvalidInputError(
            f"{path}: holds the checkpoint of another training (network, material or settings differ); "
            "remove it, or choose another --work folder"
        )
    model.load_state_dict({name.removeprefix("model/"): t for name, t in tensors.items() if name.startswith("model/")})
    for name, parameter in model.named_parameters():
        state: dict[str, Any] = {part: tensors[key] for part in _MOMENTS if (key := f"{part}/{name}") in tensors}
        if state:
            moved = {part: t if part == "step" else t.to(parameter.device) for part, t in state.items()}
            # Moments follow the layout of their parameter, or every step would reorder them.
            optimiser.state[parameter] = {
                part: t if part == "step" else torch.empty_like(parameter).copy_(t) for part, t in moved.items()
            }
    return step
