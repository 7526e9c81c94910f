"""An installed wheel brings its protocols, baselines and templates, and needs no checkout."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the unpacked wheel."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    [wheel] = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def veilbench(installed: Path, place: Path, *arguments: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(installed), "VEILBENCH_STORE": str(place / "store")}
    command = [sys.executable, "-P", "-m", "benchmark.cli", *arguments]
    done = subprocess.run(command, cwd=place, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_it_finds_its_protocols_and_baselines(installed: Path, tmp_path: Path) -> None:
    script = "import benchmark; print(benchmark.__file__)"
    environment = {**os.environ, "PYTHONPATH": str(installed)}
    found = subprocess.check_output([sys.executable, "-P", "-c", script], cwd=tmp_path, env=environment, text=True)
    assert Path(found.strip()).is_relative_to(installed)
    assert "demo" in veilbench(installed, tmp_path, "list", "protocols")
    assert "jpeg2000-window" in veilbench(installed, tmp_path, "list", "protectors")


def test_a_new_submission_validates_and_runs_there(installed: Path, tmp_path: Path) -> None:
    veilbench(installed, tmp_path, "new", "protector", "shuffle")
    report = veilbench(installed, tmp_path, "validate", "submissions/protectors/shuffle")
    assert "fail" not in report
    plan = veilbench(installed, tmp_path, "run", "demo", "--protector", "shuffle", "--dry-run")
    assert "shuffle / direct-decode" in plan
