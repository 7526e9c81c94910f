"""The attacks on cancelable schemes: golden cases against the protectors that they meet, and clear refusals."""

from __future__ import annotations

import numpy as np
import pytest
from loaded_baselines import BASELINES, load_baseline
from pictures import make_picture

from benchmark.crypto import derive_key
from benchmark.errors import InvalidInputError
from benchmark.interfaces import Evidence, TrainingPairs
from benchmark.metrics.verification import eer
from benchmark.submission import load_submission

KEYS = [derive_key(bytes(32), "sample", str(number)) for number in range(240)]
DIMENSION = 64


def generator() -> np.random.Generator:
    return np.random.default_rng(0)


def algorithm(name: str, preset: str | None = None, **given: float) -> dict:
    parameters = load_submission(BASELINES / "protectors" / name).resolve(given, preset)
    return {"id": name, "parameters": parameters, "template": {"dimension": DIMENSION}}


def attacked(attack: str, protector: str, originals: np.ndarray, preset: str | None, **given: float) -> np.ndarray:
    hidden = load_baseline(f"protectors/{protector}", preset, **given).protect(
        originals, KEYS[: len(originals)], generator=generator()
    )
    evidence = Evidence(hidden, keys=KEYS[: len(originals)], algorithm=algorithm(protector, preset, **given))
    return load_baseline(f"attacks/{attack}").run(evidence, generator=generator())


def faces(people: int, each: int = 1, noise: float = 0.5) -> np.ndarray:
    """Templates of length 1, `each` of a person after another."""
    random = np.random.default_rng(5)
    x = np.repeat(random.normal(size=(people, DIMENSION)), each, 0)
    x = x + noise * random.normal(size=x.shape)
    return (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)


@pytest.mark.parametrize("preset", ["warp_8_4", "warp_20_25"])
def test_unwarp_brings_samples_back(preset: str) -> None:
    samples = np.stack([make_picture(112, 112, seed) for seed in range(10)])  # more than a batch
    error = np.square(attacked("unwarp", "block-warping", samples, preset).astype(float) - samples).mean()
    assert 10 * np.log10(255**2 / error) > 28


def test_remap_invert_brings_all_back_that_is_not_lost() -> None:
    samples = np.stack([make_picture(112, 112, seed) for seed in range(3)])
    assert np.array_equal(attacked("remap-invert", "block-remapping", samples, "remap_16_0"), samples)
    restored = attacked("remap-invert", "block-remapping", samples, "remap_16_25")
    for one, other in zip(restored, samples, strict=True):
        exact = (one == other).reshape(7, 16, 7, 16, 3).all(axis=(1, 3, 4))
        assert exact.sum() >= 37
    assert abs(restored.astype(int) - samples).mean() < 12


@pytest.mark.parametrize("attack", ["unwarp", "remap-invert", "template-inversion"])
def test_what_has_no_inverse_is_refused(attack: str) -> None:
    evidence = Evidence(
        np.zeros((1, 112, 112, 3), np.uint8), keys=KEYS[:1], algorithm={"id": "other", "parameters": {}}
    )
    with pytest.raises(InvalidInputError, match="other"):
        load_baseline(f"attacks/{attack}").run(evidence, generator=generator())
    assert load_submission(BASELINES / "attacks" / attack).attack.protectors


@pytest.mark.parametrize(("protector", "given", "least"), [
    ("random-projection", {"m": 64}, 0.999), ("random-projection", {"m": 32}, 0.65),
    ("biohashing", {"m": 64}, 0.75), ("iom-hashing", {"hashing": "grp", "m": 200}, 0.93),
    ("mlp-hash", {"neurons": 128, "length": 256}, 0.8), ("polyprotect", {"overlap": 4}, 0.8),
    ("bloom-filter", {"width": 1}, 0.7),
])  # fmt: skip
def test_templates_are_recovered_under_their_keys(protector: str, given: dict, least: float) -> None:
    own, victims = faces(230)[:200], faces(230)[220:]
    attack = load_baseline("attacks/template-inversion")
    attack.restore(attack.fit(TrainingPairs(own, Evidence(own)), generator=generator()))
    keys = KEYS[: len(victims)]
    hidden = load_baseline(f"protectors/{protector}", **given).protect(victims, keys, generator=generator())
    evidence = Evidence(hidden, keys=keys, algorithm=algorithm(protector, **given))
    found = attack.run(evidence, generator=generator())
    assert found.shape == victims.shape
    assert found.dtype == np.float32
    cosines = (found * victims).sum(axis=1) / np.linalg.norm(found, axis=1)
    assert cosines.mean() > least
    alone = Evidence(hidden[3:4], keys=keys[3:4], algorithm=evidence.algorithm)
    assert np.array_equal(attack.run(alone, generator=generator())[0], found[3])


def test_products_of_two_leave_the_sign_to_the_prior() -> None:
    """Half of the recovered templates point the wrong way where people have no mean face."""
    own, victims = faces(220)[:200], faces(220)[210:]
    attack = load_baseline("attacks/template-inversion")
    attack.restore(attack.fit(TrainingPairs(own, Evidence(own)), generator=generator()))
    given = {"hashing": "urp", "m": 300, "k": 32}
    hidden = load_baseline("protectors/iom-hashing", **given).protect(victims, KEYS[:10], generator=generator())
    evidence = Evidence(hidden, keys=KEYS[:10], algorithm=algorithm("iom-hashing", **given))
    found = attack.run(evidence, generator=generator())
    assert abs((found * victims).sum(axis=1) / np.linalg.norm(found, axis=1)).mean() > 0.75


def _linked(protected: np.ndarray, identities: np.ndarray, originals: np.ndarray) -> tuple[dict, float, float]:
    """What was learned on the first half; EER of plain comparison and of the embeddings on the second."""
    half = len(protected) // 2
    attack = load_baseline("attacks/linkage")
    training = TrainingPairs(originals[:half], Evidence(protected[:half]), identities[:half])
    learned = attack.fit(training, generator=generator())
    attack.restore(learned)
    embedded = attack.run(Evidence(protected[half:]), generator=generator())
    one, other = np.triu_indices(half, 1)
    same = identities[half:][one] == identities[half:][other]

    def error(x: np.ndarray) -> float:
        unit = x / np.linalg.norm(x, axis=1, keepdims=True)
        # Bits give many equal scores, which float32 would tell apart.
        scores = (unit @ unit.T)[one, other].round(5)
        return eer(scores[same], scores[~same])

    return learned, error(protected[half:].astype(float)), error(embedded)


def test_a_linker_is_trained_where_that_helps() -> None:
    """The key moves templates along a few directions that all keys share: whitening takes them out."""
    random = np.random.default_rng(1)
    x = faces(120, 2, 0.3)
    moved = (x + 0.1 * random.normal(size=(240, 5)) @ random.normal(size=(5, DIMENSION))).astype(np.float32)
    learned, plain, linked = _linked(moved, np.repeat(np.arange(120), 2), x)
    assert learned["trained"]
    assert linked < plain - 0.1


def test_values_that_are_only_shuffled_are_sorted() -> None:
    random = np.random.default_rng(1)
    x = random.gamma(np.repeat(random.uniform(0.3, 6, (120, 1)), 2, 0), size=(240, DIMENSION)).astype(np.float32)
    learned, plain, linked = _linked(
        random.permuted(x, axis=1), np.repeat(np.arange(120), 2), random.permuted(x, axis=1)
    )
    assert learned["margin"] > 0
    assert linked < plain - 0.1


@pytest.mark.parametrize("turn", range(3))
def test_plain_comparison_stays_where_nothing_beats_it(turn) -> None:
    x = faces(120, 2)
    keys = [derive_key(bytes(32), "subject", str(turn), str(number)) for number in range(240)]
    hidden = load_baseline("protectors/biohashing", m=32).protect(x, keys, generator=generator())
    learned, plain, linked = _linked(hidden, np.repeat(np.arange(120), 2), x)
    assert learned["margin"] == 0
    assert linked == pytest.approx(plain, abs=1e-6)
    assert 0.3 < linked < 0.7
