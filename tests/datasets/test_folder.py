"""One's own folder of aligned faces."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from image_files import encoded
from PIL import Image

from benchmark.datasets import open_dataset
from benchmark.datasets.folder import FolderDataset
from benchmark.errors import InvalidInputError


@pytest.fixture
def faces(tmp_path: Path, picture: Image.Image) -> FolderDataset:
    for name, kind in (("ann/1.png", "PNG"), ("ann/2.JPG", "JPEG"), ("bob/x.webp", "WEBP"), ("bob/notes.txt", "PNG")):
        path = tmp_path / "faces" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encoded(picture, kind))
    dataset = open_dataset("folder", {"path": "faces"}, tmp_path)
    assert isinstance(dataset, FolderDataset)
    return dataset


def test_identity_is_the_folder(faces: FolderDataset, picture: Image.Image) -> None:
    assert faces.ids() == ["ann/1", "ann/2", "bob/x"]
    assert [faces.subject(name) for name in faces.ids()] == ["ann", "ann", "bob"]
    loaded = faces.load(["ann/1", "ann/2", "ann/3"])
    assert loaded.failed.tolist() == [False, False, True]
    assert np.array_equal(loaded.samples[0], np.asarray(picture))
    assert len(set(faces.fingerprint(["ann/1", "ann/2", "ann/3"]))) == 3


def test_two_files_of_one_name_are_ambiguous(faces: FolderDataset, tmp_path: Path) -> None:
    (tmp_path / "faces" / "ann" / "1.bmp").write_bytes(b"")
    faces = open_dataset("folder", {"path": "faces"}, tmp_path)  # a folder is read once
    with pytest.raises(InvalidInputError, match=r"1\.bmp and 1\.png"):
        faces.load(["ann/1"])


@pytest.mark.parametrize("bad", ["ann", "../ann", "ann/..", "ann/1/2", "/ann", "ann\\1/2", "ann/"])
def test_ids_cannot_leave_the_folder(faces: FolderDataset, bad: str) -> None:
    with pytest.raises(InvalidInputError, match="no sample id"):
        faces.load([bad])


def test_absent_folder_and_relative_path_without_root(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="no folder"):
        open_dataset("folder", {"path": "absent"}, tmp_path)
    with pytest.raises(InvalidInputError, match="--data"):
        open_dataset("folder", {"path": "faces"}, None)
