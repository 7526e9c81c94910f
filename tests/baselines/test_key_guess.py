"""Guessing the arrangement of a re-mapping: on drawn faces, without keys, and its refusals."""

from __future__ import annotations

import numpy as np
import pytest
from loaded_baselines import BASELINES, load_baseline

from benchmark.crypto import derive_key
from benchmark.datasets.synthetic import SyntheticDataset, SyntheticParameters
from benchmark.errors import InvalidInputError
from benchmark.interfaces import Evidence, TrainingPairs
from benchmark.submission import load_submission

OWN, VICTIMS = 80, 8


@pytest.fixture(scope="module")
def faces() -> np.ndarray:
    ids = [f"s{7000 + number}/0" for number in range(OWN + VICTIMS)]
    return SyntheticDataset(SyntheticParameters()).load(ids).samples


def remapped(samples: np.ndarray, preset: str) -> tuple[np.ndarray, dict]:
    parameters = load_submission(BASELINES / "protectors/block-remapping").resolve({}, preset)
    keys = [derive_key(bytes(32), "sample", str(number)) for number in range(len(samples))]
    hidden = load_baseline("protectors/block-remapping", preset).protect(
        samples, keys, generator=np.random.default_rng(0)
    )
    return hidden, {"id": "block-remapping", "parameters": parameters}


@pytest.mark.parametrize(("preset", "kept", "least"), [("remap_16_0", 49, 0.8), ("remap_16_25", 37, 0.7)])
def test_most_blocks_of_drawn_faces_are_put_right_without_a_key(
    faces: np.ndarray, preset: str, kept: int, least: float
) -> None:
    hidden, algorithm = remapped(faces, preset)
    attack = load_baseline("attacks/key-guess")
    training = TrainingPairs(faces[:OWN], Evidence(hidden[:OWN], algorithm=algorithm))
    attack.restore(attack.fit(training, generator=np.random.default_rng(0)))
    found = attack.run(Evidence(hidden[OWN:], algorithm=algorithm), generator=np.random.default_rng(0))
    assert found.shape == (VICTIMS, 112, 112, 3)
    right = (found == faces[OWN:]).reshape(VICTIMS, 7, 16, 7, 16, 3).all(axis=(2, 4, 5)).sum() / (VICTIMS * kept)
    before = (hidden[OWN:] == faces[OWN:]).reshape(VICTIMS, 7, 16, 7, 16, 3).all(axis=(2, 4, 5)).mean()
    assert before < 0.1
    assert right > least


def test_it_is_granted_no_key() -> None:
    manifest = load_submission(BASELINES / "attacks/key-guess").attack
    assert manifest.threat_model == ("algorithm", "pairs")
    assert manifest.disclosure == "advanced"


def test_what_has_no_blocks_is_refused(faces: np.ndarray) -> None:
    attack = load_baseline("attacks/key-guess")
    with pytest.raises(InvalidInputError, match="not of other"):
        attack.run(Evidence(faces[:1], algorithm={"id": "other", "parameters": {}}), generator=np.random.default_rng(0))
    with pytest.raises(InvalidInputError, match="needs the algorithm"):
        attack.run(Evidence(faces[:1]), generator=np.random.default_rng(0))
