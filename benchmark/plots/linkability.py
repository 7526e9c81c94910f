"""Draws a `LinkabilityChart`: the curves D(s) over the score, a panel a recogniser, a line a setting."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from benchmark.plots.histograms import FEWEST, local_curve, shown_range
from benchmark.plots.scenario_charts import LinkabilityChart
from benchmark.plots.style import INK, Look, looks
from benchmark.recognisers.kinds import kind_of
from benchmark.score_sets.counts import CountTable, ScoreCounts

#: Inches: a panel, what lies around, between rows and columns, and a line of numbers above each panel.
PANEL_WIDTH, PANEL_HEIGHT, LEFT, TOP, BOTTOM, BETWEEN, GAP, LINE = 2.15, 1.7, 0.55, 0.85, 0.45, 0.78, 0.22, 0.13
COLUMNS = 4
#: Settings whose numbers stand in one line.
NUMBERS = 4
NARROWEST = 8.2


def size(chart: LinkabilityChart) -> tuple[float, float]:
    """Width and height of the figure in inches."""
    panels = len(chart.recognisers)
    columns, rows = min(panels, COLUMNS), -(-panels // COLUMNS)
    width = LEFT + columns * PANEL_WIDTH + (columns - 1) * GAP + 0.15
    return max(NARROWEST, width), TOP + rows * (PANEL_HEIGHT + _said(chart)) + (rows - 1) * BETWEEN + BOTTOM


def draw(figure: Any, chart: LinkabilityChart, counts: Mapping[str, CountTable]) -> None:
    """Draw the chart from the counted scores of its settings: {setting: counts}."""
    width, height = size(chart)
    title = f"{chart.protocol}: linkability of {chart.family}"
    figure.text(0.08 / width, 1 - 0.2 / height, title, fontsize=10, fontweight="bold")
    note = (
        "D(s): 0 = the score tells nothing, 1 = certainly one person; above the panels D_sys (floor) in %; "
        f"sparse bins joined, to be worth {FEWEST} of the rarer scores"
    )
    figure.text(0.08 / width, 1 - 0.38 / height, note, color=INK)
    look = looks(list(chart.sources))
    for number, recogniser in enumerate(chart.recognisers):
        row, column = divmod(number, COLUMNS)
        left = LEFT + column * (PANEL_WIDTH + GAP)
        bottom = height - TOP - (row + 1) * (PANEL_HEIGHT + _said(chart)) - row * BETWEEN
        axes = figure.add_axes((left / width, bottom / height, PANEL_WIDTH / width, (PANEL_HEIGHT - 0.1) / height))
        axes.set_title(f"{recogniser} · {kind_of(recogniser)}", fontweight="bold", pad=4 + 72 * _said(chart))
        _draw_panel(axes, chart, recogniser, _own(chart, counts, recogniser), look)
        axes.set_ylim(0, 1.02)
        axes.set_yticks((0, 0.25, 0.5, 0.75, 1), ("0", "", "0.5", "", "1") if column == 0 else [""] * 5)
        axes.locator_params(axis="x", nbins=4)
        axes.set_xlabel("score")
        if column == 0:
            axes.set_ylabel("D(s)")
    _legend(figure, chart, look)


def _said(chart: LinkabilityChart) -> float:
    """Inches that the numbers take above a panel, where no curve runs."""
    return LINE * -(-len(chart.sources) // NUMBERS)


def _own(chart: LinkabilityChart, counts: Mapping[str, CountTable], recogniser: str) -> dict[str, ScoreCounts]:
    """{setting: counts} in the scenario in which each setting is linked."""
    found = {name: counts[name].get(scenario, {}).get(recogniser) for name, (scenario, _) in chart.sources.items()}
    return {name: one for name, one in found.items() if one is not None}


def _draw_panel(
    axes: Any, chart: LinkabilityChart, recogniser: str, own: Mapping[str, ScoreCounts], look: Mapping[str, Look]
) -> None:
    if own:
        axes.set_xlim(*shown_range(own.values()))
    for setting, one in own.items():
        edges, d = local_curve(one)
        axes.stairs(d, edges, baseline=None, color=look[setting].colour, linewidth=1.0, linestyle=look[setting].dash)
    places = {setting: divmod(number, NUMBERS) for number, setting in enumerate(chart.sources)}
    for linked in chart.linked:
        if linked.recogniser != recogniser or linked.d_sys is None:
            continue
        floor = "" if linked.floor is None else f" ({100 * linked.floor:.1f})"
        line, column = places[linked.setting]
        axes.annotate(
            f"{100 * linked.d_sys:.1f}{floor}", (column / NUMBERS, 1), xycoords="axes fraction", fontsize=6.8,
            xytext=(0, 72 * (_said(chart) - LINE * (line + 1)) + 2), textcoords="offset points",
            color=look[linked.setting].colour,
        )  # fmt: skip


def _legend(figure: Any, chart: LinkabilityChart, look: Mapping[str, Look]) -> None:
    from matplotlib.lines import Line2D

    width, height = size(chart)
    handles = [
        Line2D([], [], color=look[name].colour, linestyle=look[name].dash, label=name.rpartition("@")[2] or name)
        for name in chart.sources
    ]
    figure.legend(
        handles=handles, loc="upper left", bbox_to_anchor=(0.03 / width, 1 - 0.46 / height),
        ncols=min(6, len(handles)), frameon=False, borderaxespad=0, handlelength=2.4, fontsize=7.2,
    )  # fmt: skip
