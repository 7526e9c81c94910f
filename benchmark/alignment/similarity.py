"""The upright crop: a similarity transform of five landmarks onto reference points, and the warp."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from benchmark.alignment.detector import Face, Picture
from benchmark.datasets.base import SIDE
from benchmark.interfaces import Samples

#: Where the landmarks belong in a 112x112 crop (x, y): eyes, tip of the nose, corners of the mouth. InsightFace's.
REFERENCE = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]]
)


def similarity(source: npt.ArrayLike, target: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """The similarity (rotation, one scale, translation) that takes N points nearest to N others by least squares.

    `source` and `target`: N x 2 (x, y). Gives float64, 2 x 3: a point p goes to M[:, :2] p + M[:, 2]. Raises
    ValueError where all source points are one. Umeyama, IEEE PAMI 13(4), 1991, equations 40 to 43.

    >>> similarity([[0, 0], [1, 0], [0, 1]], [[5, 5], [5, 7], [3, 5]]).round(9).tolist()
    [[0.0, -2.0, 5.0], [2.0, 0.0, 5.0]]
    """
    x, y = np.asarray(source, np.float64), np.asarray(target, np.float64)
    x_mean, y_mean = x.mean(0), y.mean(0)
    variance = np.mean(np.sum((x - x_mean) ** 2, 1))
    if variance == 0:
        raise ValueError("all source points are one point")
    u, singular, v = np.linalg.svd((y - y_mean).T @ (x - x_mean) / len(x))
    mirror = np.array([1.0, -1.0 if np.linalg.det(u) * np.linalg.det(v) < 0 else 1.0])  # no reflections
    linear = (u * mirror) @ v * (singular @ mirror / variance)
    return np.column_stack([linear, y_mean - linear @ x_mean])


def crop(picture: Picture, landmarks: npt.ArrayLike) -> Samples:
    """The aligned sample (uint8, 112 x 112 x 3, RGB): bilinear, black beyond the picture's border.

    `landmarks`: 5 x 2 (x, y), in pixels of `picture` (uint8, H x W x 3). A face of more than twice the crop's size is
    first reduced by a whole factor, averaging areas: a bilinear warp alone would skip pixels and alias.
    """
    points = np.asarray(landmarks, np.float64)
    transform = similarity(points, REFERENCE)
    factor = int(1 / np.sqrt(abs(np.linalg.det(transform[:, :2]))))
    if factor >= 2:
        picture, points = _reduced(picture, points, factor)
        transform = similarity(points, REFERENCE)
    warped = cv2.warpAffine(picture, transform, (SIDE, SIDE), flags=cv2.INTER_LINEAR, borderValue=0)
    return np.asarray(warped, np.uint8)


def choose(faces: Sequence[Face], height: int, width: int) -> Face:
    """The face that a portrait is of: large and near the centre, by area - 2 x squared distance to the centre.

    `height`, `width`: of the picture, in pixels. Raises ValueError for no faces. The rule of InsightFace's alignment.
    """
    centre = np.array([width, height]) / 2

    def prominence(face: Face) -> float:
        corner, opposite = face.box[:2].astype(np.float64), face.box[2:].astype(np.float64)
        return float(np.prod(opposite - corner) - 2 * np.sum(((corner + opposite) / 2 - centre) ** 2))

    return max(faces, key=prominence)


def _reduced(picture: Picture, points: npt.NDArray[np.float64], factor: int) -> tuple[Picture, npt.NDArray[np.float64]]:
    """The picture at 1 / factor of its size, and where the points are then (centres of pixels are whole numbers)."""
    height, width = picture.shape[:2]
    size = max(1, width // factor), max(1, height // factor)
    scale = np.array(size) / (width, height)
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8), (points + 0.5) * scale - 0.5
