"""All results by one command: what is found to be done, that only this is done, and that it goes on after a stop."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner
from eyes import Thumbnail, thumbnail
from made_submissions import ATTACK, write_submission
from test_run import LOOK, place, run, write_protocol

from benchmark import results, runner
from benchmark.cli import main
from benchmark.errors import InvalidInputError
from benchmark.filing import same_result
from benchmark.recognisers.lbp import LocalBinaryPatterns
from benchmark.record import Record, read_record
from benchmark.results import bring_up_to_date, survey
from benchmark.scores import read_scores, score_path
from benchmark.store import Store

__all__ = ["place", "thumbnail"]

BOARD = Path("board")
FURTHER = {"recognisers": ["thumbnail"], "attacks": ["look"]}


@pytest.fixture
def filed(place: Path, thumbnail: Thumbnail) -> Path:
    """A board with the records of two protocols: `small` (one job) and `two` (two jobs)."""
    del thumbnail
    write_submission(place / "submissions", "stare", LOOK, ATTACK)
    two(place)
    run("small")
    run("two")
    return place


def two(place: Path, **keys: object) -> None:
    write_protocol(place, "two", attacks=[{"id": "look"}, {"id": "stare"}], **keys)


def change(place: Path, attack: str, line: str, by: str) -> None:
    method = place / "submissions" / "attacks" / attack / "method.py"
    assert line in method.read_text()
    method.write_text(method.read_text().replace(line, by))


def found(*only: str) -> dict[str, dict[str, tuple[str, str]]]:
    return {one.protocol: dict(one.reasons) for one in survey(board=BOARD, only=only).due}


def record_file(attack: str = "look", protocol: str = "two") -> Path:
    return BOARD / "records" / protocol / "mirror" / f"{attack}.json"


def test_a_board_that_is_up_to_date_has_nothing_to_do(filed: Path) -> None:
    assert found() == {}
    lines = survey(board=BOARD).lines(jobs=True)
    assert lines == ["every record of 2 protocols is there and up to date"]


def test_missing_damaged_failed_stale_and_incomplete_records_are_found(filed: Path) -> None:
    record_file("stare").unlink()
    assert found() == {"two": {"mirror / stare": ("missing", "no record")}}
    record_file("stare").write_text("{")
    assert found()["two"]["mirror / stare"][0] == "damaged"
    content = json.loads(record_file("look", "small").read_text())
    record_file("look", "small").write_text(json.dumps({**content, "status": "timeout", "reason": "slept"}))
    assert found()["small"] == {"mirror / look": ("failed", "timeout (slept)")}
    two(filed, further_recognisers=FURTHER)
    assert found()["two"]["mirror / look"] == ("incomplete", "lacks thumbnail")
    change(filed, "look", "return evidence.protected", "return evidence.protected.copy()")
    assert found()["two"]["mirror / look"] == ("stale", "attack look has changed")
    two(filed, bootstrap={"resamples": 51})
    assert found()["two"]["mirror / look"][1] == "protocol two has changed; attack look has changed"


def test_a_record_without_its_scores_is_missing(filed: Path) -> None:
    (BOARD / "scores/two/mirror/look.npz").unlink()
    assert found() == {"two": {"mirror / look": ("missing", "no score file")}}


def test_only_what_is_due_is_run_and_then_nothing_is_due(filed: Path) -> None:
    two(filed, further_recognisers=FURTHER)
    before = record_file("stare").stat().st_mtime_ns
    said: list[str] = []
    assert bring_up_to_date(survey(board=BOARD), said.append)
    assert "[1 of 1] two: 1 of 2 jobs (1 incomplete)" in said[0]
    assert set(read_record(record_file("look")).recognisers) == {"lbp", "thumbnail"}
    assert record_file("stare").stat().st_mtime_ns == before
    assert found() == {}
    assert runner.regenerate_board(BOARD, check_only=True)[1] == []


def test_what_recognisers_saw_before_is_not_seen_again(filed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    two(filed, further_recognisers=FURTHER)
    cost = read_record(record_file("look")).cost
    shutil.rmtree(Path("store"))
    embedded: list[int] = []
    embed = LocalBinaryPatterns.embed
    monkeypatch.setattr(LocalBinaryPatterns, "embed", lambda own, s: embedded.append(len(s)) or embed(own, s))
    assert bring_up_to_date(survey(board=BOARD), lambda _: None)
    assert not embedded
    assert read_record(record_file("look")).cost == cost  # another day's times would not compare with other settings'
    once = record_file("look").read_bytes()
    shutil.rmtree(Path("store"))
    record_file("look").unlink()
    assert bring_up_to_date(survey(board=BOARD), lambda _: None)
    assert embedded
    assert same_result(read_record(record_file("look")), Record.model_validate_json(once))
    names = "two", "mirror", "look"
    assert standing_flags(once) == standing_flags(record_file("look").read_bytes())
    held = read_scores(score_path(BOARD, *names))
    assert set(held) == {"protected-protected", "protected-original", "recovered"}
    assert all(set(by_recogniser) == {"lbp", "thumbnail"} for by_recogniser in held.values())


def standing_flags(record: bytes) -> list[object]:
    return list(json.loads(record)["flags"])


def test_a_record_that_shows_other_images_is_computed_anew(filed: Path) -> None:
    two(filed, further_recognisers=FURTHER)
    content = json.loads(record_file("look").read_text())
    content["failures"]["attack"] = 1
    content["results"]["protected-protected"]["lbp"]["eer"]["value"] = 0.123
    record_file("look").write_text(json.dumps(content))
    assert bring_up_to_date(survey(board=BOARD), lambda _: None)
    made = read_record(record_file("look"))
    assert made.failures.attack == 0
    assert made.results["protected-protected"]["lbp"]["eer"].value != 0.123


def test_after_a_stop_only_the_rest_is_due(filed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for attack in ("look", "stare"):
        record_file(attack).unlink()
    write = runner.file_record

    def stop_at_the_second(*what: object) -> str:
        if record_file("look").exists() or record_file("stare").exists():
            raise KeyboardInterrupt
        return write(*what)  # type: ignore[arg-type]

    monkeypatch.setattr(runner, "file_record", stop_at_the_second)
    with pytest.raises(KeyboardInterrupt):
        bring_up_to_date(survey(board=BOARD), lambda _: None)
    monkeypatch.setattr(runner, "file_record", write)
    assert list(found()["two"].values()) == [("missing", "no record")]  # one of the two
    assert bring_up_to_date(survey(board=BOARD), lambda _: None)
    assert found() == {}


def test_patterns_choose_protocols_or_jobs(filed: Path) -> None:
    for path in BOARD.rglob("*.json"):
        path.unlink()
    assert list(found()) == ["small", "two"]
    assert list(found("t*")) == ["two"]
    assert found("two/*/stare") == {"two": {"mirror / stare": ("missing", "no record")}}
    assert list(found("small", "two/*/look")) == ["small", "two"]
    with pytest.raises(InvalidInputError, match="--only 'none' fits no protocol and no job; on the board: small, two"):
        found("small", "none")


def test_records_that_belong_to_nothing_here_are_named_and_left(filed: Path) -> None:
    runner.execute(runner.order("small", attacks=["stare"]), workers=1, board=BOARD)
    (filed / "protocols" / "two.yaml").unlink()
    record_file("look", "two").unlink()
    lines = survey(board=BOARD).lines(jobs=False)
    assert lines[:2] == [
        "two: left as it is, as there is no such protocol",
        "small: 1 records of settings that it does not list are left as they are",
    ]


def test_the_command_says_what_it_will_do_and_a_dry_run_does_nothing(filed: Path) -> None:
    record_file("stare").unlink()
    result = CliRunner().invoke(main, ["results", "--dry-run", "--board", "board"])
    assert result.exit_code == 0, result.output
    assert (
        "two: 1 of 2 jobs (1 missing), under a minute, 0.0 GiB in the store\n  mirror / stare: no record\n"
        in result.output
    )
    assert "measured here, CPU milliseconds a sample: lbp " in result.output
    assert "in all: 1 jobs of 1 protocols, under a minute on " in result.output
    assert not record_file("stare").exists()
    again = CliRunner().invoke(main, ["results", "--board", "board", "--workers", "1"])
    assert again.exit_code == 0, again.output
    assert record_file("stare").exists()


def test_a_job_that_fails_ends_the_command_with_1_and_the_others_are_done(filed: Path) -> None:
    change(filed, "stare", "return evidence.protected", "raise RuntimeError('no luck')")
    record_file("look").unlink()
    result = CliRunner().invoke(main, ["results", "--board", "board", "--workers", "1"])
    assert result.exit_code == 1
    assert "mirror / stare: failed:" in result.output
    assert "no luck" in result.output
    assert read_record(record_file("look")).status == "ok"
    assert found()["two"]["mirror / stare"][0] == "failed"  # the next call tries it once more


def test_a_board_without_records_is_refused_in_one_line(place: Path) -> None:
    result = CliRunner().invoke(main, ["results", "--board", str(place)])
    assert result.exit_code == 2
    assert result.output.startswith(f"veilbench: no records under {place}; run a protocol first")


def test_the_store_is_pruned_to_what_leaves_room(filed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record_file("stare").unlink()
    [due] = survey(board=BOARD).due
    store = Store(filed / "store")
    used = sum(size for _, size in store.sizes().values())

    def disk_with(free: int) -> None:
        usage = type("Usage", (), {"free": free})
        monkeypatch.setattr(results.shutil, "disk_usage", lambda _: usage)
        results._make_room(due)

    disk_with(100 << 30)
    assert sum(size for _, size in store.sizes().values()) == used
    need = int(due.estimate.size) + results.SPARE
    disk_with(need - used // 2)
    assert 0 < sum(size for _, size in store.sizes().values()) <= used // 2 + 1
    disk_with(0)
    assert store.sizes() == {}
