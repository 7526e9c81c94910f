"""The detector's weights: found, checked, and what is said where they are not."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmark.alignment import detector
from benchmark.alignment.weights import RETINAFACE, detector_status, find_detector, read_detector
from benchmark.errors import InvalidInputError
from benchmark.listing import weights_listing


@pytest.fixture
def no_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda *_, **__: str(tmp_path / "cache"))


@pytest.mark.usefixtures("no_cache")
def test_missing_weights_say_where_they_belong(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match=rf"{RETINAFACE.file} in {tmp_path}/weights; .*{RETINAFACE.sha256}"):
        find_detector(tmp_path)
    with pytest.raises(InvalidInputError, match="--data or VEILBENCH_DATA"):
        find_detector(None)
    assert "missing" in detector_status(tmp_path)


@pytest.mark.usefixtures("no_cache")
def test_other_weights_are_never_used(tmp_path: Path) -> None:
    path = tmp_path / "weights" / RETINAFACE.file
    path.parent.mkdir()
    path.write_bytes(b"other")
    assert find_detector(tmp_path) == path
    with pytest.raises(InvalidInputError, match=r"retinaface.*SHA-256 is d9298a10"):
        read_detector(path)
    assert "another SHA-256" in detector_status(tmp_path)


@pytest.mark.usefixtures("no_cache")
def test_the_list_of_weights_has_the_detector_too(tmp_path: Path) -> None:
    def row() -> str:
        return next(line for line in weights_listing(tmp_path).splitlines() if RETINAFACE.network in line)

    assert RETINAFACE.licence in row()
    assert RETINAFACE.sha256[:12] in row()
    assert "missing; put it into" in row()
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / RETINAFACE.file).write_bytes(b"other")
    assert "another SHA-256" in row()


def test_what_the_entry_says_the_network_sees_is_what_it_is_fed() -> None:
    assert str(tuple(int(value) for value in detector._MEAN)) in RETINAFACE.input


@pytest.mark.data
def test_the_real_file(data_root: Path) -> None:
    assert detector_status(data_root).endswith(str(data_root / "weights" / RETINAFACE.file))
    assert len(read_detector(find_detector(data_root))) == 300
