"""Where things are looked for, and in which order."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmark import locations
from benchmark.errors import InvalidInputError


def test_a_checkout_uses_its_own_folders_and_those_under_the_current_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = locations.checkout()
    assert root is not None
    (tmp_path / "submissions").mkdir()
    (tmp_path / "protocols").mkdir()
    monkeypatch.chdir(tmp_path)
    assert locations.protocol_folders() == [root / "protocols", tmp_path / "protocols"]
    assert locations.submission_folders()[0] == locations.baselines_folder() == root / "baselines"
    assert locations.submission_folders()[-1] == tmp_path / "submissions"
    assert locations.leaderboard_folder() == root / "leaderboard"


def test_an_installed_package_uses_what_it_carries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "site-packages" / "benchmark"
    (package / "bundled" / "protocols").mkdir(parents=True)
    (package / "bundled" / "baselines").mkdir()
    monkeypatch.setattr(locations, "PACKAGE", package)
    monkeypatch.chdir(tmp_path)
    assert locations.checkout() is None
    assert locations.protocol_folders() == [package / "bundled" / "protocols"]
    assert locations.submission_folders() == [package / "bundled" / "baselines"]
    assert locations.leaderboard_folder() == tmp_path / "leaderboard"


def test_the_data_root_is_the_option_then_the_variable_then_the_users_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    option, variable, own = (tmp_path / name for name in ("option", "variable", "own"))
    option.mkdir()
    variable.mkdir()
    monkeypatch.setenv("VEILBENCH_DATA", str(variable))
    monkeypatch.setattr(locations.platformdirs, "user_data_dir", lambda *_, **__: str(own))
    assert locations.data_root(option) == option
    assert locations.data_root() == variable
    monkeypatch.delenv("VEILBENCH_DATA")
    assert locations.data_root() is None
    own.mkdir()
    assert locations.data_root() == own


def test_a_named_data_root_that_is_not_there_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InvalidInputError, match="--data: no folder at"):
        locations.data_root(tmp_path / "none")
    monkeypatch.setenv("VEILBENCH_DATA", str(tmp_path / "none"))
    with pytest.raises(InvalidInputError, match="VEILBENCH_DATA: no folder at"):
        locations.data_root()


def test_the_store_need_not_exist_yet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VEILBENCH_STORE", str(tmp_path / "variable"))
    assert locations.store_root(tmp_path / "option") == tmp_path / "option"
    assert locations.store_root() == tmp_path / "variable"
    monkeypatch.delenv("VEILBENCH_STORE")
    monkeypatch.setattr(locations.platformdirs, "user_cache_dir", lambda *_, **__: str(tmp_path))
    assert locations.store_root() == tmp_path / "store"
