"""The artefact store: round trips, damage, pruning, two writers, a full disk."""

from __future__ import annotations

import errno
import os
import threading
from pathlib import Path

import numpy as np
import pytest

from benchmark.digest import digest
from benchmark.errors import InvalidInputError
from benchmark.store import Artefact, Store, write_atomically


def artefact(value: int, size: int = 1000) -> Artefact:
    return Artefact({"x": np.full(size, value, np.float32)}, {"seconds": 0.5, "value": value})


def test_round_trip(tmp_path: Path) -> None:
    store = Store(tmp_path)
    assert store.get("templates", "ab12") is None
    store.put("templates", "ab12", artefact(7))
    found = store.get("templates", "ab12")
    assert found is not None
    assert found.header == {"seconds": 0.5, "value": 7}
    np.testing.assert_array_equal(found.arrays["x"], np.full(1000, 7, np.float32))


@pytest.mark.parametrize(
    ("values", "bytes_each"),
    [([0, 1, 255], 1), ([0, 1, 256], 4), ([0.5, 1, 2], 4), ([-0.0, 1, 2], 4), ([0, np.nan, 1], 4), ([0, 1, -3], 4)],
)
def test_whole_floats_are_filed_as_bytes_and_come_back_as_they_were(
    tmp_path: Path, values: list[float], bytes_each: int
) -> None:
    store = Store(tmp_path)
    array = np.array([values] * 5000, np.float32)
    store.put("templates", "ab12", Artefact({"x": array}, {}))
    found = store.get("templates", "ab12")
    assert found is not None
    assert found.arrays["x"].dtype == np.float32
    assert found.arrays["x"].tobytes() == array.tobytes()
    assert 0 <= store.path("templates", "ab12").stat().st_size - bytes_each * array.size < 2000


@pytest.mark.parametrize("damage", ["truncate", "flip", "empty", "foreign"])
def test_a_damaged_artefact_is_deleted_with_a_warning(tmp_path: Path, damage: str) -> None:
    warnings: list[str] = []
    store = Store(tmp_path, warn=warnings.append)
    store.put("protected", "cd34", artefact(1))
    path = store.path("protected", "cd34")
    blob = bytearray(path.read_bytes())
    blob[len(blob) // 2] ^= 1
    path.write_bytes(
        {"truncate": bytes(blob[:-9]), "flip": bytes(blob), "empty": b"", "foreign": b"PK\x03\x04" * 50}[damage]
    )
    assert store.get("protected", "cd34") is None
    assert not path.exists()
    assert len(warnings) == 1
    assert "damaged artefact protected/cd34" in warnings[0]


def test_prune_takes_bulky_kinds_first_then_the_least_used(tmp_path: Path) -> None:
    store = Store(tmp_path)
    for number, (kind, key) in enumerate([("templates", "aa"), ("protected", "bb"), ("protected", "cc")]):
        store.put(kind, key, artefact(number))
        os.utime(store.path(kind, key), (1000 + number, 1000 + number))
    store.get("protected", "bb")  # used just now
    one = store.sizes()["templates"][1]
    assert store.prune(2 * one) == (1, one)
    assert store.has("protected", "bb")
    assert not store.has("protected", "cc")
    store.prune(one)
    assert store.has("templates", "aa")
    assert store.prune(0, kind="protected") == (0, 0)
    assert store.prune(0) == (1, one)
    assert store.sizes() == {}


def test_two_runs_may_write_and_read_the_same_artefact(tmp_path: Path) -> None:
    """Many writers of one key: a reader sees nothing or a whole artefact, never a part of one."""
    warnings: list[str] = []
    wrong: list[float] = []

    def work() -> None:
        store = Store(tmp_path, warn=warnings.append)
        for _ in range(30):
            store.put("protected", "ef56", artefact(5, 20_000))
            found = store.get("protected", "ef56")
            if found is None or found.arrays["x"].sum() != 100_000:
                wrong.append(1)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not warnings
    assert not wrong
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["ef56"]


def test_a_full_disk_is_one_line_and_keeps_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "record.json"
    write_atomically(path, b"old")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(InvalidInputError, match=r"disk full: cannot write to .* MiB free\); free some space"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["record.json"]


def test_a_really_full_file_system(tmp_path: Path) -> None:
    """/dev/full says ENOSPC on write; a folder cannot stand there, so a limit on the file size is the nearest thing."""
    resource = pytest.importorskip("resource", reason="no resource limits on this system")
    store = Store(tmp_path)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    signal = pytest.importorskip("signal")
    old = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        with pytest.raises(InvalidInputError, match="cannot use"):
            store.put("protected", "gh78", artefact(1, 10_000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, old)
    assert store.get("protected", "gh78") is None
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_a_store_that_may_only_be_read_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(tmp_path, warn=lambda _: None)
    store.put("protected", "aa01", artefact(3))
    store.put("protected", "aa02", artefact(3))
    store.path("protected", "aa02").write_bytes(b"damaged")

    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(os, "utime", refuse)
    monkeypatch.setattr(Path, "unlink", refuse)
    found = store.get("protected", "aa01")
    assert found is not None
    assert found.arrays["x"].tolist() == artefact(3).arrays["x"].tolist()
    assert store.get("protected", "aa02") is None


def test_an_unwritable_folder_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(InvalidInputError, match="make it writable, or choose another place"):
        Store(tmp_path / "file").put("protected", digest("x"), artefact(1))
