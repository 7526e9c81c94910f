"""Preparing a folder: a report that leaves nothing out, runs that go on, crops of others that stay."""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path

import pytest
from photographs import BrightFaces, album, photograph
from PIL import Image

from benchmark.datasets import open_dataset
from benchmark.errors import InvalidInputError
from benchmark.preparation import prepare as module
from benchmark.preparation import workers
from benchmark.preparation.prepare import prepare
from benchmark.store import write_atomically


@pytest.fixture
def detector(monkeypatch: pytest.MonkeyPatch) -> BrightFaces:
    faces = BrightFaces()
    monkeypatch.setattr(workers, "load_detector", lambda data: faces)
    return faces


def statuses(report: module.Report) -> dict[str, str]:
    return {row.image: row.status for row in report.rows}


def table(folder: Path) -> list[dict[str, str]]:
    with (folder / "report.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_what_became_of_every_file_is_in_the_report(detector: BrightFaces, tmp_path: Path) -> None:
    source = album(tmp_path / "raw")
    photograph(source / "bob" / "dark.jpg", colour="black")
    photograph(source / "bob" / "red.jpg", colour="red")
    photograph(source / "bob" / "1.png")
    photograph(source / "loose.jpg")
    photograph(source / "bob" / "deeper" / "x.jpg")
    (source / "bob" / "empty.jpg").write_bytes(b"")
    (source / "bob" / "notes.txt").write_text("no picture")
    (source / "cid").mkdir()
    photograph(source / ".cache" / "x.jpg")
    report = prepare(source, tmp_path / "crops", workers=1)
    assert statuses(report) == {
        ".cache/": "ignored",
        "ann/1.jpg": "found",
        "ann/2.png": "found",
        "bob/1.jpg": "found",
        "bob/1.png": "failed",
        "bob/2.webp": "found",
        "bob/dark.jpg": "failed",
        "bob/deeper/": "ignored",
        "bob/empty.jpg": "failed",
        "bob/notes.txt": "ignored",
        "bob/red.jpg": "several",
        "cid/": "ignored",
        "loose.jpg": "failed",
    }
    rows = {row["image"]: row for row in table(tmp_path / "crops")}
    assert rows["bob/dark.jpg"]["reason"] == "no face found"
    assert rows["bob/empty.jpg"]["reason"] == "is empty"
    assert "differs from bob/1.jpg in its suffix alone" in rows["bob/1.png"]["reason"]
    assert (rows["bob/red.jpg"]["faces"], rows["bob/red.jpg"]["score"]) == ("2", "0.7500")
    sums = json.loads((tmp_path / "crops" / "report.json").read_text())
    assert sums["counts"] == {"found": 4, "several": 1, "failed": 4, "kept": 0, "gone": 0, "ignored": 4}
    assert sums["mean_score"] == 0.75
    assert "failed: bob/empty.jpg: is empty" in report.text()


def test_the_crops_are_a_folder_data_set(detector: BrightFaces, tmp_path: Path) -> None:
    prepare(album(tmp_path / "raw"), tmp_path / "crops", workers=1, kind="png")
    dataset = open_dataset("folder", {"path": str(tmp_path / "crops")}, None)
    loaded = dataset.load(["ann/1", "ann/2", "bob/1", "bob/2"])
    assert not loaded.failed.any()


def test_a_second_run_does_nothing_again(detector: BrightFaces, tmp_path: Path) -> None:
    source, crops = album(tmp_path / "raw"), tmp_path / "crops"
    (source / "bob" / "empty.jpg").write_bytes(b"")
    first = prepare(source, crops, workers=1)
    files = {path: path.stat().st_mtime_ns for path in crops.rglob("*.jpg")}
    detector.seen = 0
    assert prepare(source, crops, workers=1) == first
    assert detector.seen == 0
    assert {path: path.stat().st_mtime_ns for path in crops.rglob("*.jpg")} == files


@pytest.mark.parametrize("survivors", [0, 1, 3])
def test_a_run_that_was_killed_goes_on(
    detector: BrightFaces, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, survivors: int
) -> None:
    """Killed while it writes crops, with the last line of its journal half on the disk: the end is the same."""
    source = album(tmp_path / "raw")
    whole = prepare(source, tmp_path / "whole", workers=1)
    written = 0

    def dies(path: Path, *blobs: bytes) -> None:
        nonlocal written
        if written == survivors:
            raise KeyboardInterrupt
        written += 1
        write_atomically(path, *blobs)

    with monkeypatch.context() as patch:
        patch.setattr(module, "write_atomically", dies)
        with pytest.raises(KeyboardInterrupt):
            prepare(source, tmp_path / "crops", workers=1)
    journal = tmp_path / "crops" / ".prepare.jsonl"
    journal.write_bytes(journal.read_bytes()[:-30])
    detector.seen = 0
    again = prepare(source, tmp_path / "crops", workers=1)
    assert detector.seen == 4 - survivors
    assert again.rows == whole.rows
    for path in (tmp_path / "whole").rglob("*.jpg"):
        assert (tmp_path / "crops" / path.relative_to(tmp_path / "whole")).read_bytes() == path.read_bytes()


def test_new_and_changed_photographs_are_aligned(detector: BrightFaces, tmp_path: Path) -> None:
    source, crops = album(tmp_path / "raw"), tmp_path / "crops"
    prepare(source, crops, workers=1)
    before = (crops / "ann" / "1.jpg").read_bytes()
    photograph(source / "ann" / "1.jpg", seed=99)
    photograph(source / "bob" / "1.jpg", colour="black")
    photograph(source / "new" / "1.jpg", seed=7)
    (source / "ann" / "2.png").unlink()
    detector.seen = 0
    report = prepare(source, crops, workers=1)
    assert detector.seen == 3
    assert (crops / "ann" / "1.jpg").read_bytes() != before
    found = {"ann/1.jpg": "found", "ann/2.png": "gone", "bob/1.jpg": "failed", "bob/2.webp": "found"}
    assert statuses(report) == {**found, "new/1.jpg": "found"}
    assert (crops / "ann" / "2.jpg").is_file()
    assert not (crops / "bob" / "1.jpg").exists()  # the crop of a photograph that is no more


def test_a_crop_of_anothers_hand_is_never_overwritten(detector: BrightFaces, tmp_path: Path) -> None:
    source, crops = album(tmp_path / "raw"), tmp_path / "crops"
    photograph(crops / "ann" / "1.jpg", seed=50, size=(112, 112))
    own = (crops / "ann" / "1.jpg").read_bytes()
    for _ in range(2):
        assert statuses(prepare(source, crops, workers=1))["ann/1.jpg"] == "kept"
        assert (crops / "ann" / "1.jpg").read_bytes() == own
    photograph(crops / "bob" / "1.jpg", seed=51, size=(112, 112))  # over a crop that we made
    own = (crops / "bob" / "1.jpg").read_bytes()
    photograph(source / "bob" / "1.jpg", seed=52)
    assert statuses(prepare(source, crops, workers=1))["bob/1.jpg"] == "kept"
    assert (crops / "bob" / "1.jpg").read_bytes() == own


def test_a_deleted_crop_is_made_again(detector: BrightFaces, tmp_path: Path) -> None:
    source, crops = album(tmp_path / "raw"), tmp_path / "crops"
    prepare(source, crops, workers=1)
    content = (crops / "ann" / "1.jpg").read_bytes()
    (crops / "ann" / "1.jpg").unlink()
    prepare(source, crops, workers=1)
    assert (crops / "ann" / "1.jpg").read_bytes() == content


def test_one_folder_of_crops_has_one_source_and_one_recipe(detector: BrightFaces, tmp_path: Path) -> None:
    source, crops = album(tmp_path / "raw"), tmp_path / "crops"
    prepare(source, crops, workers=1)
    with pytest.raises(InvalidInputError, match="choose another folder"):
        prepare(album(tmp_path / "other"), crops, workers=1)
    with pytest.raises(InvalidInputError, match="choose another folder"):
        prepare(source, crops, workers=1, kind="png")


def test_folders_that_cannot_be_used(detector: BrightFaces, tmp_path: Path) -> None:
    source = album(tmp_path / "raw")
    with pytest.raises(InvalidInputError, match="inside the folder of photographs"):
        prepare(source, source / "crops", workers=1)
    with pytest.raises(InvalidInputError, match="no folder"):
        prepare(tmp_path / "absent", tmp_path / "crops", workers=1)
    (tmp_path / "empty").mkdir()
    with pytest.raises(InvalidInputError, match=r"no photographs at <identity>/<image>$"):
        prepare(tmp_path / "empty", tmp_path / "crops", workers=1)
    photograph(tmp_path / "flat" / "1.jpg")
    with pytest.raises(InvalidInputError, match=r"found 1 other entries, such as 1\.jpg"):
        prepare(tmp_path / "flat", tmp_path / "crops", workers=1)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "report.csv").write_text("my own")
    with pytest.raises(InvalidInputError, match="no report of ours"):
        prepare(source, tmp_path / "mine", workers=1)


def test_a_damaged_journal_is_refused(detector: BrightFaces, tmp_path: Path) -> None:
    source, crops = album(tmp_path / "raw"), tmp_path / "crops"
    prepare(source, crops, workers=1)
    journal = crops / ".prepare.jsonl"
    journal.write_text(journal.read_text().replace('"status"', '"statu'))
    with pytest.raises(InvalidInputError, match=r"\.prepare\.jsonl: is damaged"):
        prepare(source, crops, workers=1)


@pytest.mark.skipif(not hasattr(os, "symlink"), reason="no links here")
def test_a_link_to_nowhere_is_a_failure_with_a_reason(detector: BrightFaces, tmp_path: Path) -> None:
    source = album(tmp_path / "raw")
    (source / "ann" / "3.jpg").symlink_to(tmp_path / "nowhere.jpg")
    report = prepare(source, tmp_path / "crops", workers=1)
    assert {row.image: row.reason for row in report.rows if row.status == "failed"} == {
        "ann/3.jpg": "cannot be read (No such file or directory)"
    }


@pytest.mark.data
def test_two_processes_give_what_one_gives(data_root: Path, tmp_path: Path) -> None:
    source = tmp_path / "raw"
    for folder in sorted((data_root / "lfw" / "raw").iterdir())[:4]:
        (source / folder.name).mkdir(parents=True)
        for path in folder.iterdir():
            (source / folder.name / path.name).write_bytes(path.read_bytes())
    one = prepare(source, tmp_path / "one", data=data_root, workers=1)
    two = prepare(source, tmp_path / "two", data=data_root, workers=2)
    assert one.rows == two.rows
    assert one.counts["failed"] == 0
    assert len(list((tmp_path / "two").glob("*/*.jpg"))) == 20
    for path in (tmp_path / "one").glob("*/*.jpg"):
        with Image.open(path) as image:
            assert image.size == (112, 112)
        assert (tmp_path / "two" / path.relative_to(tmp_path / "one")).read_bytes() == path.read_bytes()
