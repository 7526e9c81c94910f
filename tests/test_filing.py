"""A record is filed once with its scores; a rerun that reproduces it leaves the files alone."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from records import record

from benchmark.filing import file_record, same_result
from benchmark.record import Record, ScoreFile, read_record, record_path
from benchmark.scores import ScoreTable, score_path, scores_digest

SCORES = {"protected-protected": {"net": np.array([0.1, 0.7, -np.inf], np.float32)}}
NAMES = "demo", "jpeg2000-window@a", "direct-decode"


def with_scores(scores: ScoreTable, **changes: object) -> Record:
    file = score_path(Path(), *NAMES).as_posix()
    return record(**changes).model_copy(update={"scores": ScoreFile(digest=scores_digest(scores), file=file)})


def filed(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def nudged(by: float) -> dict[str, dict[str, np.ndarray]]:
    return {"protected-protected": {"net": SCORES["protected-protected"]["net"] + np.float32(by)}}


def test_a_rerun_with_other_times_on_another_machine_leaves_the_files_untouched(tmp_path: Path) -> None:
    first = with_scores(SCORES)
    assert file_record(tmp_path, first, SCORES) == "written"
    before = filed(tmp_path)
    assert set(before) == {f"records/{'/'.join(NAMES)}.json", f"scores/{'/'.join(NAMES)}.npz"}
    elsewhere = first.environment.model_copy(update={"cpu": "another", "git_commit": "f" * 40})
    slower = first.cost.model_copy(update={"protect_ms": None})
    rerun = first.model_copy(update={"environment": elsewhere, "cost": slower})
    assert same_result(first, rerun)
    assert file_record(tmp_path, rerun, SCORES) == "unchanged"
    assert filed(tmp_path) == before


def test_another_processors_last_bits_leave_the_files_untouched(tmp_path: Path) -> None:
    file_record(tmp_path, with_scores(SCORES), SCORES)
    before = filed(tmp_path)
    near = with_scores(nudged(3e-6), eers={"protected-protected": {"lbp": 0.400001, "net": 0.3}})
    assert near.scores != with_scores(SCORES).scores
    assert file_record(tmp_path, near, nudged(3e-6)) == "unchanged"
    assert filed(tmp_path) == before


def test_other_scores_are_another_result(tmp_path: Path) -> None:
    file_record(tmp_path, with_scores(SCORES), SCORES)
    assert file_record(tmp_path, with_scores(nudged(1e-3)), nudged(1e-3)) == "written"
    failed = {"protected-protected": {"net": np.array([0.101, 0.701, 0.5], np.float32)}}
    assert file_record(tmp_path, with_scores(failed), failed) == "written"
    more = failed | {"recovered": failed["protected-protected"]}
    assert file_record(tmp_path, with_scores(more), more) == "written"


def test_lost_or_damaged_scores_are_filed_again(tmp_path: Path) -> None:
    file_record(tmp_path, with_scores(SCORES), SCORES)
    before = filed(tmp_path)
    scores = score_path(tmp_path, *NAMES)
    scores.unlink()
    assert file_record(tmp_path, with_scores(SCORES), SCORES) == "written"
    scores.write_bytes(b"PK")
    assert file_record(tmp_path, with_scores(SCORES), SCORES) == "written"
    assert filed(tmp_path) == before


@pytest.mark.parametrize(
    "changes",
    [
        {"resamples": 999},
        {"status": "timeout", "reason": "took too long"},
        {"cost": {"encrypted_share": 0.05}},
        {"visual": {}},
        {"eers": {"protected-protected": {"lbp": 0.4001, "net": 0.3}}},
        {"eers": {"protected-protected": {"lbp": 0.4}}},
    ],
)
def test_another_result_is_written(tmp_path: Path, changes: dict[str, object]) -> None:
    made = with_scores(SCORES, **changes)
    file_record(tmp_path, with_scores(SCORES), SCORES)
    assert not same_result(with_scores(SCORES), made)
    assert file_record(tmp_path, made, SCORES) == "written"
    assert read_record(record_path(tmp_path, *NAMES)) == made


def test_a_failed_job_replaces_one_that_had_scores(tmp_path: Path) -> None:
    file_record(tmp_path, with_scores(SCORES), SCORES)
    made = record(status="failed", reason="it failed", scores=None)
    assert file_record(tmp_path, made, None) == "written"
    assert file_record(tmp_path, made, None) == "unchanged"


def complying(**refused: int | None) -> Record:
    """A record with decoders that refused so many of 64 samples; None: not installed."""
    found = {
        name: {"version": None if count is None else "1", "streams": 64 * (count is not None), "failures": count or 0}
        for name, count in refused.items()
    }
    made = record(scores=None).model_dump(mode="json")
    return Record.model_validate_json(json.dumps(made | {"cost": made["cost"] | {"compliance": found}}))


def test_compliance_is_filed_once_and_not_lost_to_a_machine_with_fewer_decoders(tmp_path: Path) -> None:
    file_record(tmp_path, complying(), None)
    assert file_record(tmp_path, complying(pillow=0, ffmpeg=0), None) == "written"
    for rerun in (complying(), complying(pillow=0), complying(pillow=0, ffmpeg=None)):
        assert file_record(tmp_path, rerun, None) == "unchanged"
    assert read_record(record_path(tmp_path, *NAMES)) == complying(pillow=0, ffmpeg=0)
    assert file_record(tmp_path, complying(pillow=0, ffmpeg=0, imagecodecs=0), None) == "written"
    assert file_record(tmp_path, complying(pillow=1), None) == "written"


def test_a_damaged_record_is_replaced(tmp_path: Path) -> None:
    path = record_path(tmp_path, *NAMES)
    path.parent.mkdir(parents=True)
    path.write_text("{")
    assert file_record(tmp_path, record(scores=None), None) == "written"
    assert read_record(path) == record(scores=None)
