"""The figures as files: what is in them, that they repeat, and that the board knows when they are out of date."""

from __future__ import annotations

import sys
import xml.etree.ElementTree as ElementTree
from itertools import pairwise
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from records import record
from swept import file_all, sweep_records, swept

from benchmark import leaderboard
from benchmark.cli import main
from benchmark.errors import InvalidInputError
from benchmark.plots import sweep
from benchmark.plots.chart import charts
from benchmark.plots.make import draw_figures
from benchmark.plots.style import COLOURS, looks, made_from_of

UNITS = {"size": "%", "offset": "%"}
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def drawing():
    pytest.importorskip("matplotlib", reason="figures need the extra `plots`")


@pytest.fixture
def board(tmp_path: Path) -> Path:
    return file_all(tmp_path, sweep_records())


def texts(file: Path) -> list[str]:
    return ["".join(text.itertext()) for text in ElementTree.parse(file).iter(f"{SVG}text")]


def test_a_sweep_names_its_panels_lines_and_axes(drawing, board):
    (file,) = draw_figures("sweep", board, board / "plots", units=UNITS)
    assert file.name == "sweep.protected-original.svg"
    found = texts(file)
    for text in ("lbp · layer", "lbp · resolution", "net · layer", "net · resolution", "size (%)", "EER (%)"):
        assert text in found
    assert found.count("direct-decode") == found.count("other") == found.count("unprotected") == 4
    assert any("offset 0 %" in text for text in found)


def test_points_lie_where_their_numbers_say(drawing, board):
    """The markers of the last panel, held against the linear axes from 1 to 10 % (and 1 % of margin) and 0 to 60 %."""
    (file,) = draw_figures("sweep", board, board / "plots", units=UNITS)
    axes = next(g for g in ElementTree.parse(file).iter(f"{SVG}g") if g.get("id") == "axes_4")
    numbers = [float(word) for word in axes.find(f"{SVG}g/{SVG}path").get("d").split() if word not in "MLz"]
    left, right, bottom, top = min(numbers[::2]), max(numbers[::2]), max(numbers[1::2]), min(numbers[1::2])
    colour = looks(["direct-decode", "other"])["other"].colour.lower()
    marks = [(float(u.get("x")), float(u.get("y"))) for u in axes.iter(f"{SVG}use") if colour in u.get("style", "")]
    expected = [
        (left + (size - 0.91) / 9.18 * (right - left), bottom - (4 * size + 5) / 60 * (bottom - top))
        for size in (1, 2, 10)
    ]
    assert sorted(mark for mark in marks if mark[0] > left)[:3] == [pytest.approx(one, abs=0.05) for one in expected]


def test_a_position_far_behind_the_others_does_not_press_them_together(drawing, tmp_path):
    sizes = (*range(1, 7), 100)
    file_all(tmp_path, [swept(float(size), "layer", "direct-decode", eer=0.1) for size in sizes])
    (file,) = draw_figures("sweep", tmp_path, tmp_path / "plots", units={})
    found = texts(file)
    assert {"1", "6", "100"} <= set(found)
    assert sweep.axis_places(sizes) == {**{float(size): float(size) for size in range(1, 7)}, 100: 8.0}


def test_settings_are_listed_beside_published_numbers(drawing, tmp_path):
    table = (
        "tables:\n  - {title: t, source: s, data: d, note: n, metric: eer, unprotected: 0.07, beside: [lbp],\n"
        "     rows: [{name: a, setting: window@a, values: {protected: 0.4}}]}\n"
    )
    (tmp_path / "published.yaml").write_text(table)
    file_all(tmp_path, [record("window@a"), record("window@b"), record("window@a", "other")])
    (file,) = draw_figures("demo", tmp_path, tmp_path / "plots", units={})
    found = texts(file)
    assert {"window@a", "window@b", "direct-decode", "other", "published elsewhere: protected"} <= set(found)


def test_equal_records_give_equal_bytes_and_no_date(drawing, board):
    (file,) = draw_figures("sweep", board, board / "plots", units=UNITS)
    (again,) = draw_figures("sweep", board, board / "again", units=UNITS)
    assert file.read_bytes() == again.read_bytes()
    assert b"<dc:date>" not in file.read_bytes()
    (png,) = draw_figures("sweep", board, board / "again", kind="png", units=UNITS)
    assert png.read_bytes().startswith(b"\x89PNG")
    assert made_from_of(png) is None


def test_the_page_shows_the_figures_and_says_when_the_records_have_moved_on(drawing, board):
    draw_figures("sweep", board, board / "plots", units=UNITS)
    (board / "plots" / "sweep.sheet.jpg").write_bytes(b"a picture")
    (board / "plots" / "sweep-other.protected-original.svg").write_bytes(b"another protocol's")
    page = leaderboard.regenerate(board)[board / "sweep.md"]
    assert "](plots/sweep.protected-original.svg)\n" in page
    assert "](plots/sweep.sheet.jpg)\n" in page
    assert "sweep-other" not in page
    assert "earlier records" not in page
    file_all(board, [swept(11.0), swept(11.0, "resolution")])
    assert "Drawn from earlier records; `veilbench plot sweep`" in leaderboard.regenerate(board)[board / "sweep.md"]


def test_a_board_with_figures_is_checked_without_matplotlib(drawing, board, monkeypatch):
    draw_figures("sweep", board, board / "plots", units=UNITS)
    leaderboard.write(board)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert leaderboard.check(board) == []


def test_without_matplotlib_one_line_says_what_to_install(board, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    result = CliRunner().invoke(main, ["plot", "sweep", "--board", str(board)])
    assert result.exit_code == 2
    assert result.output == "veilbench: figures need matplotlib; install it: pip install 'veilbench[plots]'\n"


def test_the_command_writes_figures_and_that_page_only(drawing, board, tmp_path):
    file_all(board, [record("a", protocol="demo")])
    leaderboard.write(board)
    others = [board / "README.md", board / "demo.md"]
    for path in others:
        path.write_text("left as it is")
    result = CliRunner().invoke(main, ["plot", "sweep", "--board", str(board)])
    assert result.exit_code == 0, result.output
    assert result.output == f"wrote {board / 'plots' / 'sweep.protected-original.svg'}\n"
    assert "## Figures" in (board / "sweep.md").read_text()
    assert {path.read_text() for path in others} == {"left as it is"}
    options = ["--board", str(board), "--out", str(tmp_path / "x"), "--format", "png"]
    elsewhere = CliRunner().invoke(main, ["plot", "sweep", *options])
    assert elsewhere.exit_code == 0
    assert (tmp_path / "x" / "sweep.protected-original.png").exists()


def test_photographs_are_not_written_onto_a_board(board, tmp_path):
    options = ["--board", str(board), "--sheet", "--data", str(tmp_path), "--out", str(board / "plots")]
    result = CliRunner().invoke(main, ["plot", "sweep", *options])
    assert result.exit_code == 2
    assert "is on the board, which shows drawn faces only" in result.output


def test_an_unknown_protocol_is_named_with_the_nearest(board):
    with pytest.raises(InvalidInputError, match="did you mean 'sweep'"):
        draw_figures("sweeps", board, board / "plots", units={})
    file_all(board, [record("a", protocol="broken", status="failed", reason="raised", results={}, replicates={})])
    with pytest.raises(InvalidInputError, match="broken: no record ended well"):
        draw_figures("broken", board, board / "plots", units={})


def test_neighbouring_attacks_differ_in_colour_and_marker():
    names = [f"attack-{number}" for number in range(20)]
    found = looks(names)
    assert len({(look.colour, look.marker, str(look.dash)) for look in found.values()}) == 20
    for start in range(12):
        group = [found[name] for name in names[start : start + 8]]
        assert len({look.colour for look in group}) == len({look.marker for look in group}) == len(COLOURS)


@given(st.lists(st.floats(0, 60), min_size=1, max_size=15), st.floats(0.5, 4))
def test_names_are_kept_apart_in_order_and_inside(wanted, gap):
    places = sweep.spread(sorted(wanted), gap, 60.0)
    assert all(b - a >= gap - 1e-9 for a, b in pairwise(places))
    assert min(places) >= -1e-9
    assert max(places) <= 60 + 1e-9
    apart = sorted(wanted)
    if all(b - a >= gap for a, b in pairwise(apart)):
        assert places == pytest.approx(apart)


def test_a_figure_grows_with_what_it_shows():
    few = charts(sweep_records())["protected-original"]
    many = charts([*sweep_records(), swept(1.0, attack="an-attack-with-quite-a-long-name@and-a-preset")])
    assert sweep.size(many["protected-original"])[0] > sweep.size(few)[0]
