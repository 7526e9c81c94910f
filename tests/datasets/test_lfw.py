"""LFW crops: real ones where they are, made-up ones for every fault."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
from image_files import encoded
from PIL import Image

from benchmark.datasets import Dataset, open_dataset
from benchmark.datasets.lfw import lfw_status
from benchmark.errors import InvalidInputError

IDS = [f"Ann_O'Hara/Ann_O'Hara_000{k}" for k in range(1, 6)]


@pytest.fixture
def root(tmp_path: Path, picture: Image.Image) -> Path:
    """Number 1 is fine, 2 is missing, 3 truncated, 4 too large, 5 fine but in the second folder."""
    good = encoded(picture)
    files = {1: good, 3: good[:-200], 4: encoded(picture.resize((113, 112)))}
    for number, data in files.items():
        path = tmp_path / "lfw" / "aligned112" / f"{IDS[number - 1]}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    extra = tmp_path / "lfw" / "aligned112_extra" / f"{IDS[4]}.jpg"
    extra.parent.mkdir(parents=True)
    extra.write_bytes(good)
    return tmp_path


@pytest.fixture
def lfw(root: Path) -> Dataset:
    return open_dataset("lfw", {"folders": ["aligned112", "aligned112_extra"]}, root)


def test_faults_are_flagged_with_file_and_reason(lfw: Dataset, root: Path) -> None:
    loaded = lfw.load(IDS)
    assert loaded.failed.tolist() == [False, True, True, True, False]
    assert np.array_equal(loaded.samples[0], loaded.samples[4])
    assert loaded.samples[0].any()
    assert not loaded.samples[1:4].any()
    folder = root / "lfw" / "aligned112" / "Ann_O'Hara"
    assert loaded.reasons[IDS[1]] == f"{folder / 'Ann_O_Hara_0002.jpg'} is missing".replace("Ann_O_", "Ann_O'")
    assert "truncated" in loaded.reasons[IDS[2]]
    assert "is 113x112" in loaded.reasons[IDS[3]]
    assert list(loaded.reasons) == IDS[1:4]


def test_fingerprint_is_the_digest_of_the_file(lfw: Dataset, root: Path) -> None:
    path = root / "lfw" / "aligned112" / f"{IDS[0]}.jpg"
    assert lfw.fingerprint(IDS[:2]) == [hashlib.sha256(path.read_bytes()).hexdigest(), "missing"]


def test_the_default_folder_is_aligned112(root: Path) -> None:
    assert open_dataset("lfw", {}, root).load(IDS[4:]).failed.tolist() == [True]


@pytest.mark.parametrize(
    "bad",
    ["Ann", "Ann/Bob_0001", "../.._0001", "../x", "a/b/c", "/etc/passwd", "Ann/Ann_1", "Ann/Ann_0001.jpg", "./._0001"],
)
def test_ids_that_are_none_never_become_paths(lfw: Dataset, bad: str) -> None:
    for ask in (lfw.subject, lambda name: lfw.load([name]), lambda name: lfw.fingerprint([name])):
        with pytest.raises(InvalidInputError, match="is no LFW sample id"):
            ask(bad)


def test_no_data_says_how_to_get_it(tmp_path: Path) -> None:
    for root in (None, tmp_path):
        with pytest.raises(InvalidInputError, match=r"^[^\n]*lfw/aligned112/<name>/<name>_NNNN.jpg[^\n]*--data[^\n]*$"):
            open_dataset("lfw", {}, root)
    assert str(tmp_path) in lfw_status(tmp_path)


@pytest.mark.parametrize("bad", [[], [".."], ["a/b"], "aligned112"])
def test_folders_are_plain_names(root: Path, bad: object) -> None:
    with pytest.raises(InvalidInputError, match="folders"):
        open_dataset("lfw", {"folders": bad}, root)


@pytest.mark.data
def test_real_crops(data_root: Path) -> None:
    lfw = open_dataset("lfw", {}, data_root)
    ids = ["Abel_Pacheco/Abel_Pacheco_0001", "Abel_Pacheco/Abel_Pacheco_0004"]
    loaded = lfw.load(ids)
    assert loaded.samples.shape == (2, 112, 112, 3)
    assert not loaded.failed.any()
    assert [lfw.subject(name) for name in ids] == ["Abel_Pacheco"] * 2
    with Image.open(data_root / "lfw" / "aligned112" / f"{ids[1]}.jpg") as image:
        assert np.array_equal(loaded.samples[1], np.asarray(image))
