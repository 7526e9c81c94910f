"""Local binary patterns against scikit-image, and the recogniser's contract."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image
from skimage.feature import local_binary_pattern

from benchmark.errors import InvalidInputError
from benchmark.recognisers import load_recogniser
from benchmark.recognisers.lbp import BINS, CELL, SIDE, grey, histograms, patterns


def _ties(image: npt.NDArray[np.uint8]) -> npt.NDArray[np.bool_]:
    """Where an interpolated neighbour is exactly as bright as its centre: by weights that no two terms can cancel."""
    p = np.pad(image, 2).astype(np.int64)
    centre = p[2:-2, 2:-2]
    tied = np.zeros(image.shape, bool)
    rows, columns = image.shape

    def shifted(r: int, c: int) -> npt.NDArray[np.int64]:
        return p[2 + r : 2 + r + rows, 2 + c : 2 + c + columns]

    for r in (-1, 1):
        for c in (-1, 1):
            inner, outer = shifted(r, c), shifted(2 * r, 2 * c)
            tied |= (inner == centre) & (outer == centre) & (shifted(r, 2 * c) + shifted(2 * r, c) == 2 * centre)
    return tied


def _reference(image: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64]:
    return np.asarray(local_binary_pattern(image, 8, 2, "nri_uniform")).astype(np.int64)


def _faces(rng: np.random.Generator, count: int = 3) -> npt.NDArray[np.uint8]:
    """Smooth images with noise: flat and textured places, and so ties of both kinds."""
    coarse = rng.integers(0, 256, (count, 7, 7, 3), dtype=np.uint8)
    images = [np.asarray(Image.fromarray(one).resize((SIDE, SIDE), Image.Resampling.BICUBIC)) for one in coarse]
    noise = rng.integers(-2, 3, (count, SIDE, SIDE, 3))
    return np.clip(np.stack(images) + noise, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("seed", range(4))
def test_labels_equal_scikit_image_without_ties(seed: int) -> None:
    image = np.random.default_rng(seed).integers(0, 256, (61, 47), dtype=np.uint8)
    assert not _ties(image)[2:-2, 2:-2].all()
    differs = patterns(image) != _reference(image)
    assert not (differs & ~_ties(image)).any()


def test_ties_count_as_at_least_as_bright() -> None:
    rng = np.random.default_rng(1)
    image = rng.integers(100, 103, (SIDE, SIDE), dtype=np.uint8)
    tied = _ties(image)
    assert tied.sum() > 500
    assert not ((patterns(image) != _reference(image)) & ~tied).any()
    # An exact evaluation in rational arithmetic scaled to whole numbers gives ours everywhere, ties included.
    p = np.pad(image, 2).astype(object)
    weights = {1: 58579, 2: 41421}
    for r, c in rng.integers(0, SIDE, (200, 2)):
        centre = p[r + 2, c + 2] * 10**10
        bits = []
        for dr, dc in ((0, 1), (-1, 1), (-1, 0), (-1, -1), (0, -1), (1, -1), (1, 0), (1, 1)):
            if 0 in (dr, dc):
                value = p[r + 2 + 2 * dr, c + 2 + 2 * dc] * 10**10
            else:
                value = sum(weights[i] * weights[j] * p[r + 2 + i * dr, c + 2 + j * dc] for i in (1, 2) for j in (1, 2))
            bits.append(value >= centre)
        changes = sum(bits[k] != bits[k - 1] for k in range(8))
        label = int(patterns(image)[r, c])
        assert (label == 58) == (changes > 2)
        if changes <= 2:
            assert (0 if label == 0 else 8 if label == 57 else (label - 1) // 8 + 1) == sum(bits)


def test_flat_image_sets_every_bit_inside() -> None:
    assert (patterns(np.full((20, 20), 77, np.uint8))[2:-2, 2:-2] == 57).all()


def test_grey_equals_pillow() -> None:
    rgb = np.random.default_rng(2).integers(0, 256, (40, 50, 3), dtype=np.uint8)
    assert np.array_equal(grey(rgb), np.asarray(Image.fromarray(rgb).convert("L")))


def test_histograms_count_the_labels_of_each_cell() -> None:
    samples = _faces(np.random.default_rng(3))
    found = histograms(samples).reshape(len(samples), 64, BINS)
    assert (found.sum(axis=2) == CELL * CELL).all()
    for sample, cells in zip(samples, found, strict=True):
        labels = patterns(grey(sample))
        for cell in range(64):
            r, c = CELL * (cell // 8), CELL * (cell % 8)
            expected = np.bincount(labels[r : r + CELL, c : c + CELL].ravel(), minlength=BINS)
            assert np.array_equal(cells[cell], expected)


def test_embedding_is_independent_of_the_batch_and_leaves_samples_alone() -> None:
    samples = _faces(np.random.default_rng(4))
    before = samples.copy()
    recogniser = load_recogniser("lbp")
    templates = recogniser.embed(samples)
    assert templates.dtype == np.float32
    assert templates.shape == (3, recogniser.dimension)
    assert np.array_equal(samples, before)
    assert np.array_equal(recogniser.embed(samples[2:]), templates[2:])
    assert np.array_equal(recogniser.embed(samples[:, ::-1][:, ::-1]), templates)
    assert recogniser.embed(samples[:0]).shape == (0, recogniser.dimension)


def test_more_alike_scores_higher() -> None:
    rng = np.random.default_rng(5)
    samples = _faces(rng)
    near = np.clip(samples + rng.integers(-1, 2, samples.shape), 0, 255).astype(np.uint8)
    recogniser = load_recogniser("lbp")
    scores = recogniser.compare_all(recogniser.embed(samples), recogniser.embed(near))
    assert (scores.argmax(axis=1) == np.arange(3)).all()
    assert (recogniser.compare(recogniser.embed(samples), recogniser.embed(samples)) == 0).all()


@pytest.mark.parametrize("shape", [(1, 100, 112, 3), (112, 112, 3), (1, 112, 112)])
def test_other_shapes_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(InvalidInputError, match="N x 112 x 112 x 3"):
        load_recogniser("lbp").embed(np.zeros(shape, np.uint8))


def test_other_types_are_refused() -> None:
    with pytest.raises(InvalidInputError, match="float32"):
        load_recogniser("lbp").embed(np.zeros((1, 112, 112, 3), np.float32))


@pytest.mark.data
def test_labels_of_real_faces_equal_scikit_image_but_for_ties(data_root: Path) -> None:
    for path in sorted((data_root / "lfw" / "aligned112").glob("*/*.jpg"))[::800]:
        image = grey(np.asarray(Image.open(path).convert("RGB")))
        differs = patterns(image) != _reference(image)
        assert not (differs & ~_ties(image)).any()
        assert differs.mean() < 0.05
