"""Further recognisers in whole runs: who sees what, what stands, what is computed anew."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from eyes import Thumbnail, thumbnail
from made_submissions import ATTACK, write_submission
from test_run import LOOK, place, run, write_protocol

from benchmark import runner
from benchmark.errors import InvalidInputError
from benchmark.listing import listing
from benchmark.record import read_record
from benchmark.scores import read_scores

__all__ = ["place", "thumbnail"]

FURTHER = {"recognisers": ["thumbnail"], "attacks": ["look"]}


@pytest.fixture
def both(place: Path, thumbnail: Thumbnail) -> Path:
    """A protocol `both` of two attacks, of which `look` can be given a further recogniser."""
    del thumbnail
    write_submission(
        place / "submissions", "glance", LOOK.replace("evidence.protected", "evidence.protected[:, ::-1]"), ATTACK
    )
    write_protocol(place, "both", attacks=[{"id": "look"}, {"id": "glance"}])
    return place


def add_further(place: Path) -> None:
    write_protocol(place, "both", attacks=[{"id": "look"}, {"id": "glance"}], further_recognisers=FURTHER)


def test_a_further_recogniser_sees_its_attack_and_no_other(both: Path) -> None:
    add_further(both)
    report = run("both")
    assert not report.failed
    look = read_record(both / "board/records/both/mirror/look.json")
    glance = read_record(both / "board/records/both/mirror/glance.json")
    assert set(look.recognisers) == set(look.baseline) == {"lbp", "thumbnail"}
    assert set(look.utility.eer_after_recovery) == {"lbp", "thumbnail"}
    assert {name for seen in look.results.values() for name in seen} == {"lbp", "thumbnail"}
    assert set(glance.recognisers) == {"lbp"}
    scores = read_scores(both / "board/scores/both/mirror/look.npz")
    assert {(c, r): v.dtype for c, seen in scores.items() for r, v in seen.items()} == {
        (comparison, name): np.dtype(np.float32)
        for comparison in ("protected-protected", "protected-original", "recovered")
        for name in ("lbp", "thumbnail")
    }
    assert [problems for _, problems in runner.verify_records([both / "board/records"])] == [[], []]
    page = (both / "board/both.md").read_text()
    assert "look also through thumbnail" in page
    assert "No row is complete" not in page


def test_what_the_others_see_stays_what_it_was_bit_for_bit(both: Path) -> None:
    run("both")
    path = both / "board/records/both/mirror"
    before = {name: (path / f"{name}.json").read_bytes() for name in ("look", "glance")}
    old = read_record(path / "look.json")
    add_further(both)
    report = run("both")
    how = dict(zip([record.attack.id for record in report.records], report.filed, strict=True))
    assert how == {"look": "written", "glance": "unchanged"}
    assert (path / "glance.json").read_bytes() == before["glance"]
    new = read_record(path / "look.json")
    assert new.protocol == old.protocol
    for comparison, seen in old.results.items():
        assert new.results[comparison]["lbp"] == seen["lbp"]
        assert new.replicates[comparison]["lbp"] == old.replicates[comparison]["lbp"]


def test_until_it_is_run_its_rows_are_not_ranked_and_say_why(both: Path) -> None:
    run("both")
    add_further(both)
    folder, drifted = runner.regenerate_board(both / "board", check_only=False)
    assert set(drifted) == {folder / "both.md", folder / "README.md"}
    page = (folder / "both.md").read_text()
    assert "- mirror: look: not seen through thumbnail" in page
    assert "Stale" not in page
    run("both")
    assert "not seen through" not in (folder / "both.md").read_text()


def test_originals_are_embedded_for_the_recognisers_that_some_job_needs(both: Path) -> None:
    add_further(both)
    report = runner.execute(runner.order("both", attacks=["glance"]), workers=1, board=Path("board"))
    assert {stage for stage in report.run.stages if stage.startswith("recognise")} == {"recognise lbp"}
    assert len(list((both / "store" / "baseline").rglob("*/*"))) == 1


def test_a_choice_of_recognisers_files_nothing(both: Path) -> None:
    add_further(both)
    order = runner.order("both", recognisers=["thumbnail"])
    assert [job.name for job in order.plan.jobs] == ["mirror / look"]
    report = runner.execute(order, workers=1, board=Path("board"))
    assert report.filed == ("not filed",)
    assert set(report.records[0].recognisers) == {"thumbnail"}
    with pytest.raises(InvalidInputError, match="that a recogniser that was chosen sees"):
        runner.order("both", attacks=["glance"], recognisers=["thumbnail"])


def test_the_list_of_protocols_says_who_sees_what(both: Path) -> None:
    add_further(both)
    assert "lbp (look: also thumbnail)" in listing("protocols")


def test_worker_processes_know_who_sees_what(place: Path, data_root: Path) -> None:
    further = {"recognisers": ["mobilefacenet-ms1m"], "attacks": ["look"]}
    write_protocol(place, "network", further_recognisers=further)
    order = runner.order("network", data=data_root)
    [record] = runner.execute(order, workers=1, board=Path("board")).records
    assert record.status == "ok", record.reason
    assert set(record.results["protected-original"]) == set(record.baseline) == {"lbp", "mobilefacenet-ms1m"}
