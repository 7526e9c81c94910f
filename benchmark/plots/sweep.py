"""Sweeps: EER over a window's position or size, a row of panels for each recogniser, a column for each part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from statistics import median
from typing import Any

from benchmark.plots.chart import Chart, Line, Panel, Point
from benchmark.plots.style import FAINT, INK, Look

#: Inches: a panel, what lies around, and a letter of a line's name with the sample of the line before it.
PANEL_WIDTH, PANEL_HEIGHT, LEFT, TOP, BOTTOM, BETWEEN, LETTER, SAMPLE = 3.3, 2.35, 0.55, 0.62, 0.5, 0.5, 0.056, 0.52
#: The lines at the top need as much, in inches.
NARROWEST = 9.0
#: Highest EER shown: 50 % is chance, and some attacked samples are a little worse.
HIGHEST = 60.0
#: Points between the baselines of two names.
SPACING = 8.5
DOTTED = (0, (1, 2))
#: A step of more than so many usual ones is a break in the axis, drawn as two of them.
BREAK = 8


def size(chart: Chart) -> tuple[float, float]:
    """Width and height of the figure in inches."""
    rows, columns = _grid(chart)
    return (
        max(NARROWEST, LEFT + len(columns) * (PANEL_WIDTH + _room(chart)) + (len(columns) - 1) * 0.35),
        TOP + len(rows) * PANEL_HEIGHT + (len(rows) - 1) * BETWEEN + BOTTOM,
    )


def draw(figure: Any, chart: Chart, look: Mapping[str, Look], units: Mapping[str, str]) -> None:
    """Draw a sweep; `units`: {parameter: unit}."""
    rows, columns = _grid(chart)
    width, height = size(chart)
    title = f"{chart.protocol}: {chart.comparison}"
    fixed = ", ".join(f"{name} {value:g} {units[name]}" for name, value in chart.fixed.items() if units.get(name))
    figure.text(0.08 / width, 1 - 0.2 / height, title, fontsize=10, fontweight="bold", va="center")
    notes = ["EER of attacked samples with 95 % intervals; higher is better for the protection", fixed]
    if any(line.own for panel in chart.panels for line in panel.lines):
        notes.append("(own): seen through the attack's own embeddings")
    figure.text(0.08 / width, 1 - 0.38 / height, "; ".join(filter(None, notes)), color=INK, va="center")
    for panel in chart.panels:
        row, column = rows.index(panel.recogniser), columns.index(panel.part)
        left = LEFT + column * (PANEL_WIDTH + _room(chart) + 0.35)
        bottom = height - TOP - (row + 1) * PANEL_HEIGHT - row * BETWEEN
        axes = figure.add_axes((left / width, bottom / height, PANEL_WIDTH / width, (PANEL_HEIGHT - 0.2) / height))
        _panel(axes, panel, look)
        if row == len(rows) - 1:
            unit = units.get(chart.parameter or "")
            axes.set_xlabel((chart.parameter or "").replace("_", " ") + (f" ({unit})" if unit else ""))
        if column == 0:
            axes.set_ylabel("EER (%)")


def _grid(chart: Chart) -> tuple[list[str], list[str]]:
    rows = list(dict.fromkeys(panel.recogniser for panel in chart.panels))
    return rows, list(dict.fromkeys(panel.part for panel in chart.panels))


def _room(chart: Chart) -> float:
    """Inches for names beside a panel."""
    names = [_name(line) for panel in chart.panels for line in panel.lines]
    return SAMPLE + LETTER * max(map(len, [*names, "unprotected"]))


def _panel(axes: Any, panel: Panel, look: Mapping[str, Look]) -> None:
    title = " · ".join(part for part in (panel.recogniser, panel.part) if part)
    names = draw_lines(axes, title, [(_name(line), line.points, look[line.attack]) for line in panel.lines])
    if panel.unprotected is not None:
        axes.axhline(100 * panel.unprotected, color=INK, linewidth=0.9, linestyle=DOTTED, zorder=2)
        names.append((100 * panel.unprotected, "unprotected", Look(INK, "", DOTTED)))
    write_names(axes, names)


def draw_lines(
    axes: Any, title: str, lines: Sequence[tuple[str, Sequence[Point], Look]]
) -> list[tuple[float, str, Look]]:
    """Draw a panel's axes and (name, points, look) of its lines; returns (EER in percent, name, look) at their ends."""
    axes.set_title(title, fontweight="bold", pad=4)
    axes.axhline(50, color=FAINT, linewidth=0.6, zorder=1)
    positions = sorted({float(point.at) for _, points, _ in lines for point in points})
    places = axis_places(positions)
    for _, points, look in lines:
        for piece in _pieces(points, positions):
            _line(axes, piece, look, places)
    first, last = places[positions[0]], places[positions[-1]]
    margin = (last - first) / 100
    axes.set_xlim(first - margin, last + margin)
    shown = positions if len(positions) <= 21 else positions[:: len(positions) // 15]
    axes.set_xticks([places[at] for at in shown], [f"{at:g}" for at in shown])
    for before, behind in _breaks(positions):
        middle = (places[before] + places[behind]) / 2
        axes.axvline(middle, color=FAINT, linewidth=0.8, linestyle=(0, (1, 1)), zorder=1)
    axes.set_ylim(0, HIGHEST)
    axes.set_yticks(range(0, 61, 10))
    axes.grid(axis="y", color="#E6E6E6", linewidth=0.5, zorder=0)
    axes.set_axisbelow(True)
    return [(100 * points[-1].value, name, look) for name, points, look in lines]


def axis_places(positions: Sequence[float]) -> dict[float, float]:
    """Where on the axis each position (ascending) is drawn: where it is, but for what lies behind a break.

    >>> axis_places([1, 2, 3, 4, 100])
    {1: 1.0, 2: 2.0, 3: 3.0, 4: 4.0, 100: 6.0}
    """
    found, place = {positions[0]: float(positions[0])}, float(positions[0])
    broken, steps = set(_breaks(positions)), [b - a for a, b in pairwise(positions)]
    for a, b in pairwise(positions):
        place += 2 * median(steps) if (a, b) in broken else b - a
        found[b] = place
    return found


def _breaks(positions: Sequence[float]) -> list[tuple[float, float]]:
    """Neighbours so far apart that what lies on either side would be a point."""
    steps = [b - a for a, b in pairwise(positions)]
    return [(a, b) for a, b in pairwise(positions) if b - a > BREAK * median(steps)]


def _pieces(points: Sequence[Point], positions: Sequence[float]) -> list[list[Point]]:
    """A line's points between breaks: what it does in between is not known."""
    ends = [behind for _, behind in _breaks(positions)] + [float("inf")]
    starts = [float("-inf"), *ends]
    parts = [
        [point for point in points if start <= float(point.at) < end] for start, end in zip(starts, ends, strict=False)
    ]
    return [part for part in parts if part]


def _line(axes: Any, points: Sequence[Point], look: Look, places: Mapping[float, float]) -> None:
    at = [places[float(point.at)] for point in points]
    values, lows, highs = ([100 * getattr(point, name) for point in points] for name in ("value", "low", "high"))
    if len(at) == 1:  # no band: a bar
        axes.plot(at * 2, [lows[0], highs[0]], color=look.colour, alpha=0.3, linewidth=3, zorder=3)
    axes.fill_between(at, lows, highs, color=look.colour, alpha=0.13, linewidth=0, zorder=3)
    axes.plot(
        at, values, color=look.colour, linestyle=look.dash, marker=look.marker,
        markeredgecolor="white", markeredgewidth=0.4, zorder=4, clip_on=False,
    )  # fmt: skip


def _name(line: Line) -> str:
    return line.attack + (" (own)" if line.own else "")


def write_names(axes: Any, names: Sequence[tuple[float, str, Look]]) -> None:
    """Write each line's name at its end, with a sample of the line; names that would meet are moved apart."""
    ordered = sorted(names, key=lambda one: one[0])
    percent = HIGHEST / ((PANEL_HEIGHT - 0.2) * 72)  # one point on paper, on the axis of EERs
    for (end, text, look), at in zip(
        ordered, spread([one[0] for one in ordered], SPACING * percent, HIGHEST), strict=True
    ):
        style = {"color": look.colour, "linewidth": 0.6, "transform": axes.get_yaxis_transform(), "clip_on": False}
        axes.plot([1.0, 1.04], [end, at], linestyle="-", alpha=0.6, **style)
        axes.plot(
            [1.04, 1.085, 1.13], [at] * 3, linestyle=look.dash, marker=look.marker, markevery=[1],
            markeredgecolor="white", markeredgewidth=0.4, **(style | {"linewidth": 1.3}),
        )  # fmt: skip
        axes.text(1.15, at, text, transform=axes.get_yaxis_transform(), va="center", fontsize=6.8, color=INK)


def spread(wanted: Sequence[float], gap: float, top: float) -> list[float]:
    """Places at least `gap` apart, in the order of the wanted ones (ascending) and close to them, at most `top`.

    >>> spread([1.0, 1.0, 9.0], 2.0, 10.0)
    [0.0, 2.0, 9.0]
    """
    groups: list[list[float]] = []  # [sum of wanted places less their offsets, members]
    for number, place in enumerate(wanted):
        groups.append([place - number * gap, 1.0])
        while len(groups) > 1 and groups[-2][0] / groups[-2][1] > groups[-1][0] / groups[-1][1]:
            total, members = groups.pop()
            groups[-1] = [groups[-1][0] + total, groups[-1][1] + members]
    bases = [total / members for total, members in groups for _ in range(int(members))]
    highest = top - (len(wanted) - 1) * gap
    return [min(max(base, 0.0), highest) + number * gap for number, base in enumerate(bases)]
