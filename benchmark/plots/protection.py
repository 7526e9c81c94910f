"""Draws a `FamilyChart`: a panel a recogniser, traditional above deep ones, a mark for each scenario and setting."""

from __future__ import annotations

from typing import Any

from benchmark.plots.scenario_charts import FamilyChart, FamilyPanel, Marks
from benchmark.plots.style import BASELINE, FAINT, INK, scenario_look
from benchmark.recognisers.kinds import KINDS, kind_of

#: Inches: a panel, what lies around, between rows, and a letter of a setting's name.
PANEL_WIDTH, PANEL_HEIGHT, LEFT, TOP, BETWEEN, GAP, LETTER = 2.15, 1.9, 0.62, 0.9, 0.4, 0.22, 0.062
#: Panels in a row, at most.
COLUMNS = 4
HIGHEST = 60.0
#: What the lines at the top need, in inches.
NARROWEST = 8.2


def size(chart: FamilyChart) -> tuple[float, float]:
    """Width and height of the figure in inches."""
    places = _places(chart)
    columns, rows = (1 + max(place[axis] for place in places) for axis in (1, 0))
    width = LEFT + columns * PANEL_WIDTH + (columns - 1) * GAP + 0.15
    return max(NARROWEST, width), TOP + rows * PANEL_HEIGHT + (rows - 1) * BETWEEN + _bottom(chart)


def draw(figure: Any, chart: FamilyChart) -> None:
    """Draw the chart."""
    width, height = size(chart)
    figure.text(0.08 / width, 1 - 0.2 / height, f"{chart.protocol}: {chart.family}", fontsize=10, fontweight="bold")
    note = (
        "EER with 95 % intervals. Preservation (blue): low is good. Protection (green): 50 % is ideal. Red: unprotected"
    )
    figure.text(0.08 / width, 1 - 0.38 / height, note, color=INK)
    places = _places(chart)
    last = {column: max(row for row, other in places if other == column) for _, column in places}
    for panel, (row, column) in zip(chart.panels, places, strict=True):
        left = LEFT + column * (PANEL_WIDTH + GAP)
        bottom = height - TOP - (row + 1) * PANEL_HEIGHT - row * BETWEEN
        axes = figure.add_axes((left / width, bottom / height, PANEL_WIDTH / width, (PANEL_HEIGHT - 0.2) / height))
        _draw_panel(axes, panel, chart, named=row == last[column], first=column == 0)
    _legend(figure, chart)


def _places(chart: FamilyChart) -> list[tuple[int, int]]:
    """(row, column) of each panel: each kind of recogniser starts a row of its own."""
    found, row = [], 0
    for kind in KINDS:
        own = sum(kind_of(panel.recogniser) == kind for panel in chart.panels)
        found += [(row + number // COLUMNS, number % COLUMNS) for number in range(own)]
        row += -(-own // COLUMNS)
    return found


def _draw_panel(axes: Any, panel: FamilyPanel, chart: FamilyChart, *, named: bool, first: bool) -> None:
    axes.set_title(f"{panel.recogniser} · {kind_of(panel.recogniser)}", fontweight="bold", pad=4)
    for place in range(0, len(chart.settings), 2):
        axes.axvspan(place - 0.5, place + 0.5, color="#F4F4F4", linewidth=0, zorder=0)
    axes.axhline(50, color=FAINT, linewidth=0.6, zorder=1)
    if panel.unprotected is not None:
        axes.axhline(100 * panel.unprotected, color=BASELINE, linewidth=0.9, linestyle=(0, (4, 2)), zorder=2)
    names = _lines(chart)
    for marks in panel.marks:
        _draw_marks(axes, marks, chart.settings, names)
    axes.set_xlim(-0.5, len(chart.settings) - 0.5)
    axes.set_ylim(0, HIGHEST)
    axes.set_yticks(range(0, 61, 10), None if first else [""] * 7)
    short = [setting.rpartition("@")[2] for setting in chart.settings]
    upright = len(short) * max(map(len, short)) * LETTER < PANEL_WIDTH
    axes.set_xticks(range(len(short)), short if named else [""] * len(short), rotation=0 if upright else 90)
    axes.tick_params(axis="x", length=0)
    if first:
        axes.set_ylabel("EER (%)")


def _draw_marks(axes: Any, marks: Marks, settings: tuple[str, ...], names: list[tuple[str, str]]) -> None:
    """Each line of marks a little beside the others, joined by a thin line in the order of the settings."""
    number = names.index((marks.scenario, marks.attack))
    beside = 0.0 if len(names) == 1 else -0.34 + 0.68 * number / (len(names) - 1)
    look = scenario_look(marks.scenario, attacked=_attacks(names).index(marks.attack))
    at = [settings.index(str(point.at)) + beside for point in marks.points]
    values = [100 * point.value for point in marks.points]
    ends = [[max(100 * (p.value - p.low), 0.0) for p in marks.points]]
    ends += [[max(100 * (p.high - p.value), 0.0) for p in marks.points]]
    if not marks.attack:
        axes.plot(at, values, color=look.colour, linewidth=0.5, alpha=0.4, zorder=3)
    axes.errorbar(
        at, values, yerr=ends, fmt=look.marker, color=look.colour, elinewidth=0.8, markersize=3.4,
        markerfacecolor="white" if marks.attack else look.colour, markeredgecolor=look.colour,
        markeredgewidth=0.8, zorder=4, clip_on=False,
    )  # fmt: skip


def _lines(chart: FamilyChart) -> list[tuple[str, str]]:
    """(scenario, attack) of every line of marks, in the order of the legend."""
    return list(dict.fromkeys((marks.scenario, marks.attack) for panel in chart.panels for marks in panel.marks))


def _attacks(names: list[tuple[str, str]]) -> list[str]:
    return list(dict.fromkeys(["", *(attack for _, attack in names)]))


def _bottom(chart: FamilyChart) -> float:
    """Inches below the panels: names that do not fit side by side stand upright."""
    longest = max(len(setting.rpartition("@")[2]) for setting in chart.settings)
    return 0.3 if len(chart.settings) * longest * LETTER < PANEL_WIDTH else 0.25 + LETTER * longest


def _legend(figure: Any, chart: FamilyChart) -> None:
    from matplotlib.lines import Line2D

    width, height = size(chart)
    names = _lines(chart)
    handles = [Line2D([], [], color=BASELINE, linestyle=(0, (4, 2)), linewidth=0.9, label="unprotected")]
    for scenario, attack in names:
        look = scenario_look(scenario, attacked=_attacks(names).index(attack))
        handles.append(
            Line2D(
                [],
                [],
                color=look.colour,
                marker=look.marker,
                linestyle="none",
                markersize=4,
                label=attack or scenario,
                markerfacecolor="white" if attack else look.colour,
            )
        )
    columns = len(handles) if len(handles) <= 6 else -(-len(handles) // 2)
    figure.legend(
        handles=handles, loc="upper left", bbox_to_anchor=(0.03 / width, 1 - 0.46 / height), ncols=columns,
        frameon=False, borderaxespad=0, handlelength=1.6, fontsize=7.2, columnspacing=1.2,
    )  # fmt: skip
