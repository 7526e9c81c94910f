"""Draws the figures of an all-pairs protocol, from its records and the counted scores beside them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any

from benchmark.plots import distributions, linkability, protection
from benchmark.plots.scenario_charts import FamilyChart, LinkabilityChart, ScenarioChart, scenario_figures
from benchmark.plots.style import matplotlib_figure, save
from benchmark.record import Record
from benchmark.score_sets.counts import CountTable, read_counts


def draw_scenario_figures(records: Iterable[Record], board: Path, out: Path, *, kind: str) -> list[Path]:
    """Draw the figures of one all-pairs protocol into the folder `out`; returns the files, none without good records.

    Raises InvalidInputError where a score file cannot be read or matplotlib is not installed.
    """
    good = [one for one in records if one.status == "ok"]
    files = {one.setting: board / one.scores.file for one in good if one.attack.returns == "protected" and one.scores}

    @cache
    def counts_of(setting: str) -> CountTable:
        return read_counts(files[setting])

    drawn = []
    for what, chart in scenario_figures(good).items():
        path = out / f"{chart.protocol}.{what}.{kind}"
        with matplotlib_figure(*_size(chart)) as figure:
            _draw(figure, chart, counts_of)
            save(figure, path, made_from=chart.digest)
        drawn.append(path)
    return drawn


def _size(chart: ScenarioChart) -> tuple[float, float]:
    """Width and height in inches."""
    if isinstance(chart, FamilyChart):
        return protection.size(chart)
    return linkability.size(chart) if isinstance(chart, LinkabilityChart) else distributions.size(chart)


def _draw(figure: Any, chart: ScenarioChart, counts_of: Callable[[str], CountTable]) -> None:
    if isinstance(chart, FamilyChart):
        protection.draw(figure, chart)
    elif isinstance(chart, LinkabilityChart):
        linkability.draw(figure, chart, {setting: counts_of(setting) for setting in chart.sources})
    else:
        distributions.draw(figure, chart, counts_of(chart.setting))
