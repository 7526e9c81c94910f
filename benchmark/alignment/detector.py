"""Faces in pictures: their boxes, scores and five landmarks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import torch

from benchmark.alignment.anchors import Floats, anchors, decode_boxes, decode_landmarks, suppress
from benchmark.alignment.network import load_network
from benchmark.alignment.weights import find_detector, read_detector

#: RGB, height x width x 3.
Picture = npt.NDArray[np.uint8]

#: A face scores at least this.
THRESHOLD = 0.5
#: Above this intersection over union two boxes are one face.
OVERLAP = 0.4
#: Larger pictures are reduced to this longest side to find faces in (not to crop them from).
LONGEST = 640
#: Of RGB, subtracted as in training.
_MEAN = (123.0, 117.0, 104.0)
_BATCH = 16


@dataclass(frozen=True)
class Face:
    """A detected face, in pixels of the picture that it was found in."""

    #: 0.5..1: how sure the detector is.
    score: float
    #: float32, 4: left, top, right, bottom; may reach beyond the picture.
    box: Floats
    #: float32, 5 x 2 (x, y): the eyes, the tip of the nose, the corners of the mouth; the image's left side first.
    landmarks: Floats


class Detector:
    """RetinaFace on `threads` threads of the CPU.

    What is found in a picture depends on that picture alone (up to rounding): pictures of one size share a pass, and
    none is padded to the size of another.
    """

    def __init__(self, tensors: dict[str, Floats], *, threads: int = 1) -> None:
        self._threads = threads
        self._network = load_network(tensors)

    def detect(self, pictures: Sequence[Picture]) -> list[list[Face]]:
        """The faces in each picture (uint8, H x W x 3, RGB, of any sizes), best score first; none is an empty list."""
        reduced = [_reduced(picture) for picture in pictures]
        groups: dict[tuple[int, ...], list[int]] = defaultdict(list)
        for position, picture in enumerate(reduced):
            groups[picture.shape].append(position)
        found: list[list[Face]] = [[] for _ in pictures]
        for positions in groups.values():
            for start in range(0, len(positions), _BATCH):
                part = positions[start : start + _BATCH]
                for position, faces in zip(part, self._pass([reduced[p] for p in part]), strict=True):
                    scale = _scale(pictures[position], reduced[position])
                    found[position] = [_enlarged(face, scale) for face in faces]
        return found

    def _pass(self, pictures: Sequence[Picture]) -> list[list[Face]]:
        """The faces in pictures of one size."""
        pixels = torch.from_numpy(np.stack(pictures)).float() - torch.tensor(_MEAN)
        with torch.inference_mode(), _threads(self._threads):
            # Permuted, not copied: channels stay last, which is the faster layout here.
            logits, boxes, landmarks = self._network(pixels.permute(0, 3, 1, 2))
            scores = torch.softmax(logits, -1)[..., 1].numpy()
        places = anchors(*pictures[0].shape[:2])
        return [_faces(scores[i], boxes[i].numpy(), landmarks[i].numpy(), places) for i in range(len(pictures))]


@contextmanager
def _threads(count: int) -> Iterator[None]:
    """torch's own setting is the whole process's: it is put back."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def load_detector(data: Path | None, *, threads: int = 1) -> Detector:
    """The detector with its weights; raises InvalidInputError where they are missing or wrong."""
    return Detector(dict(read_detector(find_detector(data))), threads=threads)


def _faces(scores: Floats, boxes: Floats, landmarks: Floats, places: Floats) -> list[Face]:
    likely = np.flatnonzero(scores > THRESHOLD)
    scores, places = scores[likely], places[likely]
    found = decode_boxes(boxes[likely], places)
    points = decode_landmarks(landmarks[likely], places)
    return [Face(float(scores[i]), found[i], points[i]) for i in suppress(found, scores, OVERLAP)]


def _scale(picture: Picture, reduced: Picture) -> Floats:
    """By how much a picture is wider and higher (float32, 2)."""
    (height, width), (low, narrow) = picture.shape[:2], reduced.shape[:2]
    return np.array([width / narrow, height / low], np.float32)


def _reduced(picture: Picture) -> Picture:
    height, width = picture.shape[:2]
    scale = LONGEST / max(width, height)
    if scale >= 1:
        return picture
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


def _enlarged(face: Face, scale: Floats) -> Face:
    return Face(face.score, face.box * np.tile(scale, 2), face.landmarks * scale)
