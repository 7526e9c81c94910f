"""Labelled shards: made once, named by what went into them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from benchmark.datasets.synthetic import SyntheticDataset, SyntheticParameters
from benchmark.interfaces import Recogniser, Samples, Templates
from benchmark.training import batches, pool
from benchmark.training.batches import Labelled
from benchmark.training.pool import Pool

CROPS = SyntheticDataset(SyntheticParameters()).load([f"s{n:04d}/0" for n in range(6)]).samples


class Means(Recogniser):
    """The mean of each channel in each quarter: a teacher that needs no weights."""

    id, dimension, digest, weights = "means", 12, "0" * 64, {}

    def __init__(self) -> None:
        self.calls = 0

    def embed(self, samples: Samples) -> Templates:
        self.calls += 1
        return samples.reshape(len(samples), 2, 56, 2, 56, 3).mean((2, 4)).reshape(len(samples), 12).astype(np.float32)

    def compare(self, a: Templates, b: Templates) -> npt.NDArray[np.float32]:
        raise NotImplementedError

    def compare_all(self, a: Templates, b: Templates) -> npt.NDArray[np.float32]:
        raise NotImplementedError


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "SHARD", 32)
    monkeypatch.setattr(batches, "SHARD", 32)


def test_a_shard_is_labelled_by_the_teacher_and_made_once(tmp_path: Path) -> None:
    teacher = Means()
    samples, templates = Pool(tmp_path, CROPS, teacher).shard(0)
    assert samples.shape == (32, 112, 112, 3)
    expected = teacher.embed(np.array(samples))
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    np.testing.assert_allclose(templates, expected, rtol=1e-6)
    calls = teacher.calls
    again, _ = Pool(tmp_path, CROPS, teacher).shard(0)
    assert teacher.calls == calls
    assert np.array_equal(again, samples)


def test_shards_differ_and_another_pool_lies_elsewhere(tmp_path: Path) -> None:
    one = Pool(tmp_path, CROPS, Means())
    assert not np.array_equal(one.shard(0)[0], one.shard(1)[0])
    other = Pool(tmp_path, CROPS, Means(), seed=2)
    assert other.digest != one.digest
    assert not np.array_equal(one.shard(0)[0], other.shard(0)[0])
    assert len(list(tmp_path.iterdir())) == 2


def test_every_sample_is_seen_once_an_epoch(tmp_path: Path) -> None:
    source = Labelled(Pool(tmp_path, CROPS, Means()), shards=2, size=8)
    for epoch in range(2):
        seen = np.concatenate([source.batch(8 * epoch + step)[1].numpy() for step in range(8)])
        assert len(np.unique(seen, axis=0)) == 64
    samples, targets = source.batch(3)
    again, _ = Labelled(source.pool, shards=2, size=8).batch(3)
    assert np.array_equal(samples, again)
    assert targets.shape == (8, 12)
