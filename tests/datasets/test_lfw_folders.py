"""LFW's crops in one folder or in two: a sample is found in whichever there are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from image_files import encoded
from PIL import Image

from benchmark.datasets import lfw_crops_status, open_dataset
from benchmark.errors import InvalidInputError
from benchmark.source import module_digest

BOTH = {"folders": ["aligned112", "aligned112_extra"]}
ANN, BOB = "Ann/Ann_0001", "Bob/Bob_0001"


def crop(root: Path, folder: str, sample_id: str, picture: Image.Image) -> None:
    path = root / "lfw" / folder / f"{sample_id}.jpg"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(encoded(picture))


@pytest.mark.parametrize("folder", BOTH["folders"])
def test_all_crops_may_lie_in_either_folder(tmp_path: Path, picture: Image.Image, folder: str) -> None:
    """As `veilbench data fetch lfw` puts them."""
    for name in (ANN, BOB):
        crop(tmp_path, folder, name, picture)
    loaded = open_dataset("lfw", BOTH, tmp_path).load([ANN, BOB, "Eve/Eve_0001"])
    assert loaded.failed.tolist() == [False, False, True]
    assert loaded.reasons == {"Eve/Eve_0001": f"{tmp_path / 'lfw' / folder / 'Eve/Eve_0001.jpg'} is missing"}


def test_one_folder_or_two_give_the_same_samples_under_the_same_names(tmp_path: Path, picture: Image.Image) -> None:
    """The name of stored samples counts code, ids and fingerprints, and not where they lie."""
    one, two = tmp_path / "one", tmp_path / "two"
    for root, folder in ((one, "aligned112"), (two, "aligned112_extra")):
        crop(root, "aligned112", ANN, picture)
        crop(root, folder, BOB, picture)
    a, b = (open_dataset("lfw", BOTH, root) for root in (one, two))
    assert a.fingerprint([ANN, BOB]) == b.fingerprint([ANN, BOB])
    assert np.array_equal(a.load([ANN, BOB]).samples, b.load([ANN, BOB]).samples)
    assert type(a).__module__ == type(b).__module__ == "benchmark.datasets.lfw"


def test_the_code_that_reads_crops_is_the_one_the_records_were_made_with() -> None:
    """It names stored samples, from which the draws of protectors and attacks are seeded."""
    assert module_digest("benchmark.datasets.lfw")[:16] == "38c3b54f613c4194"


def test_no_folder_at_all_is_refused(tmp_path: Path) -> None:
    (tmp_path / "lfw").mkdir()
    with pytest.raises(InvalidInputError, match=r"no folder .*aligned112; "):
        open_dataset("lfw", BOTH, tmp_path)


@pytest.mark.parametrize("odd", ["..", "a/b", ""])
def test_what_is_no_plain_name_is_not_passed_over(tmp_path: Path, odd: str) -> None:
    (tmp_path / "lfw" / "aligned112").mkdir(parents=True)
    with pytest.raises(InvalidInputError, match="is not a plain folder name"):
        open_dataset("lfw", {"folders": ["aligned112", odd]}, tmp_path)


def test_status_counts_both_folders_and_says_who_needs_what(tmp_path: Path, picture: Image.Image) -> None:
    assert lfw_crops_status(tmp_path).startswith("lfw: missing; ")
    crop(tmp_path, "aligned112", ANN, picture)
    said = lfw_crops_status(tmp_path)
    assert f"1 aligned crops in {tmp_path / 'lfw/aligned112'} (View 2 needs 7701)" in said
    assert f"0 in {tmp_path / 'lfw/aligned112_extra'} (lfw-cancelable-* need 1549 of other people too" in said
    crop(tmp_path, "aligned112_extra", BOB, picture)
    assert f"1 in {tmp_path / 'lfw/aligned112_extra'} " in lfw_crops_status(tmp_path)
