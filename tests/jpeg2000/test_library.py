"""Which OpenJPEG is used, and that choosing it leaves everything else alone."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from benchmark.errors import InvalidInputError
from benchmark.jpeg2000.library import binding, library_path, openjpeg_version


def test_default_is_the_library_in_pillows_wheel() -> None:
    from PIL import features

    assert "pillow" in library_path().lower() or ".dylibs" in library_path()
    assert openjpeg_version() == features.version_codec("jpg_2000")


def test_a_users_glymur_is_left_alone(tmp_path: Path) -> None:
    # In a process of its own: glymur may not see our library, our environment, or a configuration file of ours.
    script = (
        "import os; before = dict(os.environ)\n"
        "import glymur.lib.openjp2 as theirs; own = theirs.OPENJP2\n"
        "from benchmark.jpeg2000 import openjpeg_version; assert openjpeg_version().startswith('2.')\n"
        "import glymur.config; assert theirs.OPENJP2 is own\n"
        "assert glymur.config.glymur_config.__module__ == 'glymur.config'\n"
        "assert dict(os.environ) == before"
    )
    root = Path(__file__).resolve().parents[2]
    home = {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin", "PYTHONPATH": str(root)}
    subprocess.run([sys.executable, "-c", script], check=True, env=home, cwd=tmp_path)
    assert [path for path in tmp_path.rglob("*") if "glymur" in path.name] == []


def test_a_path_can_be_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VEILBENCH_OPENJPEG", library_path())
    assert binding().OPENJP2._name == library_path()


def test_wrong_choices_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("VEILBENCH_OPENJPEG", str(tmp_path / "absent.so"))
    with pytest.raises(InvalidInputError, match=r"absent\.so: there is no such file"):
        openjpeg_version()
    (tmp_path / "text.so").write_text("no library")
    monkeypatch.setenv("VEILBENCH_OPENJPEG", str(tmp_path / "text.so"))
    with pytest.raises(InvalidInputError, match="could not be loaded"):
        openjpeg_version()
    monkeypatch.setattr("benchmark.jpeg2000.library.find_library", lambda name: None)
    with pytest.raises(InvalidInputError, match="install it or unset VEILBENCH_OPENJPEG"):
        library_path("system")
    monkeypatch.setattr("benchmark.jpeg2000.library.find_library", lambda name: "libm.so.6")
    monkeypatch.setenv("VEILBENCH_OPENJPEG", "system")
    with pytest.raises(InvalidInputError, match=r"no OpenJPEG 2\.5"):
        openjpeg_version()
