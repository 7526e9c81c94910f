"""`veilbench data ...`: how it ends, and what it says."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from photographs import BrightFaces, album, photograph

from benchmark.cli import main
from benchmark.preparation import workers


@pytest.fixture
def detector(monkeypatch: pytest.MonkeyPatch) -> BrightFaces:
    faces = BrightFaces()
    monkeypatch.setattr(workers, "load_detector", lambda data: faces)
    monkeypatch.setattr("benchmark.alignment.weights.find_detector", lambda data: Path("weights"))
    return faces


def veilbench(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["data", *map(str, arguments)])


def prepared(source: Path, target: Path, *more: str) -> Result:
    return veilbench("prepare", "--from", source, "--to", target, "--workers", "1", *more)


def test_failures_are_listed_and_the_command_is_done(detector: BrightFaces, tmp_path: Path) -> None:
    source = album(tmp_path / "raw")
    (source / "bob" / "empty.jpg").write_bytes(b"")
    result = prepared(source, tmp_path / "crops")
    assert result.exit_code == 0, result.output
    assert "failed: bob/empty.jpg: is empty" in result.stdout
    assert f"report: {tmp_path / 'crops' / 'report.csv'}" in result.stdout


def test_a_folder_with_no_face_is_1_with_one_line(detector: BrightFaces, tmp_path: Path) -> None:
    photograph(tmp_path / "raw" / "ann" / "1.jpg", colour="black")
    result = prepared(tmp_path / "raw", tmp_path / "crops")
    assert result.exit_code == 1
    assert result.stderr.splitlines()[-1].startswith("veilbench: no photograph gave a crop")


def test_a_folder_without_photographs_is_2_with_one_line(detector: BrightFaces, tmp_path: Path) -> None:
    (tmp_path / "raw").mkdir()
    result = prepared(tmp_path / "raw", tmp_path / "crops")
    assert (result.exit_code, result.output.count("\n")) == (2, 1)
    assert not (tmp_path / "crops").exists()


def test_missing_weights_are_2_before_anything_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda *_, **__: str(tmp_path / "cache"))
    (tmp_path / "data").mkdir()
    result = prepared(album(tmp_path / "raw"), tmp_path / "crops", "--data", str(tmp_path / "data"))
    assert result.exit_code == 2
    assert result.stderr.splitlines()[-1].startswith("veilbench: face detector: no weights retinaface")
    assert not (tmp_path / "crops").exists()


def test_fetch_aligns_what_scikit_learn_has(detector: BrightFaces, tmp_path: Path) -> None:
    album(tmp_path / "home" / "lfw_home" / "lfw_funneled")
    (tmp_path / "data").mkdir()
    result = veilbench("fetch", "lfw", "--home", tmp_path / "home", "--data", tmp_path / "data", "--workers", "1")
    assert result.exit_code == 0, result.output
    assert "holds 2 photographs, not the 13233" in result.stderr  # of `*.jpg`, the only kind in LFW
    assert (tmp_path / "data" / "lfw" / "aligned112" / "ann" / "1.jpg").is_file()


def test_fetch_from_a_second_home_names_options_that_there_are(detector: BrightFaces, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    for home in ("home", "other"):
        album(tmp_path / home / "lfw_home" / "lfw_funneled")
        order = ["fetch", "lfw", "--home", tmp_path / home, "--data", tmp_path / "data", "--workers", "1"]
        result = veilbench(*order)
    assert result.exit_code == 2
    said = result.stderr.splitlines()[-1]
    assert f"{tmp_path / 'data' / 'lfw' / 'aligned112'}: its crops were prepared from {tmp_path / 'home'}" in said
    assert (
        "move that folder away, or choose another folder (`data prepare`: with --to; `data fetch`: with --data)" in said
    )


def test_fetch_of_what_nobody_may_give_is_refused() -> None:
    assert veilbench("fetch", "casia-webface").exit_code == 2
