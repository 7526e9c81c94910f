"""The transform against scikit-image; the crop against what it must show."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from skimage.transform import SimilarityTransform

from benchmark.alignment.detector import Face
from benchmark.alignment.similarity import REFERENCE, choose, crop, similarity
from benchmark.digest import generator


@given(st.integers(0, 1000))
def test_similarity_agrees_with_scikit_image(seed: int) -> None:
    source, target = generator("tests", "similarity", seed).uniform(-300, 300, (2, 5, 2))
    reference = SimilarityTransform.from_estimate(source, target)
    np.testing.assert_allclose(similarity(source, target), reference.params[:2], atol=1e-7)


@given(st.floats(-3.1, 3.1), st.floats(0.05, 20), st.floats(-500, 500))
def test_similarity_recovers_a_motion_exactly(angle: float, scale: float, shift: float) -> None:
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    moved = REFERENCE @ turn.T + shift
    np.testing.assert_allclose(similarity(REFERENCE, moved), np.column_stack([turn, [shift, shift]]), atol=1e-6)


def test_one_point_has_no_similarity() -> None:
    with pytest.raises(ValueError, match="one point"):
        similarity(np.ones((5, 2)), REFERENCE)


def test_a_face_in_place_is_not_resampled() -> None:
    picture = generator("tests", "crop").integers(0, 256, (112, 112, 3), dtype=np.uint8)
    assert np.array_equal(crop(picture, REFERENCE), picture)


def test_beyond_the_border_is_black() -> None:
    picture = np.full((112, 112, 3), 255, np.uint8)
    shifted = crop(picture, REFERENCE - [40, 0])  # the face is at the left border
    assert not shifted[:, :39].any()
    assert shifted[:, 41:].all()


def test_a_large_face_is_averaged_not_sampled() -> None:
    """One pixel in four is white: a bilinear warp of a tenfold face would show a random pattern, an average is even."""
    picture = np.zeros((1120, 1120, 3), np.uint8)
    picture[::2, ::2] = 252
    small = crop(picture, REFERENCE * 10)
    assert np.abs(small[2:-2, 2:-2].astype(int) - 63).max() <= 1


def test_a_large_face_stays_in_its_place() -> None:
    """A ramp of 112 steps, each 8 pixels wide, the face at 8 times its size: each step is a pixel of the crop."""
    ramp = np.repeat(np.arange(112, dtype=np.uint8) * 2, 8)
    picture = np.repeat(np.repeat(ramp[None, :, None], 896, 0), 3, 2)
    # Pixel x of the crop is the middle of pixels 8 x to 8 x + 7.
    small = crop(picture, (REFERENCE + 0.5) * 8 - 0.5)
    assert np.abs(small[:, 1:-1, 0].astype(int) - 2 * np.arange(1, 111)).max() <= 1


def face(left: float, top: float, side: float, score: float = 0.9) -> Face:
    box = np.array([left, top, left + side, top + side], np.float32)
    return Face(score, box, np.zeros((5, 2), np.float32))


def test_the_large_and_central_face_is_chosen() -> None:
    middle, corner, larger = face(75, 75, 100), face(0, 0, 110), face(60, 60, 130)
    assert choose([corner, middle], 250, 250) is middle
    assert choose([corner, middle, larger], 250, 250) is larger
