"""Figures by recogniser: which panels there are, that only further recognisers bring them, and what they draw."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
from records import record
from swept import file_all, sweep_records

from benchmark import leaderboard
from benchmark.plots.by_recogniser import KindChart, figures
from benchmark.plots.make import draw_figures
from benchmark.ranking import CurrentDigests
from benchmark.record import Record

FURTHER = {"direct-decode": ("mblbp", "arcface")}
BY_ATTACK, BY_RECOGNISER = "protected-original", "protected-original-by-recogniser"


def seen_further(records: list[Record]) -> list[Record]:
    """The records, those of direct-decode through two recognisers more."""
    found = []
    for one in records:
        if one.attack.setting in FURTHER:
            [(comparison, eers)] = one.results.items()
            known = {name: float(metrics["eer"].value or 0) for name, metrics in eers.items()}
            more = known | {"mblbp": known["lbp"] - 0.1, "arcface": known["net"] / 2}
            made = record(one.setting, one.attack.setting, eers={comparison: more}, protocol=one.protocol.id)
            one = made.model_copy(update={"protector": one.protector})
        found.append(one)
    return found


def test_traditional_stands_beside_deep_for_each_attack_and_part():
    found = figures(seen_further(sweep_records()), further=FURTHER)
    assert list(found) == [BY_ATTACK, BY_RECOGNISER]
    chart = found[BY_RECOGNISER]
    assert isinstance(chart, KindChart)
    assert [(panel.row, panel.kind) for panel in chart.panels] == [
        (f"direct-decode · {part}", kind) for part in ("layer", "resolution") for kind in ("traditional", "deep")
    ]
    traditional, deep = chart.panels[:2]
    assert [line.recogniser for line in traditional.lines] == ["lbp", "mblbp"]
    assert [line.recogniser for line in deep.lines] == ["arcface", "net"]
    assert [(point.at, point.value) for point in deep.lines[0].points] == [(1.0, 0.02), (2.0, 0.04), (10.0, 0.2)]
    assert traditional.lines[1].points[0].value == pytest.approx(0.35)
    assert deep.lines[0].unprotected == 0.02


def test_the_figure_by_attack_is_what_it_was_without_further_recognisers():
    before = figures(sweep_records())
    assert list(before) == [BY_ATTACK]
    assert figures(seen_further(sweep_records()), further=FURTHER)[BY_ATTACK].digest == before[BY_ATTACK].digest


def test_records_without_further_recognisers_have_no_such_figure():
    assert list(figures(sweep_records(), further=FURTHER)) == [BY_ATTACK]


def test_the_digest_is_that_of_what_is_shown():
    records = seen_further(sweep_records())
    first = figures(records, further=FURTHER)[BY_RECOGNISER].digest
    assert figures(records[::-1], further=FURTHER)[BY_RECOGNISER].digest == first
    assert figures(records[1:], further=FURTHER)[BY_RECOGNISER].digest != first


def test_both_kinds_of_figure_are_drawn_and_shown_on_the_page(tmp_path: Path):
    pytest.importorskip("matplotlib", reason="figures need the extra `plots`")
    file_all(tmp_path, seen_further(sweep_records()))
    files = draw_figures("sweep", tmp_path, tmp_path / "plots", units={"size": "%"}, further=FURTHER)
    assert [file.name for file in files] == [f"sweep.{what}.svg" for what in (BY_ATTACK, BY_RECOGNISER)]
    texts = ["".join(text.itertext()) for text in ElementTree.parse(files[1]).iter("{http://www.w3.org/2000/svg}text")]
    for text in ("direct-decode · layer · traditional", "direct-decode · resolution · deep", "size (%)"):
        assert text in texts
    assert texts.count("mblbp") == texts.count("arcface") == 2
    current = CurrentDigests(further_recognisers={"sweep": FURTHER})
    page = leaderboard.regenerate(tmp_path, current)[tmp_path / "sweep.md"]
    assert page.index(f"sweep.{BY_ATTACK}.svg)") < page.index(f"sweep.{BY_RECOGNISER}.svg)")
    assert "earlier records" not in page


def test_named_settings_are_drawn_by_recogniser_too(tmp_path: Path):
    pytest.importorskip("matplotlib", reason="figures need the extra `plots`")
    eers = {"protected-original": {"lbp": 0.4, "net": 0.3}}
    file_all(tmp_path, seen_further([record("window@a", eers=eers), record("window@b", eers=eers)]))
    files = draw_figures("demo", tmp_path, tmp_path / "plots", units={}, further=FURTHER)
    texts = ["".join(text.itertext()) for text in ElementTree.parse(files[1]).iter("{http://www.w3.org/2000/svg}text")]
    assert {"window@a", "window@b", "mblbp", "arcface", "direct-decode · deep"} <= set(texts)
