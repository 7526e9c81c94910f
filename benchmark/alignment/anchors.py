"""From what the detector's network says of its anchors to faces in pixels: anchors, decoding, suppression."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

#: Pixels between cells, and the sides in pixels of the two square anchors on each, for the three feature maps.
LEVELS = ((8, (16, 32)), (16, (64, 128)), (32, (256, 512)))
#: By which places and sizes were divided in training.
VARIANCES = (0.1, 0.2)


@lru_cache(maxsize=32)
def anchors(height: int, width: int) -> Floats:
    """The square anchors of an image: float32, A x 3: centre x, centre y, side, in pixels.

    Level by level, row by row, cell by cell, the smaller of a cell first: the order of the network's outputs.

    >>> anchors(8, 16)[:3].tolist()
    [[4.0, 4.0, 16.0], [4.0, 4.0, 32.0], [12.0, 4.0, 16.0]]
    """
    parts = []
    for stride, sides in LEVELS:
        y, x = np.mgrid[0 : -(-height // stride), 0 : -(-width // stride)]
        centres = (np.stack([x, y], -1).reshape(-1, 1, 2) + 0.5) * stride
        cells = np.broadcast_to(centres, (len(centres), len(sides), 2))
        side = np.broadcast_to(np.array(sides).reshape(1, -1, 1), (*cells.shape[:2], 1))
        parts.append(np.concatenate([cells, side], -1).reshape(-1, 3))
    found = np.concatenate(parts).astype(np.float32)
    found.setflags(write=False)  # shared by all who ask
    return found


def decode_boxes(encoded: Floats, chosen: Floats) -> Floats:
    """Boxes (float32, N x 4: left, top, right, bottom, in pixels) from encoded ones (N x 4) and their anchors (N x 3).

    >>> decode_boxes(np.zeros((1, 4), np.float32), np.array([[10, 20, 8]], np.float32)).tolist()
    [[6.0, 16.0, 14.0, 24.0]]
    """
    side = chosen[:, 2:]
    centre = chosen[:, :2] + encoded[:, :2] * VARIANCES[0] * side
    half = side * np.exp(encoded[:, 2:] * VARIANCES[1]) / 2
    return np.concatenate([centre - half, centre + half], 1)


def decode_landmarks(encoded: Floats, chosen: Floats) -> Floats:
    """Landmarks (float32, N x 5 x 2: x, y, in pixels) from encoded ones (N x 10) and their anchors (N x 3)."""
    return chosen[:, None, :2] + encoded.reshape(-1, 5, 2) * VARIANCES[0] * chosen[:, None, 2:]


def suppress(boxes: Floats, scores: Floats, overlap: float) -> npt.NDArray[np.intp]:
    """Non-maximum suppression: which boxes stay (positions, best score first).

    A box goes where a better one covers it with an intersection over union above `overlap` (0..1). Equal scores keep
    their order.

    >>> boxes = np.array([[0, 0, 9, 9], [0, 0, 9, 8], [20, 0, 29, 9]], np.float32)
    >>> suppress(boxes, np.array([0.7, 0.9, 0.6], np.float32), 0.4).tolist()
    [1, 2]
    """
    waiting = np.argsort(-scores, kind="stable")
    areas = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
    kept = []
    while waiting.size:
        best, waiting = waiting[0], waiting[1:]
        kept.append(best)
        corners = np.maximum(boxes[best, :2], boxes[waiting, :2]), np.minimum(boxes[best, 2:], boxes[waiting, 2:])
        shared = np.prod(np.maximum(corners[1] - corners[0], 0), axis=1)
        waiting = waiting[shared <= overlap * (areas[best] + areas[waiting] - shared)]
    return np.array(kept, np.intp)
