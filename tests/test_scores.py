from __future__ import annotations

import zipfile

import numpy as np
import pytest

from benchmark.errors import InvalidInputError
from benchmark.scores import read_scores, scores_digest, write_scores

TABLE = {
    "protected-protected": {"lbp": np.array([0.5, -np.inf], np.float32), "net": np.array([1, 2], np.float32)},
    "recovered": {"lbp": np.array([3, 4], np.float32)},
}


def test_what_is_read_is_what_was_written(tmp_path):
    path = tmp_path / "a" / "s.npz"
    write_scores(path, TABLE)
    found = read_scores(path)
    assert scores_digest(found) == scores_digest(TABLE)
    np.testing.assert_equal(found, TABLE)


def test_numpy_reads_the_file_without_pickle(tmp_path):
    write_scores(tmp_path / "s.npz", TABLE)
    with np.load(tmp_path / "s.npz", allow_pickle=False) as file:
        np.testing.assert_array_equal(file["protected-protected/net"], [1, 2])


def test_equal_scores_give_equal_bytes_whatever_their_order(tmp_path):
    write_scores(tmp_path / "a.npz", TABLE)
    write_scores(tmp_path / "b.npz", {key: dict(reversed(TABLE[key].items())) for key in reversed(TABLE)})
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


def test_the_digest_sees_names_and_values():
    renamed = {"recovered": TABLE["recovered"], "protected-original": TABLE["protected-protected"]}
    changed = {**TABLE, "recovered": {"lbp": np.array([3, 4.0000005], np.float32)}}
    assert len({scores_digest(table) for table in (TABLE, renamed, changed)}) == 3


def test_nan_is_never_written(tmp_path):
    with pytest.raises(ValueError, match="NaN"):
        write_scores(tmp_path / "s.npz", {"c": {"r": np.array([np.nan], np.float32)}})
    assert not (tmp_path / "s.npz").exists()


@pytest.mark.parametrize(
    "arrays",
    [
        {"c/r": np.zeros(2)},
        {"c/r": np.zeros((2, 2), np.float32)},
        {"c/r": np.array([np.nan], np.float32)},
        {"r": np.zeros(2, np.float32)},
        {"c/r": np.array([{}], object)},
    ],
)
def test_other_arrays_are_refused(tmp_path, arrays):
    np.savez(tmp_path / "s.npz", **arrays)
    with pytest.raises(InvalidInputError, match=r"s\.npz: not a readable score file"):
        read_scores(tmp_path / "s.npz")


def test_truncated_or_missing_files_are_named(tmp_path):
    path = tmp_path / "s.npz"
    write_scores(path, TABLE)
    whole = path.read_bytes()
    for length in range(0, len(whole), 37):
        path.write_bytes(whole[:length])
        with pytest.raises(InvalidInputError, match="not a readable score file"):
            read_scores(path)
    with pytest.raises(InvalidInputError, match="not a readable score file"):
        read_scores(tmp_path / "none.npz")


def test_flipped_bytes_are_noticed(tmp_path):
    path = tmp_path / "s.npz"
    write_scores(path, TABLE)
    whole = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        start = archive.infolist()[0].header_offset
    for position in range(start + 60, start + 200, 7):
        damaged = whole.copy()
        damaged[position] ^= 0xFF
        path.write_bytes(damaged)
        with pytest.raises(InvalidInputError, match="not a readable score file"):
            read_scores(path)
