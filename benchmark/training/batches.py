"""What each step of a training sees: a function of the step alone, so that a resumed training sees the same."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from benchmark.digest import digest, generator
from benchmark.interfaces import Samples, Templates

from .augmentation import varied_batch
from .pool import SHARD, Pool


class Batches(Protocol):
    """A source of batches: samples (uint8, N x 112 x 112 x 3) and their targets (templates or identities)."""

    @property
    def digest(self) -> str:
        """Names every batch."""

    def batch(self, step: int) -> tuple[Samples, Tensor]:
        """The samples of one step, and what they are to give."""


@dataclass
class Labelled:
    """A teacher's pool of `shards` shards: the first time in their order, then in another every time."""

    pool: Pool
    shards: int
    size: int
    seed: int = 1
    _open: dict[int, tuple[Samples, Templates]] = field(default_factory=dict, repr=False)

    @property
    def digest(self) -> str:
        return digest("labelled", self.pool.digest, self.shards, self.size, self.seed)

    def batch(self, step: int) -> tuple[Samples, Tensor]:
        per_shard = SHARD // self.size
        turn, position = divmod(step, per_shard)
        epoch, place = divmod(turn, self.shards)
        random = generator("shards", self.seed, epoch)
        shard = place if epoch == 0 else int(random.permutation(self.shards)[place])
        if shard not in self._open:
            self._open = {shard: self.pool.shard(shard)}
        samples, templates = self._open[shard]
        order = generator("samples", self.seed, epoch, shard).permutation(SHARD)
        chosen = np.sort(order[position * self.size : (position + 1) * self.size])
        return np.asarray(samples[chosen]), torch.from_numpy(templates[chosen])


@dataclass(frozen=True)
class Identified:
    """Crops with identity labels (int64, N: 0..), varied anew every time."""

    crops: Samples
    identities: npt.NDArray[np.int64]
    size: int
    seed: int = 1

    @property
    def digest(self) -> str:
        return digest("identified", self.crops, self.identities, self.size, self.seed)

    def batch(self, step: int) -> tuple[Samples, Tensor]:
        # Without a class twice in a row of small data sets: a permutation an epoch.
        count = len(self.crops)
        places = np.arange(step * self.size, (step + 1) * self.size)
        orders = {
            epoch: generator("crops", self.seed, epoch).permutation(count) for epoch in set((places // count).tolist())
        }
        chosen = np.array([orders[place // count][place % count] for place in places.tolist()])
        samples = varied_batch(self.crops[chosen], generator("variation", self.seed, step))
        return samples, torch.from_numpy(self.identities[chosen])
