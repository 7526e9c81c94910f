"""Multi-block local binary patterns against scikit-image and against plain sums, and the recogniser's contract."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image
from skimage.feature import multiblock_lbp
from skimage.transform import integral_image

from benchmark.errors import InvalidInputError
from benchmark.recognisers import load_recogniser, recogniser_digest
from benchmark.recognisers.lbp import grey
from benchmark.recognisers.mblbp import MultiBlockLocalBinaryPatterns, histograms, patterns

#: Row and column of each bit's block, in blocks from the middle: anticlockwise from the right.
AROUND = ((0, 1), (-1, 1), (-1, 0), (-1, -1), (0, -1), (1, -1), (1, 0), (1, 1))


def _label(code: int) -> int:
    """The bin of a pattern of 8 bits, from its definition."""
    bits = [code >> k & 1 for k in range(8)]
    changes = sum(bits[k] != bits[k - 1] for k in range(8))
    if changes > 2:
        return 58
    if sum(bits) in (0, 8):
        return 57 if bits[0] else 0
    start = next(k for k in range(8) if bits[k] and not bits[k - 1])
    return 1 + 8 * (sum(bits) - 1) + -start % 8


def _reference(image: npt.NDArray[np.uint8], box: int) -> npt.NDArray[np.int64]:
    """Labels by exact means of blocks cut out one by one; slow."""
    x = image.astype(np.int64)
    rows, columns = (side - 3 * box + 1 for side in image.shape)
    labels = np.empty((rows, columns), np.int64)
    for r in range(rows):
        for c in range(columns):
            nine = x[r : r + 3 * box, c : c + 3 * box].reshape(3, box, 3, box).sum(axis=(1, 3))
            bits = [int(nine[1 + dr, 1 + dc] >= nine[1, 1]) for dr, dc in AROUND]
            labels[r, c] = _label(sum(bit << k for k, bit in enumerate(bits)))
    return labels


def _faces(rng: np.random.Generator, count: int) -> npt.NDArray[np.uint8]:
    """Smooth images with a little noise, so that neighbouring blocks are often equal."""
    coarse = rng.integers(0, 256, (count, 6, 6, 3), dtype=np.uint8)
    images = [np.asarray(Image.fromarray(one).resize((112, 112), Image.Resampling.BICUBIC)) for one in coarse]
    return np.clip(np.stack(images) + rng.integers(-1, 2, (count, 112, 112, 3)), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("box", [1, 3, 5, 7])
@pytest.mark.parametrize("levels", [3, 256])
def test_labels_equal_plain_sums_of_blocks(box: int, levels: int) -> None:
    image = np.random.default_rng(box).integers(0, levels, (31, 26), dtype=np.uint8)
    assert np.array_equal(patterns(image, box=box), _reference(image, box))


@pytest.mark.parametrize("box", [3, 5])
def test_bits_are_those_of_scikit_image(box: int) -> None:
    image = grey(_faces(np.random.default_rng(box), 1))[0]
    found, sums = patterns(image, box=box), integral_image(image)
    for r, c in np.random.default_rng(0).integers(0, found.shape[0], (500, 2)):
        # Its most significant bit is the block on the upper left, and the others follow clockwise.
        theirs = int(multiblock_lbp(sums, int(r), int(c), box, box))
        code = sum((theirs >> (7 - position) & 1) << (3 - position) % 8 for position in range(8))
        assert found[r, c] == _label(code)


def test_equal_blocks_set_the_bit() -> None:
    image = np.full((15, 15), 10, np.uint8)
    assert patterns(image)[0, 0] == 57
    image[5, 5] = 11  # the middle block now is brighter than all others, by 1/25 of a grey level
    assert patterns(image)[0, 0] == 0
    image[4, 14] = 11  # and as bright as the one on the upper right, which is bit 1
    assert patterns(image)[0, 0] == _label(0b10)


def test_blocks_need_a_middle_and_room() -> None:
    with pytest.raises(InvalidInputError, match="odd"):
        patterns(np.zeros((40, 40), np.uint8), box=4)
    with pytest.raises(InvalidInputError, match="fit"):
        patterns(np.zeros((40, 14), np.uint8))


def test_histograms_count_the_labels_of_each_cell() -> None:
    samples = _faces(np.random.default_rng(1), 3)
    found = histograms(samples).reshape(3, 8, 8, 59)
    for sample, cells in zip(samples, found, strict=True):
        labels = np.full((112, 112), 59)  # 59: no label
        labels[7:-7, 7:-7] = _reference(grey(sample), 5)
        for r in range(8):
            for c in range(8):
                cell = labels[14 * r : 14 * r + 14, 14 * c : 14 * c + 14]
                assert np.array_equal(cells[r, c], np.bincount(cell.ravel(), minlength=60)[:59])
    side = np.array([7, 14, 14, 14, 14, 14, 14, 7])
    assert np.array_equal(found.sum(axis=3), np.broadcast_to(np.outer(side, side), (3, 8, 8)))


def test_embedding_is_independent_of_the_batch_and_leaves_samples_alone() -> None:
    samples = _faces(np.random.default_rng(2), 3)
    before = samples.copy()
    recogniser = MultiBlockLocalBinaryPatterns(digest="")
    templates = recogniser.embed(samples)
    assert templates.dtype == np.float32
    assert templates.shape == (3, recogniser.dimension)
    assert np.array_equal(samples, before)
    assert np.array_equal(recogniser.embed(samples[2:]), templates[2:])
    assert np.array_equal(recogniser.embed(samples[:, ::-1][:, ::-1]), templates)
    assert recogniser.embed(samples[:0]).shape == (0, recogniser.dimension)


def test_more_alike_scores_higher() -> None:
    rng = np.random.default_rng(3)
    samples = _faces(rng, 3)
    near = np.clip(samples + rng.integers(-1, 2, samples.shape), 0, 255).astype(np.uint8)
    recogniser = MultiBlockLocalBinaryPatterns(digest="")
    templates, others = recogniser.embed(samples), recogniser.embed(near)
    scores = recogniser.compare_all(templates, others)
    assert (scores.argmax(axis=1) == np.arange(3)).all()
    assert np.array_equal(recogniser.compare(templates, others), np.diagonal(scores))
    assert (recogniser.compare(templates, templates) == 0).all()


def test_it_is_found_by_its_id() -> None:
    recogniser = load_recogniser("mblbp")
    assert isinstance(recogniser, MultiBlockLocalBinaryPatterns)
    assert recogniser.id == "mblbp"
    assert recogniser.digest == recogniser_digest("mblbp") != recogniser_digest("lbp")


@pytest.mark.parametrize("shape", [(1, 100, 112, 3), (112, 112, 3), (1, 112, 112)])
def test_other_shapes_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(InvalidInputError, match="N x 112 x 112 x 3"):
        histograms(np.zeros(shape, np.uint8))


@pytest.mark.data
def test_labels_of_real_faces_equal_plain_sums(data_root: Path) -> None:
    for path in sorted((data_root / "lfw" / "aligned112").glob("*/*.jpg"))[::3000]:
        image = grey(np.asarray(Image.open(path).convert("RGB")))
        assert np.array_equal(patterns(image), _reference(image, 5))
