"""Figures of all-pairs protocols: what they show, where marks lie, that they repeat and tell when they are old."""

from __future__ import annotations

import sys
import xml.etree.ElementTree as ElementTree
from itertools import combinations
from pathlib import Path
from statistics import NormalDist

import numpy as np
import pytest
from keyed_board import DEEP, MATED, UNPROTECTED, WARPS, file_keyed, keyed_records, normal_counts, scheme_record

from benchmark import leaderboard
from benchmark.metrics.binned_scores import BinnedScores
from benchmark.metrics.template_protection import local_linkability
from benchmark.plots import distributions, linkability, protection
from benchmark.plots.histograms import FEWEST, TAIL, histogram, local_curve, shown_range
from benchmark.plots.make import draw_figures
from benchmark.plots.scenario_charts import DistributionChart, FamilyChart, LinkabilityChart, scenario_figures
from benchmark.plots.style import BASELINE, made_from_of, matplotlib_figure, scenario_look
from benchmark.record import record_path, write_record
from benchmark.score_sets.counts import ScoreCounts, read_counts

WEAK, STRONG = "block-warping@warp_8_4", "block-warping@warp_20_25"
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def board(tmp_path_factory) -> Path:
    pytest.importorskip("matplotlib", reason="figures need the extra `plots`")
    folder = file_keyed(tmp_path_factory.mktemp("board"))
    draw_figures("keyed", folder, folder / "plots", units={})
    return folder


def texts(file: Path) -> list[str]:
    return ["".join(text.itertext()) for text in ElementTree.parse(file).iter(f"{SVG}text")]


def group(file: Path, name: str) -> ElementTree.Element:
    return next(one for one in ElementTree.parse(file).iter(f"{SVG}g") if one.get("id") == name)


def eer_between_keys(setting: str) -> float:
    return NormalDist().cdf(-WARPS[setting]["different-keys"] * UNPROTECTED["mobilefacenet-ms1m"] / 2)


def test_there_is_a_summary_a_scheme_and_distributions_a_setting():
    found = scenario_figures(keyed_records())
    assert [what for what, chart in found.items() if isinstance(chart, FamilyChart)] == [
        "summary-biohashing", "summary-block-warping", "summary-gaussian-blur",
    ]  # fmt: skip
    assert {what for what, chart in found.items() if isinstance(chart, DistributionChart)} == {
        f"distributions-{name}" for name in (*WARPS, "biohashing@m64", "gaussian-blur@sigma-2")
    }
    linked = {what: chart for what, chart in found.items() if isinstance(chart, LinkabilityChart)}
    assert {scenario for scenario, _ in linked["linkability-gaussian-blur"].sources.values()} == {"same-key"}
    assert {scenario for scenario, _ in linked["linkability-block-warping"].sources.values()} == {"different-keys"}


def test_a_summary_holds_every_scenario_and_attack_through_every_recogniser():
    chart = scenario_figures(keyed_records())["summary-block-warping"]
    assert isinstance(chart, FamilyChart)
    assert chart.settings == (WEAK, STRONG)
    assert [panel.recogniser for panel in chart.panels] == ["lbp", "mblbp", *DEEP]
    assert {(marks.scenario, marks.attack) for marks in chart.panels[0].marks} == {
        *((scenario, "") for scenario in WARPS[WEAK]),
        ("protected-original", "unwarp"), ("different-keys", "linkage"),
    }  # fmt: skip
    [stolen] = [marks for marks in chart.panels[3].marks if (marks.scenario, marks.attack) == ("different-keys", "")]
    expected = [eer_between_keys(name) for name in WARPS]
    assert [point.value for point in stolen.points] == pytest.approx(expected, rel=1e-5)


def test_records_that_did_not_end_well_are_left_out():
    failed = scheme_record(STRONG, WARPS[STRONG], status="failed", reason="raised", results={}, replicates={})
    found = scenario_figures([scheme_record(WEAK, WARPS[WEAK]), failed])
    assert list(found) == ["summary-block-warping", "linkability-block-warping", f"distributions-{WEAK}"]


def test_marks_lie_where_their_numbers_say(board):
    """Those of different keys through the last recogniser, held against the axis from 0 to 60 %."""
    file = board / "plots" / "keyed.summary-block-warping.svg"
    axes = group(file, "axes_4")
    numbers = [float(word) for word in axes.find(f"{SVG}g/{SVG}path").get("d").split() if word not in "MLz"]
    bottom, top = max(numbers[1::2]), min(numbers[1::2])
    colour = scenario_look("different-keys").colour.lower()
    filled = [use for use in axes.iter(f"{SVG}use") if f"fill: {colour}" in use.get("style", "")]
    expected = sorted(bottom - 100 * eer_between_keys(name) / 60 * (bottom - top) for name in WARPS)
    assert sorted(float(use.get("y")) for use in filled) == pytest.approx(expected, abs=0.1)


def test_panels_say_which_kind_of_recogniser_sees_them(board):
    for what in ("summary-block-warping", "linkability-block-warping", f"distributions-{WEAK}"):
        found = texts(board / "plots" / f"keyed.{what}.svg")
        assert {"lbp · traditional", "mblbp · traditional", *(f"{name} · deep" for name in DEEP)} <= set(found), what
    assert {"EER (%)", "unprotected", "same-key", "unwarp", "warp_8_4"} <= set(
        texts(board / "plots" / "keyed.summary-block-warping.svg")
    )
    assert {"D(s)", "score"} <= set(texts(board / "plots" / "keyed.linkability-block-warping.svg"))


def test_genuine_is_solid_impostor_dashed_in_the_colours_of_what_they_say(board):
    axes = group(board / "plots" / f"keyed.distributions-{WEAK}.svg", "axes_1")
    lines = [path.get("style", "") for path in axes.iter(f"{SVG}path") if "fill: none" in path.get("style", "")]
    for colour in (BASELINE, *(scenario_look(scenario).colour for scenario in WARPS[WEAK])):
        own = [style for style in lines if f"stroke: {colour.lower()}" in style]
        assert len(own) == 2, colour
        assert sum("stroke-dasharray" in style for style in own) == 1


def test_templates_of_another_scale_have_a_scale_of_their_own(board):
    chart = scenario_figures(keyed_records())["distributions-biohashing@m64"]
    assert isinstance(chart, DistributionChart)
    assert not chart.same_scale
    assert any("red scale" in text for text in texts(board / "plots" / "keyed.distributions-biohashing@m64.svg"))


def test_equal_records_give_equal_bytes(board, tmp_path):
    again = draw_figures("keyed", board, tmp_path, units={})
    assert len(again) == 10
    for path in again:
        assert path.read_bytes() == (board / "plots" / path.name).read_bytes()
        assert b"<dc:date>" not in path.read_bytes()
        assert path.stat().st_size < 120_000


def test_the_page_shows_summaries_folds_the_rest_and_says_when_scores_have_moved_on(board, monkeypatch):
    (board / "plots" / "keyed.sheet.jpg").write_bytes(b"a picture")
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    page = leaderboard.regenerate(board)[board / "keyed.md"]
    assert page.index("keyed.sheet.jpg") < page.index("keyed.summary-block-warping.svg") < page.index("<details>")
    assert "<details><summary>linkability of block-warping</summary>" in page
    assert f"<details><summary>distributions of {WEAK}</summary>" in page
    assert "earlier records" not in page
    old = next(one for one in keyed_records() if one.setting == WEAK and one.attack.setting == "direct-comparison")
    moved = old.model_copy(update={"scores": old.scores.model_copy(update={"digest": "0" * 64})})
    path = record_path(board, "keyed", WEAK, "direct-comparison")
    write_record(path, moved)
    page = leaderboard.regenerate(board)[board / "keyed.md"]
    write_record(path, old)
    assert page.count("Drawn from earlier records; `veilbench plot keyed`") == 2  # distributions, and its scheme's D(s)


def test_figures_carry_the_digest_of_what_they_show(board):
    for what, chart in scenario_figures(keyed_records()).items():
        assert made_from_of(board / "plots" / f"keyed.{what}.svg") == chart.digest


def test_figures_grow_with_their_recognisers():
    found = scenario_figures(keyed_records())
    assert protection.size(found["summary-block-warping"])[1] > protection.size(found["summary-biohashing"])[1]
    assert (
        linkability.size(found["linkability-block-warping"])[0] > linkability.size(found["linkability-biohashing"])[0]
    )
    few, many = (distributions.size(found[f"distributions-{name}"]) for name in ("biohashing@m64", WEAK))
    assert many[0] > few[0]


def counts_of(mated: np.ndarray, non_mated: np.ndarray) -> ScoreCounts:
    binned = BinnedScores.of(mated, non_mated)
    return ScoreCounts(binned.edges, binned.mated_counts, binned.non_mated_counts)


def test_d_of_counts_is_d_of_the_scores_where_there_are_many():
    random = np.random.default_rng(0)
    mated, non_mated = random.normal(1, 1, 3000), random.normal(0, 1, 50_000)
    exact = local_linkability(mated, non_mated)
    edges, d = local_curve(counts_of(mated, non_mated))
    many = 3000 * (exact.mated + exact.non_mated) >= FEWEST
    held = {(low, high): one for low, high, one in zip(edges[:-1], edges[1:], d, strict=True)}
    alone = [place for place in np.flatnonzero(many) if (exact.edges[place], exact.edges[place + 1]) in held]
    assert len(alone) >= many.sum() - 2  # the first of them may end a run, and the last takes what is left over
    for place in alone:
        assert held[exact.edges[place], exact.edges[place + 1]] == pytest.approx(exact.d[place])


@pytest.mark.parametrize("sizes", [(300, 100_000), (3000, 3_000_000), (3000, 300)])
def test_each_step_of_d_rests_on_enough_scores_of_the_rarer_kind(sizes):
    random = np.random.default_rng(1)
    mated, non_mated = random.normal(1, 1, sizes[0]), random.normal(0, 1, sizes[1])
    edges, d = local_curve(counts_of(mated, non_mated))
    assert (edges[0], edges[-1]) == (min(mated.min(), non_mated.min()), max(mated.max(), non_mated.max()))
    m, n = (np.histogram(scores, edges)[0] / len(scores) for scores in (mated, non_mated))
    assert (min(sizes) * (m + n) >= FEWEST - 1e-6).all()
    # What two normals, all of them, say of the same steps: off by four standard errors of 0.07 at most.
    p, q = (np.diff([NormalDist(mean).cdf(edge) for edge in edges]) for mean in (1, 0))
    assert np.abs(d - np.maximum(0, (p - q) / (p + q))).max() < 0.28


def test_numbers_stand_above_the_curves_and_apart(board):
    records = {one.setting: one for one in keyed_records() if one.attack.returns == "protected"}
    for what in ("linkability-block-warping", "linkability-biohashing"):
        chart = scenario_figures(keyed_records())[what]
        counts = {name: read_counts(board / records[name].scores.file) for name in chart.sources}
        with matplotlib_figure(*linkability.size(chart)) as figure:
            linkability.draw(figure, chart, counts)
            assert len(figure.axes) == len(chart.recognisers)
            for axes in figure.axes:
                boxes = [one.get_window_extent() for one in axes.texts]
                assert len(boxes) == len(chart.sources)
                assert all(box.y0 >= axes.bbox.y1 for box in boxes)
                title = axes._left_title.get_window_extent()
                assert not any(one.overlaps(other) for one, other in combinations([*boxes, title], 2))


def test_many_non_mated_scores_alone_do_not_bring_d_down():
    random = np.random.default_rng(2)
    # 27 of 3,000,000 lie where 0.03 mated ones were to be expected, and none is.
    non_mated = np.r_[random.normal(0, 0.1, 3_000_000), np.full(27, 1.85)]
    edges, d = local_curve(counts_of(np.r_[random.normal(1, 0.2, 3000), 2.0], non_mated))
    assert (d[edges[:-1] > 0.7] > 0.9).all()
    assert edges[-2] < 1.8


def test_a_histogram_is_a_density_and_the_range_leaves_out_the_tails():
    counts = normal_counts(2.0)
    own = histogram(counts, at_most=50)
    assert len(own.mated) <= 50
    for values in (own.mated, own.non_mated):
        assert (values * np.diff(own.edges)).sum() == pytest.approx(1)
    low, high = shown_range([counts])
    width = counts.edges[1] - counts.edges[0]
    assert low == pytest.approx(NormalDist().inv_cdf(TAIL), abs=2 * width)
    assert high == pytest.approx(2 + NormalDist().inv_cdf(1 - TAIL), abs=2 * width)
    assert counts.mated.sum() == MATED
    one = ScoreCounts(np.array([0.0, 1.0]), np.uint32([3]), np.uint32([4]))
    assert shown_range([one]) == (0.0, 1.0)
