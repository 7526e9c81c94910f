"""The sample-domain protectors: cancelable transforms, and the de-identification that they are compared with."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from loaded_baselines import BASELINES, load_baseline
from pictures import make_picture
from scipy.ndimage import gaussian_filter
from skimage.metrics import structural_similarity

from benchmark.alignment.similarity import REFERENCE
from benchmark.crypto import derive_key
from benchmark.errors import InvalidInputError
from benchmark.submission import load_submission

COUNT = 35  # more than two batches of block-warping
SAMPLES = np.stack([make_picture(112, 112, seed) for seed in range(COUNT)])
KEYS = [derive_key(bytes(32), "sample", str(number)) for number in range(COUNT)]
KEYED = ["block-warping", "block-remapping"]
KEYLESS = ["gaussian-blur", "pixelation", "eye-mask"]
WARPS = {"warp_8_4": (8, 4), "warp_16_6": (16, 6), "warp_20_9": (20, 9), "warp_20_25": (20, 25)}


def protect(name: str, samples: np.ndarray, keys: list[bytes], preset: str | None = None, **given: float) -> np.ndarray:
    protector = load_baseline(f"protectors/{name}", preset, **given)
    return protector.protect(samples, keys, generator=np.random.default_rng(0))


@pytest.mark.parametrize("name", KEYED + KEYLESS)
def test_a_sample_alone_is_protected_as_in_a_batch(name: str) -> None:
    before = SAMPLES.copy()
    together = protect(name, SAMPLES, KEYS)
    assert np.array_equal(SAMPLES, before)
    assert together.dtype == np.uint8
    assert not np.shares_memory(together, SAMPLES)
    for number in (0, 17, 34):
        part = slice(number, number + 1)
        assert np.array_equal(protect(name, SAMPLES[part], KEYS[part]), together[part])
    assert protect(name, SAMPLES[:0], []).shape == (0, 112, 112, 3)


@pytest.mark.parametrize("name", KEYED)
def test_another_key_gives_another_sample_and_a_shared_one_the_same_transform(name: str) -> None:
    same = np.broadcast_to(SAMPLES[:1], SAMPLES.shape)
    apart = protect(name, same, KEYS)
    assert len({one.tobytes() for one in apart}) == COUNT
    # System: one key for all. Subject: some samples share one. Each as under its key alone.
    assert np.array_equal(protect(name, same, KEYS[:1] * COUNT), np.broadcast_to(apart[:1], apart.shape))
    mixed = protect(name, same[:5], [KEYS[0], KEYS[1], KEYS[0], KEYS[2], KEYS[1]])
    assert np.array_equal(mixed, apart[[0, 1, 0, 2, 1]])


@pytest.mark.parametrize("name", KEYLESS)
def test_what_has_no_key_says_so(name: str) -> None:
    assert not load_submission(BASELINES / "protectors" / name).protector.keyed
    assert np.array_equal(protect(name, SAMPLES, KEYS), protect(name, SAMPLES, KEYS[::-1]))


def test_presets_of_the_warp_are_named_by_block_and_offset() -> None:
    manifest = load_submission(BASELINES / "protectors/block-warping").protector
    assert {name: tuple(preset.values()) for name, preset in manifest.presets.items()} == WARPS
    assert all(list(preset) == ["block_size", "max_offset"] for preset in manifest.presets.values())


def test_a_warp_without_offset_is_none_and_larger_offsets_change_more() -> None:
    assert np.array_equal(protect("block-warping", SAMPLES, KEYS, max_offset=0), SAMPLES)
    likeness = [
        structural_similarity(protect("block-warping", SAMPLES[:1], KEYS[:1], max_offset=offset)[0], SAMPLES[0],
                              channel_axis=-1) for offset in (0, 1, 3, 6)
    ]  # fmt: skip
    assert likeness == sorted(likeness, reverse=True)


def test_a_larger_offset_under_the_same_key_looks_farther_in_the_same_direction() -> None:
    # A ramp shows where a pixel comes from: 2 grey levels a pixel to the right.
    ramp = np.broadcast_to((2 * np.arange(112, dtype=np.uint8))[:, None], (1, 112, 112, 3))
    moved = [protect("block-warping", ramp, KEYS[:1], max_offset=offset).astype(int) - ramp for offset in (3, 6)]
    assert abs(moved[1] - 2 * moved[0]).max() <= 2
    assert abs(moved[1]).max() > 6


@pytest.mark.parametrize(("preset", "side", "kept"), [
    ("remap_16_0", 16, 49), ("remap_16_25", 16, 37), ("remap_16_50", 16, 25), ("remap_8_25", 8, 147),
])  # fmt: skip
def test_remapping_copies_whole_blocks_and_loses_its_share(preset: str, side: int, kept: int) -> None:
    def blocks(sample: np.ndarray) -> list[bytes]:
        return [
            sample[top : top + side, left : left + side].tobytes()
            for top in range(0, 112, side) for left in range(0, 112, side)
        ]  # fmt: skip

    for original, protected in zip(SAMPLES[:3], protect("block-remapping", SAMPLES[:3], KEYS[:3], preset), strict=True):
        assert len(set(blocks(original))) == (112 // side) ** 2
        assert set(blocks(protected)) <= set(blocks(original))
        assert len(set(blocks(protected))) == kept


def test_a_block_that_does_not_divide_the_sample_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="block_size 20 does not divide a sample of 112 x 112 pixels"):
        protect("block-remapping", SAMPLES[:1], KEYS[:1], block_size=20)
    with pytest.raises(InvalidInputError, match="block_size 112 lays no mesh"):
        protect("block-warping", SAMPLES[:1], KEYS[:1], block_size=112)


def test_pixelation_by_hand() -> None:
    grey = np.array([[1, 2, 9], [3, 4, 10], [5, 7, 200]], np.uint8)
    shown = protect("pixelation", grey[None, ..., None].repeat(3, axis=3), KEYS[:1], block_size=2)
    # 2.5 and 9.5 are rounded up; the last row and column are of narrower blocks.
    assert shown[0, ..., 0].tolist() == [[3, 3, 10], [3, 3, 10], [6, 6, 200]]


@pytest.mark.parametrize("block_size", [4, 7, 16])
def test_pixelation_is_opencvs_average_by_area(block_size: int) -> None:
    small = 112 // block_size
    expected = [
        cv2.resize(cv2.resize(sample, (small, small), interpolation=cv2.INTER_AREA), (112, 112),
                   interpolation=cv2.INTER_NEAREST) for sample in SAMPLES[:4]
    ]  # fmt: skip
    shown = protect("pixelation", SAMPLES[:4], KEYS[:4], block_size=block_size)
    assert abs(shown.astype(int) - expected).max() <= 1


def test_a_blurred_point_is_the_gaussian() -> None:
    point = np.zeros((1, 11, 11, 3), np.uint8)
    point[:, 5, 5] = 255
    shown = protect("gaussian-blur", point, KEYS[:1], sigma=1)[0, ..., 0]
    weights = np.exp(-(np.arange(-3.0, 4.0) ** 2) / 2)
    weights /= weights.sum()
    assert abs(shown[2:9, 2:9] - 255 * np.outer(weights, weights)).max() < 1
    assert not shown[:2].any()


@pytest.mark.parametrize("preset", ["sigma-2", "sigma-4", "sigma-8"])
def test_the_blur_is_scipys(preset: str) -> None:
    sigma = float(preset.partition("-")[2])
    expected = gaussian_filter(SAMPLES[:2].astype(float), (0, sigma, sigma, 0), mode="mirror", truncate=3)
    assert abs(protect("gaussian-blur", SAMPLES[:2], KEYS[:2], preset) - expected).max() < 1.5


def test_the_box_covers_the_aligned_eyes_and_nothing_else() -> None:
    shown = protect("eye-mask", SAMPLES, KEYS)
    # 72 x 24 around (55.9, 51.6): columns 20 to 91, rows 40 to 63.
    box = np.zeros((112, 112), bool)
    box[40:64, 20:92] = True
    assert not shown[:, box].any()
    assert np.array_equal(shown[:, ~box], SAMPLES[:, ~box])
    for x, y in np.rint(REFERENCE[:2]).astype(int):
        assert box[y - 8 : y + 9, x - 8 : x + 9].all()
    doubled = protect("eye-mask", SAMPLES.repeat(2, axis=1).repeat(2, axis=2), KEYS)
    assert not doubled[:, 80:127, 40:183].any()
    wide = protect("eye-mask", SAMPLES, KEYS, "wide")
    assert not wide[:, 36:67].any()


def test_the_eyes_are_where_samples_are_aligned_to() -> None:
    protect_ = type(load_baseline("protectors/eye-mask")).protect
    assert np.array_equal(protect_.__globals__["EYES"], REFERENCE[:2])
