"""Named settings: a line for each, a panel for each recogniser, a mark for each attack, beside published numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from benchmark.plots.chart import Chart, Point
from benchmark.plots.style import FAINT, INK, Look
from benchmark.tables import natural

#: Inches.
PANEL_WIDTH, TOP, BOTTOM, BETWEEN, LETTER, MARK = 2.7, 1.0, 0.5, 0.18, 0.062, 0.062
#: The least room for a setting, and the least width, which the lines at the top need.
LEAST, NARROWEST = 0.24, 6.6
HIGHEST = 60.0
_PUBLISHED = ("*", "d", "p", "h")


def size(chart: Chart) -> tuple[float, float]:
    """Width and height of the figure in inches."""
    panels = len(chart.panels)
    legend = 0.16 * (_legend_rows(chart) - 1)
    return (
        max(NARROWEST, _left(chart) + panels * PANEL_WIDTH + (panels - 1) * BETWEEN + 0.15),
        TOP + legend + len(settings_of(chart)) * _step(chart) + BOTTOM,
    )


def draw(figure: Any, chart: Chart, look: Mapping[str, Look]) -> None:
    """Draw the settings, the first at the top."""
    width, height = size(chart)
    settings = settings_of(chart)
    figure.text(0.08 / width, 1 - 0.2 / height, f"{chart.protocol}: {chart.comparison}", fontsize=10, fontweight="bold")
    note = "EER of attacked samples with 95 % intervals; higher is better for the protection; dotted: unprotected"
    figure.text(0.08 / width, 1 - 0.38 / height, note, color=INK)
    tall = len(settings) * _step(chart)
    for number, panel in enumerate(chart.panels):
        left = _left(chart) + number * (PANEL_WIDTH + BETWEEN)
        axes = figure.add_axes((left / width, BOTTOM / height, PANEL_WIDTH / width, tall / height))
        open_panel(axes, panel.recogniser, settings, first=number == 0)
        if panel.unprotected is not None:
            axes.axvline(100 * panel.unprotected, color=INK, linewidth=0.9, linestyle=(0, (1, 2)), zorder=1)
        for line in panel.lines:
            draw_marks(axes, line.points, look[line.attack], settings, offset(chart.attacks, line.attack))
        for what, marker in zip(chart.published, _PUBLISHED, strict=False):
            found = [(100 * value, settings.index(name)) for name, value in panel.published.get(what, {}).items()]
            axes.plot([x for x, _ in found], [y for _, y in found], **_published_look(marker))
    _legend(figure, chart, look)


def open_panel(axes: Any, title: str, settings: Sequence[str], *, first: bool) -> None:
    """The axes of one panel with a line for each setting; the `first` one of a row names them."""
    axes.set_title(title, fontweight="bold", pad=4)
    for place in range(0, len(settings), 2):
        axes.axhspan(place - 0.5, place + 0.5, color="#F4F4F4", linewidth=0, zorder=0)
    axes.axvline(50, color=FAINT, linewidth=0.6, zorder=1)
    axes.set_xlim(0, HIGHEST)
    axes.set_xlabel("EER (%)")
    axes.set_ylim(len(settings) - 0.5, -0.5)
    axes.set_yticks(range(len(settings)), settings if first else [""] * len(settings))
    axes.tick_params(axis="y", length=0)


def settings_of(chart: Chart) -> list[str]:
    """The settings, in natural order."""
    return sorted({str(p.at) for panel in chart.panels for line in panel.lines for p in line.points}, key=natural)


def draw_marks(axes: Any, points: Sequence[Point], look: Look, settings: Sequence[str], offset: float) -> None:
    """Draw a mark with its interval at each point's setting, `offset` (-0.4 to 0.4) off its middle."""
    at = [settings.index(str(point.at)) + offset for point in points]
    values = [100 * point.value for point in points]
    ends = [[100 * (p.value - p.low) for p in points], [100 * (p.high - p.value) for p in points]]
    axes.errorbar(
        values, at, xerr=[[max(end, 0.0) for end in side] for side in ends], fmt=look.marker, color=look.colour,
        elinewidth=0.8, markersize=3.2, markeredgecolor="white", markeredgewidth=0.3, zorder=4,
    )  # fmt: skip


def offset(names: Sequence[str], name: str) -> float:
    """Where in its setting's room one of the names is drawn: -0.4 to 0.4."""
    return 0.0 if len(names) == 1 else -0.38 + 0.76 * names.index(name) / (len(names) - 1)


def _step(chart: Chart) -> float:
    return max(LEAST, MARK * (len(chart.attacks) + 1))


def _left(chart: Chart) -> float:
    return 0.2 + LETTER * max(len(setting) for setting in settings_of(chart))


def _published_look(marker: str) -> dict[str, Any]:
    return {
        "linestyle": "none", "marker": marker, "markersize": 7, "markerfacecolor": "none",
        "markeredgecolor": INK, "markeredgewidth": 0.9, "zorder": 5,
    }  # fmt: skip


def _legend_rows(chart: Chart) -> int:
    return -(-(len(chart.attacks) + len(chart.published)) // _legend_columns(chart))


def _legend_columns(chart: Chart) -> int:
    names = [*chart.attacks, *(f"published elsewhere: {what}" for what in chart.published)]
    wide = max(NARROWEST, _left(chart) + len(chart.panels) * PANEL_WIDTH)
    return max(1, int(wide / (0.4 + LETTER * max(map(len, names)))))


def _legend(figure: Any, chart: Chart, look: Mapping[str, Look]) -> None:
    from matplotlib.lines import Line2D

    width, height = size(chart)
    attacks = [
        Line2D([], [], color=look[name].colour, marker=look[name].marker, linestyle="-", linewidth=0.9, label=name)
        for name in chart.attacks
    ]
    others = [
        Line2D([], [], label=f"published elsewhere: {what}", **_published_look(marker))
        for what, marker in zip(chart.published, _PUBLISHED, strict=False)
    ]
    figure.legend(
        handles=[*attacks, *others], loc="upper left", bbox_to_anchor=(0.03 / width, 1 - 0.44 / height),
        ncols=_legend_columns(chart), frameon=False, borderaxespad=0, handlelength=1.6, fontsize=7.2,
    )  # fmt: skip
