"""Split files: the committed ones against LFW's own list, and every way to write one wrongly."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from benchmark.datasets import open_dataset, read_lfw_pairs_txt, read_pairs, write_pairs
from benchmark.datasets.pairs import Row
from benchmark.errors import InvalidInputError

SPLITS = Path(__file__).resolve().parents[2] / "protocols" / "splits"
GOOD = "fold,genuine,a,b\n1,1,ann/1,ann/2\n1,0,ann/2,bob/1\n2,1,bob/1,bob/2\n"


def test_indices_name_the_samples_in_order_of_first_appearance(tmp_path: Path) -> None:
    path = tmp_path / "split.csv"
    path.write_text(GOOD)
    pairs = read_pairs(path)
    assert len(pairs) == 3
    assert pairs.ids == ("ann/1", "ann/2", "bob/1", "bob/2")
    assert pairs.subjects == ("ann", "ann", "bob", "bob")
    assert pairs.a_index.tolist() == [0, 1, 2]
    assert pairs.b_index.tolist() == [1, 2, 3]
    assert pairs.genuine.tolist() == [True, False, True]
    assert pairs.fold.tolist() == [1, 1, 2]
    assert pairs.digest == hashlib.sha256(GOOD.encode()).hexdigest()


def test_writing_is_the_inverse_of_reading(tmp_path: Path) -> None:
    path = tmp_path / "split.csv"
    write_pairs(path, [Row(1, True, "ann/1", "ann/2"), Row(1, False, "ann/2", "bob/1"), Row(2, True, "bob/1", "bob/2")])
    assert path.read_text() == GOOD
    write_pairs(path, [Row(1, True, 'Smith, "Ann"/1', 'Smith, "Ann"/2')])
    assert read_pairs(path).ids == ('Smith, "Ann"/1', 'Smith, "Ann"/2')


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        ("1,1,ann/1", "expected 4 columns"),
        ("1,1,ann/1,ann/2,x", "expected 4 columns"),
        ("", "expected 4 columns"),
        ("0,1,ann/1,ann/2", "fold '0'"),
        ("-1,1,ann/1,ann/2", "fold '-1'"),
        (f"{'9' * 30},1,ann/1,ann/2", "9 digits at most"),
        ("²,1,ann/1,ann/2", "fold '²'"),
        ("1,yes,ann/1,ann/2", "genuine 'yes'"),
        ("1,1,ann/1,ann", "sample id 'ann'"),
        ("1,1,ann/1,/2", "sample id '/2'"),
        ("1,1,ann/1,bob/2", "say otherwise"),
        ("1,0,ann/1,ann/2", "say otherwise"),
        ("1,1,ann/1,ann/1", "with itself"),
    ],
)
def test_malformed_rows_are_named_by_file_and_row(tmp_path: Path, row: str, fault: str) -> None:
    path = tmp_path / "split.csv"
    path.write_text(GOOD + row + "\n")
    with pytest.raises(InvalidInputError, match=rf"^[^\n]*split\.csv:5: [^\n]*{fault}[^\n]*$"):
        read_pairs(path)


@pytest.mark.parametrize(
    "content", [b"", b"a,b\n", b"fold,genuine,a,b\n", b"\xff\xfe", b"fold,genuine,a,b\n1,1,a/1,a\0/2\n"]
)
def test_files_that_are_no_splits(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "split.csv"
    path.write_bytes(content)
    with pytest.raises(InvalidInputError, match=r"split\.csv"):
        read_pairs(path)


def test_absent_file(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="no split file"):
        read_pairs(tmp_path / "none.csv")


def test_view2_has_the_published_shape() -> None:
    pairs = read_pairs(SPLITS / "lfw-view2.csv")
    assert (len(pairs), len(pairs.ids), len(set(pairs.subjects))) == (6000, 7701, 4281)
    for fold in range(1, 11):
        assert np.bincount(pairs.genuine[pairs.fold == fold]).tolist() == [300, 300]
    # View 2's folds share no person.
    folds: dict[str, set[int]] = {}
    for index in (pairs.a_index, pairs.b_index):
        for i, fold in zip(index, pairs.fold, strict=True):
            folds.setdefault(pairs.subjects[i], set()).add(int(fold))
    assert all(len(own) == 1 for own in folds.values())


def test_dev_is_the_balanced_prefix_of_view2() -> None:
    full, dev = (SPLITS / name for name in ("lfw-view2.csv", "lfw-view2-dev.csv"))
    assert full.read_text().startswith(dev.read_text())
    pairs = read_pairs(dev)
    assert len(pairs) == 1000
    for fold in range(1, 11):
        assert np.bincount(pairs.genuine[pairs.fold == fold]).tolist() == [50, 50]


def test_demo_is_subject_disjoint_and_balanced() -> None:
    pairs = read_pairs(SPLITS / "demo.csv")
    synthetic = open_dataset("synthetic", {}, None)
    assert [synthetic.subject(name) for name in pairs.ids] == list(pairs.subjects)
    people = [set() for _ in range(11)]
    for a, b, fold in zip(pairs.a_index, pairs.b_index, pairs.fold, strict=True):
        people[fold] |= {pairs.subjects[a], pairs.subjects[b]}
    assert sum(map(len, people)) == len(set().union(*people)) == 50
    assert np.bincount(pairs.fold[pairs.genuine]).tolist() == np.bincount(pairs.fold[~pairs.genuine]).tolist()
    unordered = {frozenset(pair) for pair in zip(pairs.a_index.tolist(), pairs.b_index.tolist(), strict=True)}
    assert len(unordered) == len(pairs) == 600


@pytest.mark.data
def test_view2_says_what_pairs_txt_says(data_root: Path, tmp_path: Path) -> None:
    source = data_root / "lfw" / "pairs.txt"
    write_pairs(tmp_path / "view2.csv", read_lfw_pairs_txt(source))
    assert (tmp_path / "view2.csv").read_bytes() == (SPLITS / "lfw-view2.csv").read_bytes()
    # Independently of the parser: each line, by its number, is one row.
    lines = source.read_text().splitlines()[1:]
    expected = set()
    for number, line in enumerate(lines):
        words, fold, genuine = line.split("\t"), number // 600 + 1, number % 600 < 300
        b = words[-2] if not genuine else words[0]
        expected.add((fold, genuine, f"{words[0]}_{int(words[1]):04}", f"{b}_{int(words[-1]):04}"))
    rows = read_lfw_pairs_txt(source)
    assert {(row.fold, row.genuine, row.a.split("/")[1], row.b.split("/")[1]) for row in rows} == expected


@pytest.mark.parametrize(
    "text",
    ["", "ten\tpairs\n", "1\t1\nann\t1\t2\n", "1\t1\nann\t1\tx\nann\t1\tbob\t2\n", "1\t1\nann\t1\t2\nann\t1\t2\n"],
)
def test_malformed_pairs_txt(tmp_path: Path, text: str) -> None:
    path = tmp_path / "pairs.txt"
    path.write_text(text)
    with pytest.raises(InvalidInputError, match=r"pairs\.txt"):
        read_lfw_pairs_txt(path)
