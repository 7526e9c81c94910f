"""Our protectors keep their contracts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from loaded_baselines import load_baseline
from pictures import make_picture

from benchmark.crypto import derive_key
from benchmark.errors import InvalidInputError
from benchmark.jpeg2000 import packets
from benchmark.jpeg2000.markers import main_header, main_header_bytes
from benchmark.render import render
from benchmark.submission import load_submission

SAMPLES = np.stack([make_picture(112, 112, seed) for seed in range(4)])
KEYS = [derive_key(bytes(32), "sample", str(number)) for number in range(4)]
PROTECTORS = ["identity", "aes-full", "jpeg2000-window"]
MANIFEST = load_submission(Path(__file__).resolve().parents[2] / "baselines/protectors/jpeg2000-window").protector


def generator() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.mark.parametrize("name", PROTECTORS)
def test_recovers_exactly_and_does_not_touch_its_inputs(name: str) -> None:
    protector = load_baseline(f"protectors/{name}")
    samples = SAMPLES.copy()
    prepared = protector.prepare(samples)
    before = prepared.copy()
    protected = protector.protect(prepared, KEYS, generator=generator())
    assert np.array_equal(samples, SAMPLES)
    assert np.array_equal(prepared, before)
    assert np.array_equal(protector.recover(protected, KEYS), SAMPLES)
    again = protector.protect(prepared, KEYS, generator=np.random.default_rng(1))
    assert np.array_equal(protected, again)
    one_by_one = [protector.protect(prepared[i : i + 1], KEYS[i : i + 1], generator=generator())[0] for i in range(4)]
    assert np.array_equal(np.array(one_by_one, dtype=object), np.array(list(protected), dtype=object))


def test_identity_shows_everything() -> None:
    protector = load_baseline("protectors/identity")
    protected = protector.protect(protector.prepare(SAMPLES), KEYS, generator=generator())
    assert np.array_equal(render(protected), SAMPLES)
    assert protected is not SAMPLES


def test_aes_full_shows_nothing_and_notices_everything() -> None:
    protector = load_baseline("protectors/aes-full")
    prepared = protector.prepare(SAMPLES)
    protected = protector.protect(prepared, KEYS, generator=generator())
    assert render(protected) == [None] * 4
    assert [len(data) for data in protected] == [len(data) + 28 for data in prepared]
    assert protector.encrypted_ranges(protected).tolist() == [[12, len(data) + 12, len(data)] for data in prepared]
    assert protector.recover(protected[:1], KEYS[1:2]) == [None]
    changed = bytearray(protected[0])
    changed[100] ^= 1
    assert protector.recover([bytes(changed)], KEYS[:1]) == [None]
    assert protector.recover([bytes(20)], KEYS[:1]) == [None]


def test_aes_full_never_repeats_a_nonce() -> None:
    protector = load_baseline("protectors/aes-full", layers="1")
    prepared = protector.prepare(SAMPLES)
    under_one_key = protector.protect(prepared, [KEYS[0]] * 4, generator=generator())
    nonces = {data[:12] for data in under_one_key + protector.protect(prepared, KEYS, generator=generator())}
    assert len(nonces) == 7  # the first sample under the first key occurs twice


@pytest.mark.parametrize("preset", ["lw4o6-document", "rw4o6-bodies", "lw12o0-document", "lw0.5o3-bodies"])
def test_window_presets_do_what_their_names_say(preset: str) -> None:
    protector = load_baseline("protectors/jpeg2000-window", preset)
    prepared = protector.prepare(SAMPLES)
    protected = protector.protect(prepared, KEYS, generator=generator())
    header = main_header(main_header_bytes(prepared[0]))
    assert header.progression == {"l": 0, "r": 1}[preset[0]]
    assert header.layers == (32 if preset.endswith("document") else 16)
    assert header.code_block == ((6, 6) if preset.endswith("document") else (5, 5))
    assert header.style == (0 if preset.endswith("document") else 32)
    size, offset = (float(part) for part in preset[2 : preset.index("-")].split("o"))
    for plain, data, (first, end, count) in zip(
        prepared, protected, protector.encrypted_ranges(protected), strict=True
    ):
        changed = np.flatnonzero(np.frombuffer(plain, np.uint8) != np.frombuffer(data, np.uint8))
        assert first <= changed.min()
        assert changed.max() < end
        assert count * 0.9 <= len(changed) <= count
        if preset.endswith("document"):
            assert first >= len(plain) * offset / 100 - 1
            assert end <= len(plain) * (offset + size) / 100 + 1
        else:
            table = packets(plain)
            assert count == pytest.approx((table["end"] - table["body"]).sum() * size / 100, rel=0.05)
    shown = render(protected)
    assert all(
        image is not None and not np.array_equal(image, sample) for image, sample in zip(shown, SAMPLES, strict=True)
    )


def test_every_setting_of_the_literature_is_a_preset() -> None:
    named = ["lw4o6", "lw6o6", "lw8o4", "rw4o6"]
    small = [f"{p}w0.5o{offset}" for p in "lr" for offset in range(16)]
    large = [f"{p}w4o{offset}" for p in "lr" for offset in range(0, 21, 2)]
    increasing = [f"{p}w{size}o0" for p in "lr" for size in range(1, 16)]
    expected = {
        f"{name}-{reading}" for name in named + small + large + increasing for reading in ("document", "bodies")
    }
    assert set(MANIFEST.presets) == expected
    for name, preset in MANIFEST.presets.items():
        assert name.startswith(f"{str(preset['progression'])[0]}w{preset['size']:g}o{preset['offset']:g}-")
        assert preset["window_base"] == ("codestream" if name.endswith("document") else "packet-bodies")


def test_a_window_past_the_end_is_refused() -> None:
    with pytest.raises(InvalidInputError, match=r"offset 97 % [+] size 4 % is over 100 %"):
        load_baseline("protectors/jpeg2000-window", offset=97, size=4)


def test_key_sensitivity() -> None:
    protector = load_baseline("protectors/jpeg2000-window", offset=0, size=100)
    prepared = protector.prepare(SAMPLES[:1])
    one, other = (protector.protect(prepared, [key], generator=generator())[0] for key in KEYS[:2])
    assert (np.frombuffer(one, np.uint8) != np.frombuffer(other, np.uint8)).mean() > 0.8
    assert not np.array_equal(protector.recover([one], KEYS[1:2])[0], SAMPLES[0])
