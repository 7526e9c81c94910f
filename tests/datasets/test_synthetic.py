"""Drawn faces: the same bytes everywhere, persons apart as real ones are."""

from __future__ import annotations

import hashlib
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmark.datasets import Dataset, open_dataset, read_pairs
from benchmark.datasets.face_model import MODEL_FILE
from benchmark.errors import InvalidInputError
from benchmark.metrics.verification import eer
from benchmark.recognisers import load_recogniser

DEMO = Path(__file__).resolve().parents[2] / "protocols" / "splits" / "demo.csv"
IDS = [f"s{person:04d}/{photograph}" for person in range(20) for photograph in range(2)]


@pytest.fixture(scope="module")
def synthetic() -> Dataset:
    return open_dataset("synthetic", {}, None)


def test_pixels_are_these_on_every_machine(synthetic: Dataset) -> None:
    """Golden values of this implementation. If they change on purpose, raise DRAWING in synthetic.py: records depend
    on them. If they differ on some machine, that is a bug.
    """
    assert (
        hashlib.sha256(synthetic.load(IDS).samples.tobytes()).hexdigest()
        == "d80c95b9152421f9f7f08a9c006c0a1620b1ffdaa28439e3852ba8a2aae2bbf4"
    )
    other = open_dataset("synthetic", {"seed": 7, "variation": 1.5}, None)
    assert (
        hashlib.sha256(other.load(["s123456/99"]).samples.tobytes()).hexdigest()
        == "25c7991e64e3bf9d88997ded29b74821a8d792151668e0350a2b2b865eae36e6"
    )


def test_a_sample_does_not_depend_on_its_batch(synthetic: Dataset) -> None:
    together = synthetic.load(IDS)
    assert together.samples.shape == (40, 112, 112, 3)
    assert not together.failed.any()
    assert together.reasons == {}
    for i in (0, 17, 39):
        assert np.array_equal(synthetic.load([IDS[i]]).samples[0], together.samples[i])
    assert np.array_equal(synthetic.load(IDS[::-1]).samples, together.samples[::-1])
    assert synthetic.load([]).samples.shape == (0, 112, 112, 3)


def test_every_sample_is_another_picture(synthetic: Dataset) -> None:
    samples = synthetic.load(IDS).samples
    assert len({sample.tobytes() for sample in samples}) == len(IDS)
    assert samples.std(axis=(1, 2, 3)).min() > 15


def test_fingerprints_follow_everything_that_pixels_depend_on(synthetic: Dataset) -> None:
    prints = synthetic.fingerprint(IDS)
    assert len(set(prints)) == len(IDS)
    assert prints == open_dataset("synthetic", {"seed": 1}, None).fingerprint(IDS)
    for parameters in ({"seed": 2}, {"variation": 0.5}):
        other = open_dataset("synthetic", parameters, None)
        assert not set(prints) & set(other.fingerprint(IDS))
        assert not np.array_equal(other.load(IDS[:1]).samples, synthetic.load(IDS[:1]).samples)


def test_variation_scales_how_photographs_of_a_person_differ() -> None:
    ids = [f"s0003/{photograph}" for photograph in range(12)]
    spread = [
        open_dataset("synthetic", {"variation": amount}, None).load(ids).samples.std(0).mean()
        for amount in (0.0, 0.5, 1.0, 2.0)
    ]
    assert spread == sorted(spread)
    assert spread[3] > 2 * spread[0] > 0  # without any, placement and camera still differ


@pytest.mark.parametrize(
    "bad", ["s1/0", "s0001", "s0001/", "s0001/01", "s0001/-1", "0001/1", "s0001/1/2", "S0001/1", "s٠٠٠١/1", "s0001/1\n"]
)
def test_ids_have_one_spelling(synthetic: Dataset, bad: str) -> None:
    for ask in (synthetic.subject, lambda name: synthetic.load([name]), lambda name: synthetic.fingerprint([name])):
        with pytest.raises(InvalidInputError, match="they look like s0007/3"):
            ask(bad)


def test_the_model_is_small_enough_for_the_package() -> None:
    assert MODEL_FILE.stat().st_size <= 3_000_000


def _demo_eer(synthetic: Dataset, recogniser_id: str, data: Path | None) -> float:
    pairs = read_pairs(DEMO)
    recogniser = load_recogniser(recogniser_id, data=data)
    templates = recogniser.embed(synthetic.load(pairs.ids).samples)
    scores = recogniser.compare(templates[pairs.a_index], templates[pairs.b_index])
    return eer(scores[pairs.genuine], scores[~pairs.genuine])


def test_texture_tells_persons_apart_about_as_badly_as_real_ones(synthetic: Dataset) -> None:
    assert 0.15 <= _demo_eer(synthetic, "lbp", None) <= 0.40


@pytest.mark.data
def test_a_network_tells_persons_apart_but_not_too_easily(synthetic: Dataset, data_root: Path) -> None:
    assert 0.02 <= _demo_eer(synthetic, "mobilefacenet-ms1m", data_root) <= 0.15


@pytest.mark.data
def test_codestreams_are_about_as_large_as_real_ones(synthetic: Dataset, data_root: Path) -> None:
    real = open_dataset("lfw", {}, data_root).load(read_pairs(DEMO.with_name("lfw-view2.csv")).ids[:40]).samples
    ratio = np.mean([_lossless(sample) for sample in synthetic.load(IDS).samples]) / np.mean(
        [_lossless(sample) for sample in real]
    )
    assert 0.7 <= ratio <= 1.3


def _lossless(sample: np.ndarray) -> int:
    file = BytesIO()
    Image.fromarray(sample).save(file, "JPEG2000", irreversible=False, mct=1, no_jp2=True)
    return len(file.getvalue())
