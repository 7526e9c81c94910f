"""What `veilbench new` writes passes what `veilbench validate` checks."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmark.conformance import validate
from benchmark.errors import InvalidInputError
from benchmark.scaffold import scaffold
from benchmark.submission import discover


@pytest.mark.parametrize("kind", ["protector", "attack"])
def test_a_new_submission_works_as_it_is(tmp_path: Path, kind: str) -> None:
    folder = scaffold(kind, "my-own-method", tmp_path)
    assert folder == tmp_path / f"{kind}s" / "my-own-method"
    assert sorted(path.name for path in folder.iterdir()) == ["README.md", "method.py", "submission.yaml"]
    report = validate(folder)
    assert report.passed, report.text()
    assert list(discover([tmp_path])) == [(kind, "my-own-method")]


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    folder = scaffold("attack", "mine", tmp_path)
    (folder / "method.py").write_text("# mine")
    with pytest.raises(InvalidInputError, match="is there already"):
        scaffold("attack", "mine", tmp_path)
    assert (folder / "method.py").read_text() == "# mine"


@pytest.mark.parametrize("name", ["", "Upper", "under_score", "a--b", "-a", "a-", "../a", "a/b", "ä", "x" * 65, "8bit"])
def test_names_are_ids(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidInputError, match=r"is no id|begins with a digit"):
        scaffold("attack", name, tmp_path)
    assert not list(tmp_path.iterdir())


def test_the_default_place_is_where_submissions_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert scaffold("protector", "mine") == tmp_path / "submissions" / "protectors" / "mine"


def test_kinds_and_places_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="choose protector or attack"):
        scaffold("recogniser", "mine", tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(InvalidInputError, match="cannot be written"):
        scaffold("attack", "mine", tmp_path / "file")
