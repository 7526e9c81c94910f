"""Steps from a table of layers to a trained network: AdamW, a cosine schedule, checkpoints that a run goes on from."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import cast

import torch
from torch import Tensor, nn

from benchmark.digest import digest
from benchmark.errors import InvalidInputError
from benchmark.interfaces import Samples
from benchmark.recognisers.networks.layers import Table
from benchmark.recognisers.networks.modules import Network

from .batches import Batches
from .checkpoint import read_checkpoint, write_checkpoint
from .losses import ArcFace

#: What networks that are trained here see: (pixel - MEAN) / STD of RGB.
MEAN, STD = 127.5, 128.0

Loss = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class Schedule:
    """How long and how fast: `peak` is AdamW's rate behind `warmup` steps; it falls to nothing along a cosine."""

    steps: int
    peak: float = 2e-3
    warmup: int = 300
    decay: float = 0.05
    seed: int = 1

    def rate(self, step: int) -> float:
        """The learning rate of one step (0..).

        >>> schedule = Schedule(steps=1000, peak=1.0, warmup=100)
        >>> schedule.rate(49), schedule.rate(100), round(schedule.rate(999), 6)
        (0.5, 1.0, 3e-06)
        """
        if step < self.warmup:
            return self.peak * (step + 1) / self.warmup
        done = (step - self.warmup) / max(1, self.steps - self.warmup)
        return self.peak * 0.5 * (1 + math.cos(math.pi * done))


@dataclass(frozen=True)
class Progress:
    """Where a training stands: steps done, mean loss since the last report, samples a second."""

    step: int
    loss: float
    rate: float


class Training(nn.Module):
    """A network with its loss (whose own parameters, if any, are trained beside it)."""

    def __init__(self, table: Table, loss: Loss, *, device: str = "cpu") -> None:
        super().__init__()
        if device == "cuda" and not torch.cuda.is_available():
            raise InvalidInputError("torch sees no GPU here; use --device cpu, or a CUDA build of torch")
        self.network = Network(table)
        self.loss = loss if isinstance(loss, nn.Module) else _Plain(loss)
        self.device = torch.device(device)
        if device == "cpu":
            from .fused import normalised_prelu

            self.network.normalise = normalised_prelu
        self.to(self.device)
        for parameter in self.parameters():
            if parameter.ndim == 4:
                parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)

    def forward(self, samples: Samples, targets: Tensor) -> Tensor:
        with torch.autocast("cuda", torch.bfloat16, enabled=self.device.type == "cuda"):
            templates = self.network(pixels(samples, self.device))
        return cast(Tensor, self.loss(templates.float(), targets.to(self.device)))


class _Plain(nn.Module):
    def __init__(self, loss: Loss) -> None:
        super().__init__()
        self._loss = loss

    def forward(self, templates: Tensor, targets: Tensor) -> Tensor:
        return self._loss(templates, targets)


def pixels(samples: Samples, device: torch.device) -> Tensor:
    """Samples (uint8, N x 112 x 112 x 3) as a network sees them (float32, N x 3 x 112 x 112, channels last)."""
    return ((torch.from_numpy(samples).to(device).float() - MEAN) / STD).permute(0, 3, 1, 2)


def train(
    training: Training, batches: Batches, schedule: Schedule, *, checkpoint: Path, every: int = 500, report: int = 50
) -> Iterator[Progress]:
    """Train to the end, from the checkpoint where there is one; yields every `report` steps.

    The network's first weights, the batches and the schedule depend on named seeds and the step alone: a training that
    was interrupted gives what it would have given (on one device and number of threads). Raises InvalidInputError for
    a checkpoint of another training.
    """
    initialise(training, schedule.seed)
    plan = digest(
        "training", training.network.table.name, sorted(map(str, _shapes(training))), batches.digest, asdict(schedule)
    )
    optimiser = torch.optim.AdamW(_groups(training, schedule.decay), lr=schedule.peak, betas=(0.9, 0.98), fused=True)
    first = read_checkpoint(checkpoint, training, optimiser, plan=plan)
    training.train()
    losses: list[float] = []
    start = time.perf_counter()
    for step in range(first, schedule.steps):
        for group in optimiser.param_groups:
            group["lr"] = schedule.rate(step)
        samples, targets = batches.batch(step)
        loss = training(samples, targets)
        if not torch.isfinite(loss):
            raise InvalidInputError(f"the loss is {float(loss)} at step {step}: choose a smaller --rate")
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
        done = step + 1
        if done % every == 0 or done == schedule.steps:
            write_checkpoint(checkpoint, training, optimiser, step=done, plan=plan)
        if done % report == 0 or done == schedule.steps:
            seconds = time.perf_counter() - start
            yield Progress(done, sum(losses) / len(losses), len(samples) * len(losses) / seconds)
            losses, start = [], time.perf_counter()
    training.eval()


def initialise(module: nn.Module, seed: int) -> None:
    """First weights from a seed: He's normal distribution for convolutions (fan out), normal ones for the rest."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for one in module.modules():
            if isinstance(one, nn.Conv2d):
                nn.init.kaiming_normal_(one.weight, mode="fan_out", nonlinearity="relu")
            elif isinstance(one, nn.Linear):
                nn.init.normal_(one.weight, std=one.weight.shape[1] ** -0.5)
                nn.init.zeros_(one.bias)
            elif isinstance(one, ArcFace):
                nn.init.normal_(one.centres, std=0.01)


def _groups(module: nn.Module, decay: float) -> list[dict[str, object]]:
    """Weight decay for kernels and matrices; none for biases, slopes and what normalises."""
    matrices = [parameter for parameter in module.parameters() if parameter.ndim > 1]
    others = [parameter for parameter in module.parameters() if parameter.ndim <= 1]
    return [{"params": matrices, "weight_decay": decay}, {"params": others, "weight_decay": 0.0}]


def _shapes(module: nn.Module) -> Iterator[tuple[str, tuple[int, ...]]]:
    for name, value in module.state_dict().items():
        yield name, tuple(value.shape)
