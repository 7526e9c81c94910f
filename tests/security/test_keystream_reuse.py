"""The attack keystream-reuse: reads everything where a keystream repeats, and nothing where none does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from jp2_files import boxed
from loaded_baselines import load_baseline

from benchmark.crypto import derive_key
from benchmark.datasets import open_dataset
from benchmark.errors import InvalidInputError
from benchmark.interfaces import Evidence, TrainingPairs
from benchmark.jpeg2000 import decode
from benchmark.jpeg2000.keystream_recovery import UNKNOWN, learn_draws

BROKEN = "../tests/security/protectors/keystream-reused"
CODER: dict[str, Any] = {"layers": "16", "code_block": 32, "segmentation_symbols": True}
FACES = open_dataset("synthetic", {}, None).load([f"s{number:04d}/0" for number in range(24)]).samples
OWN, VICTIMS = FACES[:16], FACES[16:]


def keys(holder: str, count: int) -> list[bytes]:
    return [derive_key(bytes(32), holder, str(number)) for number in range(count)]


def attacked(protector: Any, holder_keys: Callable[[str, int], list[bytes]] = keys) -> tuple[Any, list[bytes], Any]:
    """What the attack makes of the victims' files, these files, and their windows."""
    sides = []
    for holder, samples in (("attacker", OWN), ("owner", VICTIMS)):
        prepared = protector.prepare(samples)
        hidden = protector.protect(prepared, holder_keys(holder, len(samples)), generator=np.random.default_rng(0))
        algorithm = {"id": "any", "parameters": CODER}
        sides.append(Evidence(hidden, protector.encrypted_ranges(hidden), algorithm=algorithm))
    attack = load_baseline("attacks/keystream-reuse")
    attack.restore(attack.fit(TrainingPairs(OWN, sides[0]), generator=np.random.default_rng(0)))
    return attack.run(sides[1], generator=np.random.default_rng(0)), sides[1].protected, sides[1].windows


def test_a_keystream_that_forgets_the_key_gives_every_sample_away() -> None:
    images, hidden, windows = attacked(load_baseline(BROKEN, flaw="no-key"))
    exact = [np.array_equal(image, sample) for image, sample in zip(images, VICTIMS, strict=True)]
    assert sum(exact) == len(VICTIMS)
    assert not np.array_equal(decode(hidden[0], erase=tuple(windows[0, :2])), VICTIMS[0])


class Boxed:
    """Any protector of codestreams, which writes JP2 files; the parameters that it names mean something else."""

    def __init__(self, protector: Any) -> None:
        self.protector = protector
        self.prepare = protector.prepare

    def protect(self, prepared: list[bytes], keys: list[bytes], **rest: Any) -> list[bytes]:
        return [boxed(data) for data in self.protector.protect(prepared, keys, **rest)]

    def encrypted_ranges(self, protected: list[bytes]) -> Any:
        before = len(boxed(b""))
        ranges: np.ndarray = self.protector.encrypted_ranges([data[before:] for data in protected])
        return ranges + np.array([before, before, 0])


def test_jp2_files_and_parameters_of_other_meanings_are_no_obstacle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(CODER, "levels", 99)
    monkeypatch.setitem(CODER, "code_block", "large")
    images, *_ = attacked(Boxed(load_baseline(BROKEN, flaw="no-key")))
    assert all(np.array_equal(image, sample) for image, sample in zip(images, VICTIMS, strict=True))


@pytest.mark.parametrize("policy", ["sample", "system"])
def test_a_keystream_under_the_owner_s_key_is_not_the_attacker_s(policy: str) -> None:
    """Under one key for all the attacker's files share a keystream, but it is the attacker's: not believed."""
    one = lambda holder, count: keys(holder, 1) * count  # noqa: E731
    images, hidden, windows = attacked(load_baseline(BROKEN, flaw="no-label"), keys if policy == "sample" else one)
    for image, data, window in zip(images, hidden, windows, strict=True):
        assert np.array_equal(image, decode(data, erase=tuple(window[:2])))


def test_against_a_sound_protector_it_is_erasing_the_window() -> None:
    images, hidden, windows = attacked(load_baseline("protectors/jpeg2000-window", "lw12o0-bodies"))
    for image, data, window in zip(images, hidden, windows, strict=True):
        assert np.array_equal(image, decode(data, erase=tuple(window[:2])))


def test_draws_are_the_cipher_s() -> None:
    from benchmark.crypto import keystream

    protector = load_baseline(BROKEN, flaw="no-key")
    prepared = protector.prepare(OWN)
    hidden = protector.protect(prepared, keys("attacker", len(OWN)), generator=np.random.default_rng(0))
    ranges = protector.encrypted_ranges(hidden)
    windows = ranges[:, :2].tolist()
    stream = np.frombuffer(keystream(bytes(32), 8192, "the same for every file"), np.uint8)
    expected = stream[stream < 255]
    draws = learn_draws([(*files, *window) for *files, window in zip(prepared, hidden, windows, strict=True)])
    known = np.flatnonzero(draws != UNKNOWN)
    assert np.array_equal(draws[known], expected[known])
    assert len(known) > np.median(ranges[:, 2])
    assert not (learn_draws([(prepared[0], hidden[0], *windows[0])]) >= 0).any()


def test_what_the_threat_model_grants_must_be_there() -> None:
    attack = load_baseline("attacks/keystream-reuse")
    with pytest.raises(InvalidInputError, match="needs the algorithm"):
        attack.fit(TrainingPairs(OWN, Evidence([b""] * 16)), generator=np.random.default_rng(0))
    with pytest.raises(InvalidInputError, match="needs the encrypted windows"):
        attack.run(Evidence([b""]), generator=np.random.default_rng(0))
