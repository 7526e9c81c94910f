"""Anchors, decoding and suppression against their definitions and OpenCV."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from benchmark.alignment.anchors import anchors, decode_boxes, decode_landmarks, suppress
from benchmark.digest import generator


@pytest.mark.parametrize(("height", "width"), [(250, 250), (16, 16), (640, 427), (33, 17)])
def test_anchors_are_two_in_every_cell_of_three_maps(height: int, width: int) -> None:
    expected = []
    for stride, sides in ((8, (16, 32)), (16, (64, 128)), (32, (256, 512))):
        for row in range(int(np.ceil(height / stride))):
            for column in range(int(np.ceil(width / stride))):
                expected += [((column + 0.5) * stride, (row + 0.5) * stride, side) for side in sides]
    assert anchors(height, width).tolist() == [list(anchor) for anchor in expected]


def test_decoding_undoes_the_encoding_of_training() -> None:
    draw = generator("tests", "boxes")
    places = np.column_stack([draw.uniform(0, 200, (50, 2)), draw.uniform(16, 256, 50)]).astype(np.float32)
    corner, size = draw.uniform(0, 150, (50, 2)), draw.uniform(5, 99, (50, 2))
    boxes = np.column_stack([corner, corner + size])
    # SSD's encoding (Liu et al., ECCV 2016) with the variances 0.1 and 0.2.
    encoded = np.column_stack(
        [(corner + size / 2 - places[:, :2]) / (0.1 * places[:, 2:]), np.log(size / places[:, 2:]) / 0.2]
    )
    np.testing.assert_allclose(decode_boxes(encoded.astype(np.float32), places), boxes, atol=1e-3)
    points = draw.uniform(0, 200, (50, 5, 2))
    encoded = ((points - places[:, None, :2]) / (0.1 * places[:, None, 2:])).reshape(50, 10)
    np.testing.assert_allclose(decode_landmarks(encoded.astype(np.float32), places), points, atol=1e-3)


def test_suppression_agrees_with_opencv() -> None:
    draw = generator("tests", "suppression")
    for _ in range(20):
        corner, size = draw.integers(0, 60, (60, 2)), draw.integers(10, 40, (60, 2))
        scores = (draw.permutation(60).astype(np.float32) + 1) / 60
        rectangles = np.column_stack([corner, size])
        expected = cv2.dnn.NMSBoxes(rectangles.tolist(), scores.tolist(), 0.0, 0.4)
        boxes = np.column_stack([corner, corner + size]).astype(np.float32)
        assert suppress(boxes, scores, 0.4).tolist() == np.ravel(expected).tolist()


def test_nothing_is_suppressed_to_nothing() -> None:
    assert suppress(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), 0.4).size == 0
