from __future__ import annotations

import zipfile

import numpy as np
import pytest

from benchmark.errors import InvalidInputError
from benchmark.metrics.binned_scores import BinnedScores
from benchmark.score_sets.counts import ScoreCounts, counts_digest, holds_counts, read_counts, write_counts
from benchmark.scores import write_scores


def counts(mated: int = 420, non_mated: int = 900, seed: int = 0) -> ScoreCounts:
    random = np.random.default_rng(seed)
    binned = BinnedScores.of(random.normal(1, size=mated), random.normal(size=non_mated))
    return ScoreCounts(binned.edges, binned.mated_counts.astype(np.uint32), binned.non_mated_counts.astype(np.uint32))


TABLE = {"same-key": {"net": counts(), "lbp": counts(30, 40)}, "unprotected": {"net": counts(5000, 9, seed=1)}}


def test_what_was_written_is_read(tmp_path) -> None:
    write_counts(tmp_path / "c.npz", TABLE)
    again = read_counts(tmp_path / "c.npz")
    assert {scenario: set(held) for scenario, held in again.items()} == {
        "same-key": {"net", "lbp"},
        "unprotected": {"net"},
    }
    for scenario, held in TABLE.items():
        for name, kept in held.items():
            assert all(
                np.array_equal(x, y) and x.dtype == y.dtype for x, y in zip(kept, again[scenario][name], strict=True)
            )
    assert counts_digest(again) == counts_digest(TABLE)
    assert holds_counts(tmp_path / "c.npz")


def test_files_are_byte_stable_and_digests_see_every_count(tmp_path) -> None:
    write_counts(tmp_path / "a.npz", TABLE)
    write_counts(tmp_path / "b.npz", dict(reversed(TABLE.items())))
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    one = TABLE["same-key"]["net"]
    mated = one.mated.copy()
    mated[np.flatnonzero(mated)[0]] -= 1
    mated[-1] += 1
    moved = one._replace(mated=mated)
    assert counts_digest({"s": {"r": one}}) != counts_digest({"s": {"r": moved}})


def test_other_edges_are_not_written(tmp_path) -> None:
    one = TABLE["same-key"]["net"]
    with pytest.raises(ValueError, match="same-key/net: edges are not those of 420 mated scores"):
        write_counts(tmp_path / "c.npz", {"same-key": {"net": one._replace(edges=one.edges**3)}})


def test_damaged_and_other_files_are_refused(tmp_path) -> None:
    file = tmp_path / "c.npz"
    with pytest.raises(InvalidInputError, match="No such file"):
        read_counts(file)
    write_scores(file, {"same-key": {"lbp": np.zeros(3, np.float32)}})
    assert not holds_counts(file)
    with pytest.raises(InvalidInputError, match="no file of score counts"):
        read_counts(file)
    write_counts(file, TABLE)
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr("same-key/net/mated.npy", b"nothing")
    with pytest.raises(InvalidInputError, match="no file of score counts"):
        read_counts(file)
    file.write_bytes(b"PK")
    assert not holds_counts(file)
