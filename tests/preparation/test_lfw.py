"""LFW through scikit-learn's own downloader, from archives of its layout; nothing of the user's is touched."""

from __future__ import annotations

import hashlib
import io
import tarfile
import urllib.error
from pathlib import Path

import pytest
from photographs import photograph
from sklearn.datasets import _base, _lfw
from sklearn.datasets._base import RemoteFileMetadata

from benchmark.errors import InvalidInputError
from benchmark.preparation import lfw
from benchmark.preparation.lfw import fetch_lfw, lfw_shortfall

NAMES = ("Ann_Lee/Ann_Lee_0001.jpg", "Ann_Lee/Ann_Lee_0002.jpg", "Bo_Ek/Bo_Ek_0001.jpg")


def archive(folder: Path) -> bytes:
    """A small archive of the layout of the real one: photographs and lists under `lfw_funneled/`."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as tar:
        for number, name in enumerate(NAMES):
            tar.add(photograph(folder / name, seed=number), f"lfw_funneled/{name}")
        tar.addfile(tarfile.TarInfo("lfw_funneled/pairs_01.txt"))
    return file.getvalue()


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """What scikit-learn's server has: url -> content. Empty it, and nothing can be reached."""
    content = {"lfw-funneled.tgz": archive(tmp_path / "served")}
    content |= {name: name.encode() for name in ("pairsDevTrain.txt", "pairsDevTest.txt", "pairs.txt")}

    def entry(name: str) -> RemoteFileMetadata:
        return RemoteFileMetadata(name, f"https://example.invalid/{name}", hashlib.sha256(content[name]).hexdigest())

    monkeypatch.setattr(_lfw, "FUNNELED_ARCHIVE", entry("lfw-funneled.tgz"))
    monkeypatch.setattr(_lfw, "TARGETS", tuple(entry(name) for name in list(content)[1:]))
    monkeypatch.setattr(lfw, "CHECKSUM", entry("lfw-funneled.tgz").checksum)

    def retrieve(url: str, target: str) -> None:
        name = url.rpartition("/")[2]
        if name not in content:
            raise urllib.error.URLError("Name or service not known")
        Path(target).write_bytes(content[name])

    monkeypatch.setattr(_base, "urlretrieve", retrieve)
    monkeypatch.setattr(_base.time, "sleep", lambda seconds: None)
    return content


def tree(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()
    }


def test_it_is_downloaded_into_the_usual_folder(served: dict[str, bytes], tmp_path: Path) -> None:
    home = tmp_path / "scikit_learn_data"
    photographs = fetch_lfw(home)
    assert photographs == home / "lfw_home" / "lfw_funneled"
    assert [name for name in tree(photographs) if name.endswith(".jpg")] == sorted(NAMES)
    assert sorted(path.name for path in photographs.parent.iterdir()) == [
        "lfw_funneled", "pairs.txt", "pairsDevTest.txt", "pairsDevTrain.txt",
    ]  # fmt: skip
    assert "holds 3 photographs, not the 13233" in str(lfw_shortfall(photographs))


def test_scikit_learn_finds_what_was_fetched(served: dict[str, bytes], tmp_path: Path) -> None:
    fetch_lfw(tmp_path)
    served.clear()
    assert _lfw._check_fetch_lfw(str(tmp_path), download_if_missing=False)[1] == str(
        tmp_path / "lfw_home" / "lfw_funneled"
    )


def test_what_is_there_is_used_and_nothing_is_downloaded(served: dict[str, bytes], tmp_path: Path) -> None:
    served.clear()
    photograph(tmp_path / "lfw_home" / "lfw_funneled" / NAMES[0], seed=77)
    before = tree(tmp_path / "lfw_home")
    fetch_lfw(tmp_path)
    assert tree(tmp_path / "lfw_home") == before


def test_an_archive_that_lies_there_is_used_and_stays(served: dict[str, bytes], tmp_path: Path) -> None:
    home = tmp_path / "home" / "lfw_home"
    home.mkdir(parents=True)
    for name, content in served.items():
        (home / name).write_bytes(content)
    unpacked = photograph(home / "lfw" / NAMES[0], seed=78)  # the other variant, unpacked by hand
    kept = {**served, "lfw/" + NAMES[0]: unpacked.read_bytes()}
    served.clear()
    fetch_lfw(tmp_path / "home")
    assert kept.items() <= tree(home).items()
    assert not (home / ".veilbench-fetch").exists()


def test_another_archive_of_that_name_is_refused_and_stays(served: dict[str, bytes], tmp_path: Path) -> None:
    path = tmp_path / "lfw_home" / "lfw-funneled.tgz"
    path.parent.mkdir()
    path.write_bytes(b"half an archive")
    with pytest.raises(InvalidInputError, match=r"lfw-funneled\.tgz: SHA-256 is .* expected"):
        fetch_lfw(tmp_path)
    assert path.read_bytes() == b"half an archive"


def test_a_fetch_that_was_killed_while_it_unpacked_starts_that_again(
    served: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(tar: tarfile.TarFile, path: str) -> None:
        photograph(Path(path) / "lfw_funneled" / "Half" / "Half_0001.jpg")
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(_lfw, "tarfile_extractall", dies)
        with pytest.raises(KeyboardInterrupt):
            fetch_lfw(tmp_path)
    assert not (tmp_path / "lfw_home" / "lfw_funneled").exists()
    served.pop("lfw-funneled.tgz")  # what was downloaded is not downloaded again
    photographs = fetch_lfw(tmp_path)
    assert [name for name in tree(photographs) if name.endswith(".jpg")] == sorted(NAMES)


def test_offline_is_one_line_that_says_what_to_do(served: dict[str, bytes], tmp_path: Path) -> None:
    served.clear()
    with pytest.raises(InvalidInputError, match=r"^cannot download LFW \(.*not known.*\); go online .*$") as error:
        fetch_lfw(tmp_path)
    assert str(tmp_path / "lfw_home") in str(error.value)
    assert ".veilbench-fetch" not in str(error.value).replace(f"{tmp_path / 'lfw_home'}", "")


def test_a_damaged_download_is_refused(served: dict[str, bytes], tmp_path: Path) -> None:
    served["lfw-funneled.tgz"] = served["lfw-funneled.tgz"][:-100]
    with pytest.raises(InvalidInputError, match="checksum"):
        fetch_lfw(tmp_path)
    assert not (tmp_path / "lfw_home" / "lfw_funneled").exists()
