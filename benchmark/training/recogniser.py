"""From a folder of aligned crops to a weights file: what `veilbench train recogniser` does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import torch
from safetensors.torch import save

from benchmark.datasets.base import Loaded
from benchmark.datasets.folder import FolderDataset, FolderParameters
from benchmark.datasets.pairs import Pairs, read_pairs
from benchmark.errors import InvalidInputError
from benchmark.interfaces import Recogniser, Samples, Templates
from benchmark.metrics.verification import eer
from benchmark.recognisers import load_recogniser
from benchmark.recognisers.cosine import cosine
from benchmark.recognisers.networks.catalogue import network_table
from benchmark.recognisers.preprocessing import Preprocessing
from benchmark.store import write_atomically

from . import PREPROCESSING
from .batches import Batches, Identified, Labelled
from .loop import MEAN, STD, Progress, Schedule, Training, pixels, train
from .losses import ArcFace, distillation_loss
from .pool import SHARD, Pool

Say = Callable[[str], None]
#: Steps between measurements on the held-out pairs.
MEASURE = 1000


@dataclass(frozen=True)
class Order:
    """What to train: a network on a folder of crops, with a teacher's templates or with the folder's identities."""

    network: str
    faces: Path
    out: Path
    work: Path
    schedule: Schedule
    #: A recogniser's id: distillation. None: ArcFace on the identities that the folder names.
    teacher: str | None = None
    #: A split file: its people are kept out of training, and its pairs measured.
    held_out: Path | None = None
    data: Path | None = None
    batch: int = 64
    shards: int = 64
    device: str = "cpu"
    threads: int = 1


def train_recogniser(order: Order, say: Say) -> Path:
    """Train to the end, from where an earlier call stopped, and write the weights (float16 safetensors).

    `say` is told the progress, line by line. Raises InvalidInputError for a folder without usable crops, an unknown
    network or teacher, a batch larger than a shard of labelled samples, a checkpoint of another training.
    """
    torch.set_num_threads(order.threads)
    cv2.setNumThreads(1)  # crops are smaller than what sharing them out costs
    table = network_table(order.network)
    dataset = FolderDataset(FolderParameters(path=str(order.faces.resolve())), None)
    pairs = read_pairs(order.held_out) if order.held_out else None
    kept_out = set(pairs.subjects) if pairs else set()
    ids = [name for name in dataset.ids() if dataset.subject(name) not in kept_out]
    loaded = _usable(dataset.load(ids), order.faces, say)
    crops = loaded.samples[~loaded.failed]
    teacher = load_recogniser(order.teacher, data=order.data, threads=order.threads) if order.teacher else None
    batches: Batches
    if teacher is not None:
        if order.batch > SHARD:
            raise InvalidInputError(
                f"--batch {order.batch}: a step takes its samples from one shard of {SHARD:,}; choose {SHARD} or fewer"
            )
        if teacher.dimension != table.dimension:
            raise InvalidInputError(
                f"{order.network} gives {table.dimension} numbers, its teacher {order.teacher} {teacher.dimension}; "
                "distillation needs as many"
            )
        training = Training(table, distillation_loss, device=order.device)
        pool = Pool(order.work / "pool", crops, teacher, order.schedule.seed)
        batches = Labelled(pool, order.shards, order.batch, order.schedule.seed)
    else:
        names = [dataset.subject(name) for name, failed in zip(ids, loaded.failed, strict=True) if not failed]
        identities: npt.NDArray[np.int64] = np.unique(names, return_inverse=True)[1].astype(np.int64)
        count = int(identities.max()) + 1
        if count < 2:
            raise InvalidInputError(f"{order.faces}: needs crops of two people or more to tell them apart; it has one")
        training = Training(table, ArcFace(table.dimension, count), device=order.device)
        batches = Identified(crops, identities, order.batch, order.schedule.seed)
    held = _held_out(dataset.load(pairs.ids), pairs, teacher, order.held_out) if pairs else None
    checkpoint = order.work / f"{order.network}.checkpoint.safetensors"
    say(f"{order.network}: {len(crops):,} crops, {order.schedule.steps:,} steps of {order.batch}; {checkpoint}")
    for progress in train(training, batches, order.schedule, checkpoint=checkpoint):
        last = progress.step == order.schedule.steps
        measured = held.measure(training) if held and (progress.step % MEASURE == 0 or last) else ""
        say(_line(progress, order.schedule.steps, order.batch) + measured)
    _write(order, training)
    return order.out


def _usable(loaded: Loaded, folder: Path, say: Say) -> Loaded:
    for reason in loaded.reasons.values():
        say(f"left out: {reason}")
    if loaded.failed.all():
        raise InvalidInputError(f"{folder}: no crop of 112x112 to train on; it holds one folder per identity")
    return loaded


@dataclass(frozen=True)
class _HeldOut:
    """Pairs of people outside the training, and what the teacher makes of them."""

    pairs: Pairs
    samples: Samples
    taught: Templates | None

    def measure(self, training: Training) -> str:
        """EER on the held-out pairs, and how near the student's templates are to the teacher's, as text."""
        found = templates_of(training, self.samples)
        text = f"; held out: EER {100 * self._eer(found):.2f} %"
        if self.taught is not None:
            text += f" (teacher {100 * self._eer(self.taught):.2f} %), cosine to the teacher "
            text += f"{cosine(found, self.taught).mean():.4f}"
        return text

    def _eer(self, templates: Templates) -> float:
        scores = cosine(templates[self.pairs.a_index], templates[self.pairs.b_index])
        return eer(scores[self.pairs.genuine], scores[~self.pairs.genuine])


def _held_out(loaded: Loaded, pairs: Pairs, teacher: Recogniser | None, file: Path | None) -> _HeldOut:
    if loaded.failed.any():
        raise InvalidInputError(f"{file}: {next(iter(loaded.reasons.values()))}; held-out pairs need all their crops")
    return _HeldOut(pairs, loaded.samples, teacher.embed(loaded.samples) if teacher else None)


def templates_of(training: Training, samples: Samples, *, batch: int = 64) -> Templates:
    """What the network makes of samples (uint8, N x 112 x 112 x 3) as it stands: float32, N x D."""
    was = training.training
    training.eval()
    with torch.inference_mode():
        parts = [
            training.network(pixels(np.ascontiguousarray(samples[start : start + batch]), training.device))
            .cpu()
            .numpy()
            for start in range(0, len(samples), batch)
        ]
    training.train(was)
    return np.concatenate(parts)


def _line(progress: Progress, steps: int, batch: int) -> str:
    left = (steps - progress.step) * batch / progress.rate / 60
    rate = f"{progress.rate:.0f} samples/s, {left:.0f} min left"
    return f"step {progress.step:,} of {steps:,}: loss {progress.loss:.4f}, {rate}"


def _write(order: Order, training: Training) -> None:
    """The tensors of the table as float16, with what they come from and what their network was fed."""
    state = training.network.state_dict()
    half = {name: state[name].detach().cpu().half().contiguous() for name in training.network.table.shapes()}
    beyond = [name for name, tensor in half.items() if not torch.isfinite(tensor).all()]
    if beyond:
        raise InvalidInputError(f"{order.out}: {beyond[0]} does not fit into 16 bits: the training has diverged")
    said = {
        "network": order.network,
        "trained": f"distilled from {order.teacher}" if order.teacher else "ArcFace loss on identities",
        "steps": str(order.schedule.steps),
        "batch": str(order.batch),
        "seed": str(order.schedule.seed),
        PREPROCESSING: Preprocessing(mean=(MEAN,) * 3, std=(STD,) * 3).model_dump_json(),
    }
    if order.teacher:
        said["pool"] = f"{order.shards * SHARD} samples"
    write_atomically(order.out, save(half, said))
