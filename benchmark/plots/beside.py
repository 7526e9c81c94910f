"""Draws a `KindChart`: traditional descriptors on the left, deep networks on the right, a line or mark for each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from benchmark.plots import settings, sweep
from benchmark.plots.by_recogniser import KindChart, KindPanel
from benchmark.plots.style import INK, Look
from benchmark.tables import natural

NOTE = "EER of attacked samples with 95 % intervals; higher is better for the protection; dotted: unprotected"
#: Inches around a panel whose settings have names, above it, and for a letter of a recogniser's name in the legend.
TOP, LETTER = 1.2, 0.062


def size(chart: KindChart) -> tuple[float, float]:
    """Width and height of the figure in inches."""
    if chart.kind == "sweep":
        rows = len(_rows(chart))
        height = sweep.TOP + rows * sweep.PANEL_HEIGHT + (rows - 1) * sweep.BETWEEN + sweep.BOTTOM
        return sweep.LEFT + 2 * (sweep.PANEL_WIDTH + _room(chart)) + 0.35, height
    panels = len(chart.panels)
    width = _left(chart) + panels * settings.PANEL_WIDTH + (panels - 1) * settings.BETWEEN + 0.15
    return max(settings.NARROWEST, width), TOP + len(_settings(chart)) * _step(chart) + settings.BOTTOM


def draw(figure: Any, chart: KindChart, look: Mapping[str, Look], units: Mapping[str, str]) -> None:
    """Draw the chart; `look`: of each recogniser, `units`: {parameter: unit}."""
    width, height = size(chart)
    title = f"{chart.protocol}: {chart.comparison}, by recogniser"
    figure.text(0.08 / width, 1 - 0.2 / height, title, fontsize=10, fontweight="bold", va="center")
    fixed = ", ".join(f"{name} {value:g} {units[name]}" for name, value in chart.fixed.items() if units.get(name))
    figure.text(0.08 / width, 1 - 0.38 / height, "; ".join(filter(None, [NOTE, fixed])), color=INK, va="center")
    if chart.kind == "sweep":
        _draw_sweep(figure, chart, look, units)
    else:
        _draw_settings(figure, chart, look)


def _draw_sweep(figure: Any, chart: KindChart, look: Mapping[str, Look], units: Mapping[str, str]) -> None:
    """A row of two panels for each attack and part of the sweep."""
    width, height = size(chart)
    rows = _rows(chart)
    for panel in chart.panels:
        row, column = rows.index(panel.row), panel.kind == "deep"
        left = sweep.LEFT + column * (sweep.PANEL_WIDTH + _room(chart) + 0.35)
        bottom = height - sweep.TOP - (row + 1) * sweep.PANEL_HEIGHT - row * sweep.BETWEEN
        tall = sweep.PANEL_HEIGHT - 0.2
        axes = figure.add_axes((left / width, bottom / height, sweep.PANEL_WIDTH / width, tall / height))
        if not panel.lines:
            axes.set_axis_off()
            continue
        lines = [(line.recogniser, line.points, look[line.recogniser]) for line in panel.lines]
        sweep.write_names(axes, sweep.draw_lines(axes, _title(panel), lines))
        _unprotected(axes.axhline, panel, look)
        if row == len(rows) - 1:
            unit = units.get(chart.parameter or "")
            axes.set_xlabel((chart.parameter or "").replace("_", " ") + (f" ({unit})" if unit else ""))
        if not column:
            axes.set_ylabel("EER (%)")


def _draw_settings(figure: Any, chart: KindChart, look: Mapping[str, Look]) -> None:
    """One row of panels, two for each attack, with a line for each setting."""
    width, height = size(chart)
    names = _settings(chart)
    tall = len(names) * _step(chart)
    for number, panel in enumerate(chart.panels):
        left = _left(chart) + number * (settings.PANEL_WIDTH + settings.BETWEEN)
        place = left / width, settings.BOTTOM / height, settings.PANEL_WIDTH / width, tall / height
        axes = figure.add_axes(place)
        settings.open_panel(axes, _title(panel), names, first=number == 0)
        own = [line.recogniser for line in panel.lines]
        for line in panel.lines:
            where = settings.offset(own, line.recogniser)
            settings.draw_marks(axes, line.points, look[line.recogniser], names, where)
        _unprotected(axes.axvline, panel, look)
    _legend(figure, chart, look)


def _unprotected(draw_level: Any, panel: KindPanel, look: Mapping[str, Look]) -> None:
    """A dotted line in each recogniser's colour at the EER of unprotected data."""
    for line in panel.lines:
        if line.unprotected is not None:
            colour = look[line.recogniser].colour
            draw_level(100 * line.unprotected, color=colour, linewidth=0.9, linestyle=sweep.DOTTED, zorder=2)


def _legend(figure: Any, chart: KindChart, look: Mapping[str, Look]) -> None:
    from matplotlib.lines import Line2D

    width, height = size(chart)
    handles = [
        Line2D([], [], color=look[name].colour, marker=look[name].marker, linestyle="-", linewidth=0.9, label=name)
        for name in chart.recognisers
    ]
    columns = max(1, int(width / (0.45 + LETTER * max(map(len, chart.recognisers)))))
    figure.legend(
        handles=handles, loc="upper left", bbox_to_anchor=(0.03 / width, 1 - 0.46 / height),
        ncols=min(columns, len(handles)), frameon=False, borderaxespad=0, handlelength=1.6, fontsize=7.2,
    )  # fmt: skip


def _title(panel: KindPanel) -> str:
    return f"{panel.row} · {panel.kind}"


def _rows(chart: KindChart) -> list[str]:
    return list(dict.fromkeys(panel.row for panel in chart.panels))


def _room(chart: KindChart) -> float:
    """Inches for names beside a panel."""
    return sweep.SAMPLE + sweep.LETTER * max(map(len, chart.recognisers))


def _settings(chart: KindChart) -> Sequence[str]:
    found = {str(point.at) for panel in chart.panels for line in panel.lines for point in line.points}
    return sorted(found, key=natural)


def _left(chart: KindChart) -> float:
    return 0.2 + settings.LETTER * max(map(len, _settings(chart)))


def _step(chart: KindChart) -> float:
    most = max(len(panel.lines) for panel in chart.panels)
    return max(settings.LEAST, settings.MARK * (most + 1))
