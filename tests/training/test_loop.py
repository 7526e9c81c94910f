"""Training: it learns, goes on as if it had not been stopped, and refuses another training's checkpoint."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from benchmark.errors import InvalidInputError
from benchmark.recognisers.networks.layers import Chain, Convolution, Linear, Normalisation, PReLU, Table
from benchmark.training.batches import Identified
from benchmark.training.loop import Schedule, Training, train
from benchmark.training.losses import ArcFace

#: A network of two layers that looks at every 16th pixel.
TABLE = Table(
    "tiny",
    (
        Chain((Convolution("c", 3, 16, 3, 16, 1), Normalisation("n", 16), PReLU("p", 16))),
        Chain((Linear("l", 16 * 49, 8), Normalisation("b", 8))),
    ),
    8,
)
RANDOM = np.random.default_rng(2)
WHO = np.arange(12) % 3
#: Three people: bright above, in the middle, and below, which survives mirroring, light and small shifts.
CROPS = RANDOM.integers(0, 60, (12, 112, 112, 3), np.uint8)
for crop, who in zip(CROPS, WHO, strict=True):
    crop[37 * who : 37 * (who + 1)] += 150
BATCHES = Identified(CROPS, WHO, 12)


def run(folder: Path, steps: int, *, stop: int | None = None) -> list[float]:
    torch.manual_seed(len(str(folder)))  # a global generator in whatever state must not matter
    training = Training(TABLE, ArcFace(8, 3))
    losses = []
    for progress in train(
        training, BATCHES, Schedule(steps=steps, warmup=2), checkpoint=folder / "c.safetensors", every=4, report=1
    ):
        losses.append(progress.loss)
        if progress.step == stop:
            break
    return losses


def test_it_learns(tmp_path: Path) -> None:
    losses = run(tmp_path, 60)
    assert np.mean(losses[-10:]) < 0.5 * np.mean(losses[:10])


def test_a_stopped_training_goes_on_from_its_checkpoint_to_the_same_weights(tmp_path: Path) -> None:
    whole, parts = tmp_path / "whole", tmp_path / "in-parts"
    first = run(whole, 10)
    assert run(parts, 10, stop=6) == first[:6]
    assert run(parts, 10) == first[4:]  # the checkpoint of step 4
    a, b = (load_file(folder / "c.safetensors") for folder in (whole, parts))
    assert a.keys() == b.keys()
    assert all(torch.equal(a[name], b[name]) for name in a)


def test_another_trainings_checkpoint_is_refused(tmp_path: Path) -> None:
    run(tmp_path, 4)
    with pytest.raises(InvalidInputError, match="another training"):
        run(tmp_path, 5)


def test_a_damaged_checkpoint_is_named(tmp_path: Path) -> None:
    (tmp_path / "c.safetensors").write_bytes(b"\x80\x04nothing")
    with pytest.raises(InvalidInputError, match="no readable checkpoint"):
        run(tmp_path, 4)


def test_a_gpu_that_is_not_there_is_refused() -> None:
    if torch.cuda.is_available():
        pytest.skip("there is one")
    with pytest.raises(InvalidInputError, match="no GPU"):
        Training(TABLE, ArcFace(8, 3), device="cuda")
