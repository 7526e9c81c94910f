"""The protector jpeg-window keeps its contract."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from loaded_baselines import load_baseline
from pictures import make_picture

from benchmark.crypto import derive_key
from benchmark.errors import InvalidInputError
from benchmark.jpeg.entropy_segments import parse
from benchmark.render import render
from benchmark.submission import load_submission

PLACE = "protectors/jpeg-window"
SAMPLES = np.stack([make_picture(112, 112, seed) for seed in range(4)])
KEYS = [derive_key(bytes(32), "sample", str(number)) for number in range(4)]
PRESETS = load_submission(Path(__file__).resolve().parents[2] / "baselines" / PLACE).protector.presets


def generator() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.mark.parametrize("preset", ["amplitude-w4o0", "raw-w12o0", "progressive-w8o0"])
def test_recovers_the_coded_sample_exactly(preset: str) -> None:
    protector = load_baseline(PLACE, preset)
    samples = SAMPLES.copy()
    prepared = protector.prepare(samples)
    before = prepared.copy()
    protected = protector.protect(prepared, KEYS, generator=generator())
    assert np.array_equal(samples, SAMPLES)
    assert prepared == before
    coded = np.stack(render(prepared))
    recovered = protector.recover(protected, KEYS)
    assert np.array_equal(recovered, coded)
    assert 0 < np.abs(recovered.astype(int) - SAMPLES).mean() < 8  # what JPEG costs, not the key
    assert not np.array_equal(protector.recover(protected, KEYS[::-1]), coded)
    assert protected == protector.protect(prepared, KEYS, generator=np.random.default_rng(1))
    shown = render(protected)
    assert all(
        image is not None and not np.array_equal(image, sample) for image, sample in zip(shown, coded, strict=True)
    )


def test_presets_are_the_increasing_windows_of_each_mode() -> None:
    families = {"amplitude": ("amplitude-bits", False), "raw": ("raw-scan", False), "progressive": ("raw-scan", True)}
    assert set(PRESETS) == {f"{family}-w{size}o0" for family in families for size in range(1, 16)}
    for name, preset in PRESETS.items():
        family, window = name.split("-")
        assert (preset["mode"], preset["progressive"]) == families[family]
        assert window == f"w{preset['size']}o{preset['offset']}"


@pytest.mark.parametrize("preset", ["amplitude-w8o0", "raw-w8o0", "progressive-w8o0"])
def test_the_window_is_a_share_of_the_entropy_coded_bytes(preset: str) -> None:
    protector = load_baseline(PLACE, preset)
    protected = protector.protect(protector.prepare(SAMPLES), KEYS, generator=generator())
    for data, (first, end, count) in zip(protected, protector.encrypted_ranges(protected), strict=True):
        parsed = parse(data)
        assert len(parsed.scans) == (10 if preset.startswith("progressive") else 1)
        assert first == parsed.segments[0, 0]
        assert count == pytest.approx(parsed.total * 0.08, rel=0.15)
        assert count <= end - first


def test_amplitude_bits_of_progressive_files_are_refused() -> None:
    with pytest.raises(InvalidInputError, match="with progressive: true take raw-scan"):
        load_baseline(PLACE, mode="amplitude-bits", progressive=True)
    with pytest.raises(InvalidInputError, match="over 100 %"):
        load_baseline(PLACE, offset=97, size=4)
