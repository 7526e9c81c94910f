"""The detector on LFW's own photographs, and our crops beside the shipped ones."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from PIL import Image

from benchmark import load_recogniser
from benchmark.alignment.align import Aligned, align
from benchmark.alignment.detector import LONGEST, Detector, load_detector
from benchmark.alignment.photographs import read_photograph
from benchmark.datasets.images import read_crop

pytestmark = pytest.mark.data


@pytest.fixture(scope="module")
def detector(data_root: Path) -> Detector:
    return load_detector(data_root)


@pytest.fixture(scope="module")
def paths(data_root: Path) -> list[Path]:
    """20 photographs of as many people."""
    return [sorted(folder.iterdir())[0] for folder in sorted((data_root / "lfw" / "raw").iterdir())[::3]]


def shipped(data_root: Path, path: Path) -> Path:
    name = f"{path.parent.name}/{path.name}"
    places = [data_root / "lfw" / folder / name for folder in ("aligned112", "aligned112_extra")]
    return next(place for place in places if place.is_file())


def crops(found: list[Aligned]) -> np.ndarray:
    return np.stack([cv2.imdecode(np.frombuffer(entry.content, np.uint8), cv2.IMREAD_COLOR_RGB) for entry in found])


def cosines(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    return np.sum(one * other, 1) / np.linalg.norm(one, axis=1) / np.linalg.norm(other, axis=1)


def test_our_crops_are_as_good_as_the_shipped_ones(data_root: Path, detector: Detector, paths: list[Path]) -> None:
    """Of all 300 photographs: none failed, mean cosine 0.988 (docs/data.md)."""
    found = align(paths, detector, kind="png")
    assert {entry.status for entry in found} <= {"found", "several"}
    assert min(entry.score for entry in found) > 0.99
    recogniser = load_recogniser("mobilefacenet-ms1m", data=data_root)
    ours = recogniser.embed(crops(found))
    theirs = recogniser.embed(np.stack([read_crop(shipped(data_root, path)) for path in paths]))
    assert cosines(ours, theirs).mean() >= 0.97
    by_same_recipe = ["extra" in shipped(data_root, path).parts[-3] for path in paths]
    assert any(by_same_recipe)
    assert cosines(ours, theirs)[by_same_recipe].min() >= 0.99


def test_a_picture_is_seen_alike_alone_and_among_others(detector: Detector, paths: list[Path]) -> None:
    pictures = [read_photograph(path).pixels for path in paths[:5]]
    pictures.insert(2, np.zeros((60, 90, 3), np.uint8))
    pictures.insert(4, np.ascontiguousarray(pictures[0][20:230, 10:]))
    together = detector.detect(pictures)
    assert together[2] == []
    for picture, faces in zip(pictures, together, strict=True):
        alone = detector.detect([picture])[0]
        assert len(faces) == len(alone)
        for one, other in zip(faces, alone, strict=True):
            np.testing.assert_allclose(one.landmarks, other.landmarks, atol=1e-2)


def test_a_large_photograph_is_found_small_and_cropped_large(
    data_root: Path, detector: Detector, paths: list[Path], tmp_path: Path
) -> None:
    """Enlarged four times, a photograph gives the crop of the small one, within what the detector's landmarks vary."""
    large = [tmp_path / f"{number}.png" for number in range(5)]
    for path, copy in zip(paths, large, strict=False):
        with Image.open(path) as image:
            image.resize((1000, 1000), Image.Resampling.BICUBIC).save(copy)
    assert LONGEST < 1000
    recogniser = load_recogniser("mobilefacenet-ms1m", data=data_root)
    ours, theirs = (recogniser.embed(crops(align(which, detector, kind="png"))) for which in (paths[:5], large))
    assert cosines(ours, theirs).min() > 0.9


def test_the_setting_of_threads_is_put_back(detector: Detector) -> None:
    before = torch.get_num_threads()
    detector.detect([np.zeros((32, 32, 3), np.uint8)])
    assert torch.get_num_threads() == before


def test_no_face_and_no_photograph_are_failures_with_reasons(detector: Detector, tmp_path: Path) -> None:
    Image.new("RGB", (200, 150), "navy").save(tmp_path / "a.png")
    Image.new("RGB", (200, 150), "navy").save(tmp_path / "b.gif", save_all=True, append_images=[Image.new("L", (9, 9))])
    (tmp_path / "c.jpg").write_bytes(b"")
    found = align([tmp_path / name for name in ("a.png", "b.gif", "c.jpg")], detector)
    assert [entry.status for entry in found] == ["failed"] * 3
    assert [entry.reason for entry in found] == ["no face found", "no face found (first of 2 frames)", "is empty"]
    assert not any(entry.content for entry in found)
