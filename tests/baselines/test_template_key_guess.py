"""The attack that guesses PolyProtect's key: as the harness calls it, on made-up templates, and its refusals."""

from __future__ import annotations

import numpy as np
import pytest
from loaded_baselines import BASELINES, load_baseline

from benchmark.crypto import derive_key
from benchmark.errors import InvalidInputError
from benchmark.interfaces import Evidence, TrainingPairs
from benchmark.submission import load_submission

KEYS = [derive_key(bytes(32), "sample", str(number)) for number in range(40)]
DIMENSION = 64


def templates(count: int, seed: int) -> np.ndarray:
    """Templates of length 1, correlated and with a mean that is not zero."""
    random = np.random.default_rng(0)
    mixing, mean = random.normal(size=(DIMENSION, DIMENSION)), 4 * random.normal(size=DIMENSION)
    x = mean + np.random.default_rng(seed).normal(size=(count, DIMENSION)) @ mixing
    return (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)


def protected(preset: str, originals: np.ndarray) -> Evidence:
    parameters = load_submission(BASELINES / "protectors/polyprotect").resolve({}, preset)
    hidden = load_baseline("protectors/polyprotect", preset).protect(
        originals, KEYS[: len(originals)], generator=np.random.default_rng(0)
    )
    return Evidence(hidden, algorithm={"id": "polyprotect", "parameters": parameters})


def learned(preset: str) -> object:
    attack, own = load_baseline("attacks/template-key-guess"), templates(200, 1)
    arrays = attack.fit(TrainingPairs(own, protected(preset, own[:2])), generator=np.random.default_rng(0))
    attack.restore(arrays)
    return attack


@pytest.mark.parametrize(("preset", "least"), [("overlap0", 0.3), ("overlap4", 0.6)])
def test_templates_are_recovered_without_a_key(preset: str, least: float) -> None:
    victims = templates(40, 2) - templates(200, 1).mean(axis=0)  # what they have in common is nobody's merit
    evidence = protected(preset, templates(40, 2))
    assert evidence.keys is None
    found = learned(preset).run(evidence, generator=np.random.default_rng(0))
    assert found.shape == victims.shape
    assert found.dtype == np.float32
    own = found - templates(200, 1).mean(axis=0)
    assert np.mean((own * victims).sum(axis=1) / np.linalg.norm(own, axis=1) / np.linalg.norm(victims, axis=1)) > least


def test_one_by_one_as_all_at_once() -> None:
    attack, evidence = learned("overlap4"), protected("overlap4", templates(5, 2))
    whole = attack.run(evidence, generator=np.random.default_rng(0))
    alone = Evidence(evidence.protected[3:4], algorithm=evidence.algorithm)
    assert np.array_equal(attack.run(alone, generator=np.random.default_rng(1))[0], whole[3])


def test_it_is_granted_no_key() -> None:
    manifest = load_submission(BASELINES / "attacks/template-key-guess").attack
    assert manifest.threat_model == ("algorithm", "pairs")
    assert manifest.disclosure == "advanced"


def test_what_it_has_not_learned_is_refused() -> None:
    attack, evidence = learned("overlap0"), protected("overlap4", templates(1, 2))
    with pytest.raises(InvalidInputError, match="overlap=0"):
        attack.run(evidence, generator=np.random.default_rng(0))
    with pytest.raises(InvalidInputError, match="not of other"):
        attack.run(Evidence(evidence.protected, algorithm={"id": "other"}), generator=np.random.default_rng(0))
    with pytest.raises(InvalidInputError, match="needs the algorithm"):
        attack.run(Evidence(evidence.protected), generator=np.random.default_rng(0))
