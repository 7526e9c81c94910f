"""The demo of cancelable biometrics: what it lists, and that a part of it gives the numbers on the board again."""

from __future__ import annotations

from pathlib import Path

import pytest
from eyes import here

from benchmark import engine, locations, runner
from benchmark.record import read_record

BOARD = Path(__file__).resolve().parents[1] / "leaderboard"


def test_it_lists_schemes_of_both_domains_and_attacks_on_them() -> None:
    jobs = runner.order("demo-cancelable").plan.jobs
    assert {job.protector.submission.protector.domain for job in jobs} == {"sample", "template"}
    assert {job.attack.submission.attack.returns for job in jobs} == {"protected", "images", "embeddings", "templates"}
    assert not [job.name for job in jobs if "mobilefacenet" in " ".join(job.recognisers)]  # nothing is downloaded


def test_a_part_of_it_gives_the_numbers_on_the_board_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "_pool", here)
    order = runner.order(
        "demo-cancelable", protectors=["biohashing"], attacks=["direct-comparison"], store=tmp_path / "store"
    )
    monkeypatch.setattr(locations, "protocol_folders", lambda: [tmp_path])  # its page needs no other protocol
    report = runner.execute(order, workers=1, board=tmp_path / "board")
    [record] = report.records
    assert report.remarks() == []
    filed = read_record(BOARD / "records/demo-cancelable/biohashing@m128/direct-comparison.json")
    assert record.dataset == filed.dataset
    for scenario, cells in filed.results.items():
        for recogniser, metrics in cells.items():
            again = record.results[scenario][recogniser]
            # Another processor's last bits may turn a bit of a BioHash over.
            assert again["eer"].value == pytest.approx(metrics["eer"].value, abs=0.003), (scenario, recogniser)
            assert again["d_sys"].value == pytest.approx(metrics["d_sys"].value, abs=0.01), (scenario, recogniser)
