"""Draws a `DistributionChart`: a panel a recogniser, in it the scores of each scenario one below the other."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmark.plots.histograms import histogram, shown_range
from benchmark.plots.scenario_charts import DistributionChart
from benchmark.plots.style import BASELINE, FAINT, INK, scenario_look
from benchmark.recognisers.kinds import kind_of
from benchmark.score_sets.counts import UNPROTECTED, CountTable, ScoreCounts

#: Inches: a panel's width, a scenario's height, what lies around, between panels, for the scenarios' names.
PANEL_WIDTH, RIDGE, TOP, BOTTOM, BETWEEN, GAP, LEFT = 2.15, 0.36, 0.72, 0.45, 0.78, 0.25, 1.15
COLUMNS = 4
NARROWEST = 8.2
#: Bins of a distribution as drawn, at most.
BINS = 50
#: Shares of a ridge's height below which its tails are left out.
FLAT = 0.004


def size(chart: DistributionChart) -> tuple[float, float]:
    """Width and height of the figure in inches."""
    columns, rows = min(len(chart.recognisers), COLUMNS), -(-len(chart.recognisers) // COLUMNS)
    width = LEFT + columns * PANEL_WIDTH + (columns - 1) * GAP + 0.15
    return max(NARROWEST, width), _top(chart) + rows * _tall(chart) + (rows - 1) * BETWEEN + BOTTOM


def draw(figure: Any, chart: DistributionChart, counts: CountTable) -> None:
    """Draw the chart from the counted scores of its setting."""
    width, height = size(chart)
    figure.text(0.08 / width, 1 - 0.2 / height, f"{chart.protocol}: {chart.setting}", fontsize=10, fontweight="bold")
    notes = ["Score distributions, each to its own height: mated solid, non-mated dashed"]
    if not chart.same_scale:
        notes.append("unprotected templates on the red scale of their own")
    figure.text(0.08 / width, 1 - 0.38 / height, "; ".join(notes), color=INK)
    for number, recogniser in enumerate(chart.recognisers):
        row, column = divmod(number, COLUMNS)
        left = LEFT + column * (PANEL_WIDTH + GAP)
        bottom = height - _top(chart) - (row + 1) * _tall(chart) - row * BETWEEN
        axes = figure.add_axes((left / width, bottom / height, PANEL_WIDTH / width, _tall(chart) / height))
        own = {name: found[recogniser] for name, found in counts.items() if recogniser in found}
        _draw_panel(axes, chart, recogniser, own, first=column == 0)


def _top(chart: DistributionChart) -> float:
    """Inches above the panels: a second scale needs some."""
    return TOP if chart.same_scale else TOP + 0.18


def _tall(chart: DistributionChart) -> float:
    return RIDGE * (1 + len(chart.scenarios))


def _draw_panel(
    axes: Any, chart: DistributionChart, recogniser: str, counts: dict[str, ScoreCounts], *, first: bool
) -> None:
    levels = [UNPROTECTED, *chart.scenarios]
    axes.set_title(f"{recogniser} · {kind_of(recogniser)}", fontweight="bold", pad=4 if chart.same_scale else 16)
    shared = [one for name, one in counts.items() if chart.same_scale or name != UNPROTECTED]
    if shared:
        axes.set_xlim(*shown_range(shared))
    for level, scenario in enumerate(levels):
        base = len(levels) - 1 - level
        axes.axhline(base, color=FAINT, linewidth=0.5, zorder=1)
        if scenario in counts:
            target = axes if chart.same_scale or scenario != UNPROTECTED else _own_scale(axes, counts[scenario])
            colour = BASELINE if scenario == UNPROTECTED else scenario_look(scenario).colour
            _draw_ridge(target, counts[scenario], base, colour)
    axes.set_ylim(-0.05, len(levels))
    axes.set_yticks(
        [len(levels) - 1 - level + 0.3 for level in range(len(levels))], levels if first else [""] * len(levels)
    )
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.locator_params(axis="x", nbins=4)
    axes.set_xlabel("score")


def _own_scale(axes: Any, counts: ScoreCounts) -> Any:
    """Axes in the same place, whose scale is at the top in the colour of unprotected data."""
    own = axes.twiny()
    own.set_xlim(*shown_range([counts]))
    own.spines["top"].set_visible(True)
    own.spines["top"].set_color(BASELINE)
    own.spines["left"].set_visible(False)
    own.tick_params(axis="x", colors=BASELINE, pad=1)
    own.locator_params(axis="x", nbins=4)
    return own


def _draw_ridge(axes: Any, counts: ScoreCounts, base: float, colour: str) -> None:
    """Both distributions on a line at `base`, the higher one 0.88 high."""
    own = histogram(counts, at_most=BINS)
    middles = (own.edges[1:] + own.edges[:-1]) / 2
    highest = max(own.mated.max(), own.non_mated.max())
    if not highest:
        return
    for values, dash in ((own.mated, "-"), (own.non_mated, (0, (2.2, 1.2)))):
        tall = np.flatnonzero(values > FLAT * highest)
        part = slice(max(tall[0] - 1, 0), tall[-1] + 2) if tall.size else slice(0)
        at, heights = middles[part], base + 0.88 * values[part] / highest
        axes.plot(at, heights, color=colour, linewidth=1.0, linestyle=dash, zorder=3)
        if dash == "-":
            axes.fill_between(at, base, heights, color=colour, alpha=0.16, linewidth=0, zorder=2)
