"""Where descriptors are taken, and what folding a face at its middle promises."""

from __future__ import annotations

import numpy as np
import pytest

from benchmark.recognisers.fisher.descriptors import WIDTH, Sampling, describe, grid, positions

SAMPLINGS = [Sampling("sift", (16, 32), 8, 0.6), Sampling("brief", (32, 48), 8, 0.03)]


@pytest.mark.parametrize("sampling", SAMPLINGS, ids=lambda s: s.kind)
def test_a_mirrored_face_has_the_same_descriptors(sampling: Sampling) -> None:
    image = np.random.default_rng(1).integers(0, 256, (112, 112), dtype=np.uint8)
    found, mirrored = describe(image, sampling), describe(np.ascontiguousarray(image[:, ::-1]), sampling)
    half = len(found) // 2
    assert np.array_equal(np.roll(mirrored, half, axis=0), found)
    assert found.shape == (len(positions(sampling.patches, sampling.step)), WIDTH[sampling.kind])
    places = positions(sampling.patches, sampling.step)
    assert np.array_equal(places[:half], places[half:])
    assert places[:, 1].max() < 0 < places[:, 0].max()


@pytest.mark.parametrize("patch", [16, 32, 48, 64])
@pytest.mark.parametrize("step", [3, 4, 8])
def test_patches_lie_inside_and_cover_the_half(patch: int, step: int) -> None:
    rows, columns = grid(patch, step)
    assert rows.min() >= patch // 2 - 1
    assert rows.max() <= 112 - patch // 2
    assert abs(rows.min() - (111 - rows.max())) <= 1
    assert columns.min() >= patch // 2
    assert 56 - step <= columns.max() < 56
    assert (np.diff(rows) == step).all()
    assert (np.diff(columns) == step).all()
    # One step more to the left would leave the sample.
    assert columns.min() - step < patch // 2


def test_blur_keeps_a_flat_image_flat() -> None:
    flat = np.full((112, 112), 80, np.uint8)
    # Rounding leaves gradients of no account, which normalisation must not blow up beyond unit length.
    assert not describe(flat, SAMPLINGS[0])[:, :].sum() > len(describe(flat, SAMPLINGS[0])) * 12
