"""Draw the figures of one protocol from a board's records."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from benchmark.errors import InvalidInputError, unknown
from benchmark.leaderboard import read_published, read_records
from benchmark.plots import beside, settings, sweep
from benchmark.plots.by_recogniser import Further, KindChart, figures
from benchmark.plots.chart import Chart, published_eers
from benchmark.plots.draw_scenarios import draw_scenario_figures
from benchmark.plots.style import looks, matplotlib_figure, save
from benchmark.scenario_ranking import is_all_pairs
from benchmark.tables import natural


def draw_figures(
    protocol: str,
    board: Path,
    out: Path,
    *,
    kind: str = "svg",
    units: Mapping[str, str],
    further: Further | None = None,
) -> list[Path]:
    """Draw the figures of a protocol into the folder `out`; returns the files.

    A figure for each comparison, and where records hold `further` recognisers ({attack: those that see it beside those
    that see every attack}) another one by recogniser; of an all-pairs protocol those of `scenario_figures`. `board` is
    the leaderboard's folder; `kind` is `svg` or `png`; `units`: {parameter: unit} for axes. Equal records give equal
    bytes under one version of matplotlib. Raises InvalidInputError where the protocol has no good records or
    matplotlib is not installed.
    """
    known = sorted(path.name for path in (board / "records").glob("*") if path.is_dir())
    if protocol not in known:
        raise unknown("protocol on the board", protocol, known)
    records = read_records(board, protocol)[protocol]
    keyed = is_all_pairs(records)
    drawn = draw_scenario_figures(records, board, out, kind=kind) if keyed else []
    found = {} if keyed else figures(records, published_eers(read_published(board)), further)
    if not found and not drawn:
        raise InvalidInputError(
            f"{protocol}: no record ended well, so there is nothing to draw; run the protocol again"
        )
    # Those that most protocols' figures show come first: they have a colour of their own. Another setting changes none.
    paths = (board / "records").glob("*/*/*.json")
    count = Counter(attack for attack, _ in {(path.stem, path.parts[-3]) for path in paths})
    look = looks(sorted(count, key=lambda attack: (-count[attack], natural(attack))))
    files = drawn
    for what, chart in found.items():
        path = out / f"{protocol}.{what}.{kind}"
        with matplotlib_figure(*_size(chart)) as figure:
            if isinstance(chart, KindChart):
                beside.draw(figure, chart, looks(chart.recognisers), units)
            elif chart.kind == "sweep":
                sweep.draw(figure, chart, look, units)
            else:
                settings.draw(figure, chart, look)
            save(figure, path, made_from=chart.digest)
        files.append(path)
    return files


def _size(chart: Chart | KindChart) -> tuple[float, float]:
    """Width and height in inches."""
    if isinstance(chart, KindChart):
        return beside.size(chart)
    return sweep.size(chart) if chart.kind == "sweep" else settings.size(chart)
