"""The template-domain protectors keep their contract and similarity under one key; what their pages claim holds."""

from __future__ import annotations

import numpy as np
import pytest
from loaded_baselines import load_baseline

from benchmark.crypto import derive_key
from benchmark.errors import InvalidInputError
from benchmark.metrics.verification import eer
from benchmark.template_protector import compare_rows

KEYS = [derive_key(bytes(32), "subject", str(number)) for number in range(64)]
SETTINGS = [
    ("biohashing", {}),
    ("iom-hashing", {"hashing": "grp", "m": 100}),
    ("iom-hashing", {"hashing": "urp", "m": 200}),
    ("polyprotect", {"overlap": 0}),
    ("polyprotect", {"overlap": 4}),
    ("mlp-hash", {"neurons": 256, "length": 256}),
    ("mlp-hash", {"activation": "tanh", "neurons": 256, "length": 256}),
    ("random-projection", {}),
    ("random-projection", {"matrix": "gaussian"}),
    ("bloom-filter", {}),
]
settings = pytest.mark.parametrize(("name", "parameters"), SETTINGS)


def faces(people: int, each: int = 2, dimension: int = 256, noise: float = 0.7) -> np.ndarray:
    """Made-up embeddings of norm 1, `each` of a person after another; genuine cosines are about 1 / (1 + noise^2)."""
    random = np.random.default_rng(5)
    x = np.repeat(random.normal(size=(people, dimension)), each, 0) + noise * random.normal(
        size=(people * each, dimension)
    )
    return (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)


def protect(protector, templates, keys):
    return protector.protect(templates, keys, generator=np.random.default_rng(0))


@settings
def test_rows_do_not_depend_on_their_batch_nor_on_the_generator(name, parameters) -> None:
    protector, x = load_baseline(f"protectors/{name}", **parameters), faces(4)
    before = x.copy()
    keys = [KEYS[0], KEYS[1], KEYS[0], KEYS[0], KEYS[2], KEYS[1], KEYS[0], KEYS[0]]
    whole = protect(protector, x, keys)
    assert whole.dtype == np.float32
    assert np.array_equal(x, before)
    for row in range(8):
        alone = protector.protect(x[row : row + 1], keys[row : row + 1], generator=np.random.default_rng(row))
        assert np.array_equal(alone[0], whole[row])


@settings
def test_the_key_decides(name, parameters) -> None:
    protector, x = load_baseline(f"protectors/{name}", **parameters), faces(1, 1)
    found = protect(protector, np.repeat(x, 16, 0), KEYS[:16])
    assert len(np.unique(found, axis=0)) == 16
    assert np.array_equal(protect(protector, x, KEYS[:1]), protect(protector, x, [bytes(KEYS[0])]))


@settings
def test_similarity_is_kept_under_one_key(name, parameters) -> None:
    protector, x = load_baseline(f"protectors/{name}", **parameters), faces(60)
    protected = protect(protector, x, KEYS[:1] * len(x))
    a, b = protected[::2], protected[1::2]
    genuine, impostor = protector.compare(a, b), protector.compare(a, np.roll(b, 1, 0))
    assert genuine.shape == (60,)
    assert protector.compare(a, a) == pytest.approx(1, abs=1e-5)
    assert eer(genuine, impostor) < (0.2 if name in ("polyprotect", "bloom-filter") else 0.05)


@settings
def test_all_against_all_is_row_by_row(name, parameters) -> None:
    protector, x = load_baseline(f"protectors/{name}", **parameters), faces(9)
    protected = protect(protector, x, [KEYS[row % 3] for row in range(len(x))])
    a, b = protected[:11], protected[5:]
    found, expected = protector.compare_all(a, b), compare_rows(protector.compare, a, b)
    assert found.shape == (11, 13)
    assert found.dtype == np.float32
    if name in ("polyprotect", "random-projection"):  # a BLAS adds in another order
        assert found == pytest.approx(expected, abs=5e-7)
    else:
        assert np.array_equal(found, expected)


@pytest.mark.parametrize(("name", "parameters", "chance"), [
    ("biohashing", {}, 0.5), ("iom-hashing", {"hashing": "grp", "m": 100}, 1 / 16),
    ("random-projection", {}, 0),
])  # fmt: skip
def test_under_another_key_the_same_template_scores_as_by_chance(name, parameters, chance) -> None:
    protector, x = load_baseline(f"protectors/{name}", **parameters), faces(1, 1)
    found = protect(protector, np.repeat(x, 64, 0), KEYS)
    assert protector.compare(found[:32], found[32:]).mean() == pytest.approx(chance, abs=0.05)


def test_an_orthonormal_projection_is_undone_with_its_key() -> None:
    protector, x = load_baseline("protectors/random-projection", m=300), faces(3)
    protected = protect(protector, x, KEYS[:1] * len(x))
    assert np.allclose(protected @ protector.drawn(KEYS[0], 256).T, x, atol=1e-6)
    assert np.allclose(protected @ protected.T, x @ x.T, atol=1e-6)


def test_relu_lifts_the_scores_of_different_people_above_one_half() -> None:
    x = faces(100, 1)
    means = []
    for layers in (0, 1, 3):
        protector = load_baseline("protectors/mlp-hash", hidden_layers=layers, neurons=256, length=256)
        protected = protect(protector, x, KEYS[:1] * len(x))
        means.append(protector.compare(protected, np.roll(protected, 1, 0)).mean())
    assert means[0] == pytest.approx(0.5, abs=0.02)
    assert means[0] + 0.05 < means[1] < means[2]


def test_polyprotect_links_where_two_keys_put_the_first_power_in_one_place() -> None:
    """Numbers of unit templates are small: the rest of the polynomial hardly counts."""
    protector, x = load_baseline("protectors/polyprotect"), faces(1, 1)
    found = protect(protector, np.repeat(x, 64, 0), KEYS)
    alike = np.abs(protector.compare(found[:32], found[32:]))
    assert 2 <= (alike > 0.8).sum() <= 14  # 1 in 5 of 32
    assert ((alike > 0.8) | (alike < 0.6)).mean() > 0.8


def test_templates_that_are_too_short_are_refused() -> None:
    with pytest.raises(InvalidInputError, match="1 to 64 bits"):
        protect(load_baseline("protectors/biohashing"), faces(1, 1, 64), KEYS[:1])
    with pytest.raises(InvalidInputError, match="1 to 64 of 64"):
        protect(load_baseline("protectors/iom-hashing", "urp"), faces(1, 1, 64), KEYS[:1])
