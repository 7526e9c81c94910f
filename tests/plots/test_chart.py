"""What a figure shows, before anything is drawn."""

from __future__ import annotations

import dataclasses
import random

import pytest
from records import record, value
from swept import sweep_records, swept

from benchmark.leaderboard import PublishedRow, PublishedTable
from benchmark.plots.chart import charts, published_eers, sweep_of
from benchmark.record import Record


def settings(*rows: dict) -> dict:
    return {f"window@{number}": ("window", row) for number, row in enumerate(rows)}


def test_a_number_that_varies_is_swept_and_the_rest_tells_the_parts_apart():
    rows = [{"size": s, "offset": 0.0, "mode": m, "on": m == "x"} for s in (1, 2, 3) for m in ("x", "y")]
    found = sweep_of({**settings(*rows), "none": ("none", {})})
    assert (found.parameter, found.fixed) == ("size", {"offset": 0.0})
    assert found.places["window@0"] == (1.0, "x")
    assert {part for _, part in found.places.values()} == {"x", "y"}
    assert "none" not in found.places


def test_of_two_numbers_the_one_with_more_positions_is_swept():
    rows = [{"size": s, "block": b} for s in (1, 2, 3, 4) for b in (16, 32, 64)]
    found = sweep_of(settings(*rows))
    assert found.parameter == "size"
    assert {part for _, part in found.places.values()} == {"block: 16", "block: 32", "block: 64"}


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [{"size": 1}],
        [{"size": 1}, {"size": 2}],
        [{"size": 4, "offset": 6}, {"size": 6, "offset": 6}, {"size": 8, "offset": 4}],
        [{"size": 1, "mode": "x"}, {"size": 2, "mode": "x"}, {"size": 3, "mode": "x"}, {"size": 3, "mode": "y"}],
        [{"on": True}, {"on": False}, {"on": None}],
    ],
)
def test_named_settings_are_no_sweep(rows):
    assert sweep_of(settings(*rows)) is None


def test_panels_hold_every_recogniser_part_and_attack_in_order():
    chart = charts(sweep_records())["protected-original"]
    assert (chart.kind, chart.parameter, chart.protocol) == ("sweep", "size", "sweep")
    assert [(panel.recogniser, panel.part) for panel in chart.panels] == [
        (recogniser, part) for recogniser in ("lbp", "net") for part in ("layer", "resolution")
    ]
    panel = chart.panels[2]
    assert [line.attack for line in panel.lines] == ["direct-decode", "other"]
    assert [(point.at, point.value) for point in panel.lines[1].points] == [(1.0, 0.09), (2.0, 0.13), (10.0, 0.45)]
    assert (panel.lines[0].points[2].low, panel.lines[0].points[2].high) == (0.39, 0.41)
    assert panel.unprotected == 0.02


def embedding(setting: str, eer: float) -> Record:
    """A record of an attack that returned embeddings, and so is its own recogniser."""
    made = record(setting, "leak", eers={"protected-protected": {"leak": eer}})
    return made.model_copy(update={"attack": made.attack.model_copy(update={"returns": "embeddings"})})


def test_an_attack_with_embeddings_of_its_own_stands_in_every_panel():
    chart = charts([record("window@a"), embedding("window@a", 0.21)])["protected-protected"]
    assert [panel.recogniser for panel in chart.panels] == ["lbp", "net"]
    for panel in chart.panels:
        assert [(line.attack, line.own) for line in panel.lines] == [("direct-decode", False), ("leak", True)]
        assert panel.lines[1].points[0].value == 0.21
    alone = charts([embedding("window@a", 0.21)])["protected-protected"]
    assert [panel.recogniser for panel in alone.panels] == ["leak"]


def test_what_failed_or_cannot_be_estimated_is_left_out():
    failed = record("window@b", status="failed", reason="raised", results={}, replicates={})
    unknown = record("window@c", results={"protected-protected": {"net": {"eer": value(None)}}})
    chart = charts([record("window@a"), failed, unknown])["protected-protected"]
    assert {point.at for panel in chart.panels for line in panel.lines for point in line.points} == {"window@a"}
    assert charts([failed]) == {}


def test_published_numbers_stand_beside_their_settings_only():
    rows = (
        PublishedRow(name="x", setting="window@a", values={"protected": 0.4, "inpainted": 0.3}),
        PublishedRow(name="y", setting="elsewhere", values={"protected": 0.5}),
    )
    kind = {"title": "t", "source": "s", "data": "d", "note": "n", "metric": "eer", "unprotected": 0.07}
    table = PublishedTable(**kind, beside=("net",), rows=rows)
    eers = published_eers([table, table.model_copy(update={"metric": "auc"})])
    assert eers == {"net": {"protected": {"window@a": 0.4, "elsewhere": 0.5}, "inpainted": {"window@a": 0.3}}}
    both = record("window@a", eers={"protected-protected": {"lbp": 0.4, "net": 0.3}})
    chart = charts([both], eers)["protected-protected"]
    assert [panel.published for panel in chart.panels] == [
        {},  # what a network reached says nothing of LBP
        {"protected": {"window@a": 0.4}, "inpainted": {"window@a": 0.3}},
    ]
    assert chart.published == ["protected", "inpainted"]


def test_the_digest_is_that_of_what_is_shown():
    records = sweep_records()
    first = charts(records)["protected-original"]
    random.Random(1).shuffle(records)
    assert charts(records)["protected-original"] == first
    assert charts([*records, swept(11.0), swept(11.0, "resolution")])["protected-original"].digest != first.digest
    assert dataclasses.replace(first, comparison="x").digest != first.digest
    slower = [one.model_copy(update={"cost": one.cost.model_copy(update={"protect_ms": None})}) for one in records]
    assert charts(slower)["protected-original"].digest == first.digest
