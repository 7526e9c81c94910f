"""Visual metrics against scikit-image and pytorch-msssim."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from pytorch_msssim import ms_ssim as torch_ms_ssim
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from benchmark.metrics.visual import MS_SSIM_WINDOW, PSNR_CAP, ms_ssim, psnr, ssim, visual_scores


@pytest.fixture(scope="module")
def images():
    """Smooth originals, and others that are shifted, noisy, inverted, constant, or one grey level off."""
    random = np.random.default_rng(0)
    coarse = torch.from_numpy(random.normal(size=(6, 3, 9, 9)))
    smooth = torch.nn.functional.interpolate(coarse, (112, 112), mode="bicubic")
    originals = np.clip(128 + 50 * smooth.numpy(), 0, 255).astype(np.uint8).transpose(0, 2, 3, 1).copy()
    noise = random.normal(size=originals.shape[1:]) * 25
    others = originals.copy()
    others[0] = np.roll(originals[0], 2, axis=1)
    others[1] = np.clip(originals[1] + noise, 0, 255)
    others[2] = 255 - originals[2]
    others[3] = 0
    others[4] ^= 1
    others[5] = random.integers(0, 256, originals.shape[1:])
    return originals, others


def test_psnr_agrees_with_scikit_image(images):
    expected = [peak_signal_noise_ratio(a, b, data_range=255) for a, b in zip(*images, strict=True)]
    np.testing.assert_allclose(psnr(*images), expected, rtol=1e-12)


def test_ssim_agrees_with_scikit_image(images):
    expected = [
        structural_similarity(
            a, b, channel_axis=-1, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=255
        )
        for a, b in zip(*images, strict=True)
    ]
    np.testing.assert_allclose(ssim(*images), expected, atol=2e-6)


def test_ms_ssim_agrees_with_pytorch_msssim(images):
    a, b = (torch.from_numpy(batch.transpose(0, 3, 1, 2).copy()).double() for batch in images)
    expected = torch_ms_ssim(a, b, data_range=255, size_average=False, win_size=MS_SSIM_WINDOW)
    np.testing.assert_allclose(ms_ssim(*images), expected.numpy(), atol=1e-4)


def test_identical_images_give_finite_best_values(images):
    scores = visual_scores(images[0], images[0])
    assert (scores["psnr"] == PSNR_CAP).all()
    np.testing.assert_allclose(scores["ssim"], 1, atol=1e-6)
    np.testing.assert_allclose(scores["ms_ssim"], 1, atol=1e-6)


def test_scores_do_not_depend_on_the_batch(images):
    whole = visual_scores(*images)
    for name, values in whole.items():
        single = [visual_scores(a[None], b[None])[name][0] for a, b in zip(*images, strict=True)]
        np.testing.assert_array_equal(values, single)


@pytest.mark.parametrize(
    ("a", "b", "message"),
    [
        (np.zeros((1, 112, 112, 3)), np.zeros((1, 112, 112, 3)), "uint8"),
        (np.zeros((1, 112, 112, 3), np.uint8), np.zeros((2, 112, 112, 3), np.uint8), "equal"),
        (np.zeros((1, 64, 64, 3), np.uint8), np.zeros((1, 64, 64, 3), np.uint8), "at least 112"),
    ],
)
def test_wrong_images_are_refused(a, b, message):
    with pytest.raises(ValueError, match=message):
        ms_ssim(a, b)
