"""The container: what was written comes back; what is damaged is refused by file and byte."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from record_files import MAGIC, framed, write_records

from benchmark.datasets.recordio import RecordFile
from benchmark.errors import InvalidInputError

RECORDS = {0: b"first", 3: b"", 1: b"a" + MAGIC + b"b", 7: MAGIC + b"xy" + MAGIC + MAGIC + b"z" * 9, 2: b"last one"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_records(tmp_path, RECORDS)
    return tmp_path


def opened(folder: Path) -> RecordFile:
    return RecordFile(folder / "train.rec", folder / "train.idx")


def test_the_example_is_what_dmlc_writes() -> None:
    assert framed(b"abcde") == MAGIC + b"\5\0\0\0" + b"abcde\0\0\0"
    assert framed(MAGIC) == MAGIC + b"\0\0\0\x20" + MAGIC + b"\0\0\0\x60"  # first and last part, both empty


def test_any_order_and_the_files_order(folder: Path) -> None:
    records = opened(folder)
    assert {key: records.read(key) for key in reversed(RECORDS)} == RECORDS
    assert list(records.items()) == list(RECORDS.items())
    assert records.keys() == list(RECORDS)
    assert len(records) == 5
    assert 7 in records
    assert 4 not in records
    with pytest.raises(KeyError):
        records.read(4)


def test_without_an_index_keys_count_from_0(folder: Path) -> None:
    assert list(RecordFile(folder / "train.rec").items()) == list(enumerate(RECORDS.values()))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(st.sampled_from([b"", b"a", b"bc", b"def", MAGIC, MAGIC[:3]]), max_size=6), max_size=5))
def test_round_trip(tmp_path: Path, records: list[list[bytes]]) -> None:
    written = {key: b"".join(pieces) for key, pieces in enumerate(records)}
    write_records(tmp_path, written)
    assert dict(opened(tmp_path).items()) == written
    assert dict(RecordFile(tmp_path / "train.rec").items()) == written


def test_a_truncated_rec_is_refused_wherever_it_is_cut(folder: Path) -> None:
    path = folder / "train.rec"
    whole = path.read_bytes()
    for size in range(len(whole)):
        path.write_bytes(whole[:size])
        with pytest.raises(InvalidInputError, match=r"^[^\n]*train\.rec: damaged at byte \d+: [^\n]*$"):
            opened(folder)
        starts = [sum(len(framed(record)) for record in list(RECORDS.values())[:n]) for n in range(5)]
        if size not in starts:  # without an index, a cut between records cannot be seen
            with pytest.raises(InvalidInputError, match="damaged at byte"):
                RecordFile(path)


def test_a_truncated_idx_is_refused_wherever_it_is_cut(folder: Path) -> None:
    path = folder / "train.idx"
    whole = path.read_bytes().rstrip()
    for size in range(len(whole)):
        path.write_bytes(whole[:size])
        with pytest.raises(InvalidInputError, match=r"train\.(idx|rec)"):
            list(opened(folder).items())


def test_a_record_that_the_index_leaves_out_is_noticed(folder: Path) -> None:
    path = folder / "train.idx"
    path.write_text("".join(line for line in path.read_text().splitlines(keepends=True) if not line.startswith("1\t")))
    with pytest.raises(InvalidInputError, match="the index has the next one at"):
        list(opened(folder).items())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("0 zero", r"train\.idx:1: expected a key and a byte"),
        ("0\t0\n1", r"train\.idx:2: expected"),
        ("0\t-4", r"train\.idx:1: expected"),
        ("0\t0\n0\t16", "key 0 occurs twice"),
        ("0\t0\n1\t0", "byte 0 occurs twice"),
        ("0\t4", "the index begins at byte 4"),
        ("0\t0\n1\t99999999", r"train\.rec: damaged at byte 99999999: truncated"),
        ("0\t0\n1\t9", "no record starts here"),
        ("", "records that .* leaves out"),
    ],
)
def test_a_damaged_idx_is_refused(folder: Path, text: str, said: str) -> None:
    (folder / "train.idx").write_text(text)
    with pytest.raises(InvalidInputError, match=said):
        opened(folder)


def test_a_damaged_frame_is_refused_when_it_is_read(folder: Path) -> None:
    path = folder / "train.rec"
    content = bytearray(path.read_bytes())
    content[0] ^= 1
    path.write_bytes(content)
    records = opened(folder)
    with pytest.raises(InvalidInputError, match="damaged at byte 0: no record starts here"):
        records.read(0)
    assert records.read(2) == b"last one"


def test_lost_parts_are_noticed(tmp_path: Path) -> None:
    first, last = framed(MAGIC)[:8], framed(MAGIC)[8:]
    for content, said in ((first + framed(b"x"), "last part"), (last, "later part"), (first, "truncated")):
        (tmp_path / "train.rec").write_bytes(content)
        with pytest.raises(InvalidInputError, match=said):
            RecordFile(tmp_path / "train.rec")


def test_a_missing_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match=r"train\.rec: cannot be read"):
        RecordFile(tmp_path / "train.rec")
