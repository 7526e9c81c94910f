"""Records -> Markdown: `leaderboard/README.md` and one page per protocol, from the records and nothing else.

The templates are in `benchmark/templates/leaderboard`; what a number is called, its unit and which way is better come
from `benchmark.metrics.descriptors`.
"""

from __future__ import annotations

import gc
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeAlias

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from benchmark import scenario_tables, tables
from benchmark.errors import InvalidInputError
from benchmark.metrics.descriptors import METRICS
from benchmark.plots.by_recogniser import KindChart, figures
from benchmark.plots.chart import Chart, published_eers
from benchmark.plots.scenario_charts import ScenarioChart, scenario_figures
from benchmark.plots.style import made_from_of
from benchmark.ranking import Board, CurrentDigests, rank
from benchmark.record import Record, read_record
from benchmark.scenario_ranking import is_all_pairs, rank_scenarios, rows_of
from benchmark.schema import Frozen, read_yaml
from benchmark.store import write_atomically

AnyChart: TypeAlias = Chart | KindChart | ScenarioChart
__all__ = ["CurrentDigests", "check", "regenerate", "write", "write_after_run", "write_page"]

#: Stands in every generated page.
MARK = "<!-- Generated from the records by `veilbench leaderboard`; do not edit. -->"
#: A protocol with more rows than this shows only the first ones, and the Pareto front, on the first page.
SHORT = 12


class PublishedRow(Frozen):
    """One setting's published numbers."""

    name: str
    setting: str
    values: Mapping[str, float]


class PublishedTable(Frozen):
    """A table that others published, as shares (0..1)."""

    title: str
    source: str
    data: str
    note: str
    metric: str
    unprotected: float
    beside: tuple[str, ...]
    """Recognisers of the published one's kind, beside whose results figures show it."""
    rows: tuple[PublishedRow, ...]


class Published(Frozen):
    """`leaderboard/published.yaml`."""

    tables: tuple[PublishedTable, ...]


def regenerate(folder: Path, current: CurrentDigests | None = None, *, only: str | None = None) -> dict[Path, str]:
    """Every page of the board as {path: text}; reads `folder`, writes nothing.

    `only`: of the protocols' pages this one, and those that are missing. Raises InvalidInputError for a record that
    cannot be read.
    """
    found = [board_of(protocol, records, current) for protocol, records in sorted(read_records(folder).items())]
    keyed = [board for board in found if rows_of(board)]
    boards = [board for board in found if board not in keyed]
    published = read_published(folder)
    first = _environment().get_template("README.md.j2")
    pages = {folder / "README.md": _finished(first, boards=boards, keyed=keyed, published=published, short=SHORT)}
    for board in found:
        path = folder / f"{board.protocol}.md"
        if only in (None, board.protocol) or not path.exists():
            pages[path] = _page(folder, board, published)
    return pages


def board_of(protocol: str, records: list[Record], current: CurrentDigests | None = None) -> Board:
    """The ranked records of one protocol: of a pair list, or of every two samples in key scenarios."""
    return (rank_scenarios if is_all_pairs(records) else rank)(protocol, records, current)


def write(folder: Path, current: CurrentDigests | None = None) -> list[Path]:
    """Regenerate and write what differs; pages of protocols without records are removed. Returns what differed."""
    pages = regenerate(folder, current)
    surplus = _surplus(folder, pages)
    for path in surplus:
        path.unlink()
    return sorted(_write(pages) + surplus)


def write_after_run(folder: Path, protocol: str, current: CurrentDigests | None = None) -> list[Path]:
    """Regenerate and write what new records of one protocol change: its page and the first page. Returns what differed.

    Other protocols' pages are left as they are: where code has changed that their records depend on, `check` says so.
    """
    return _write(regenerate(folder, current, only=protocol))


def _write(pages: Mapping[Path, str]) -> list[Path]:
    differing = [path for path, text in pages.items() if _text(path) != text]
    for path in differing:
        write_atomically(path, pages[path].encode())
    return differing


def write_page(folder: Path, protocol: str, current: CurrentDigests | None = None) -> Path:
    """Regenerate and write the page of one protocol; the others are left as they are."""
    path = folder / f"{protocol}.md"
    board = board_of(protocol, read_records(folder, protocol)[protocol], current)
    _write({path: _page(folder, board, read_published(folder))})
    return path


def check(folder: Path, current: CurrentDigests | None = None) -> list[Path]:
    """The pages that differ from what the records say: changed by hand, missing, or left over."""
    pages = regenerate(folder, current)
    return sorted([path for path, text in pages.items() if _text(path) != text] + _surplus(folder, pages))


@contextmanager
def _without_collection() -> Iterator[None]:
    """Without looking for garbage: of what is read here there is none, and looking takes a third of the time."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


@_without_collection()
def read_records(folder: Path, protocol: str = "*") -> dict[str, list[Record]]:
    """{protocol: its records} of a board, or those of one protocol.

    Raises InvalidInputError for a record that cannot be read or is in the wrong place.
    """
    found: dict[str, list[Record]] = defaultdict(list)
    for path in sorted((folder / "records").glob(f"{protocol}/**/*.json")):
        record = read_record(path)
        place = f"{record.protocol.id}/{record.setting}/{record.attack.setting}.json"
        if path.relative_to(folder / "records").as_posix() != place:
            raise InvalidInputError(f"{path}: the record says that it belongs to records/{place}; move it there")
        found[record.protocol.id].append(record)
    return found


def read_published(folder: Path) -> tuple[PublishedTable, ...]:
    """The numbers that others published, from `published.yaml`; none where there is no such file."""
    path = folder / "published.yaml"
    if not path.exists():
        return ()
    document = read_yaml(path)
    parsed = document.parse(Published)
    document.check()
    return parsed.tables if parsed else ()


def figures_of(folder: Path, board: Board, published: tuple[PublishedTable, ...]) -> list[dict[str, str]]:
    """The pictures of a protocol that are in `plots/`: file, what it shows, and what to know about it.

    They are made by `veilbench plot`; a figure that shows other numbers than the records of today says so.
    """
    names = sorted((folder / "plots").glob(f"{board.protocol}.*"))
    files = sorted(names, key=lambda path: path.stem)  # a comparison's figure before the one by recogniser
    today = charts_of(board, published) if files else {}
    found = []
    for file in files:
        what = file.name.removeprefix(f"{board.protocol}.").removesuffix(file.suffix)
        note = ""
        if what in today and file.suffix == ".svg" and made_from_of(file) != today[what].digest:
            note = f"Drawn from earlier records; `veilbench plot {board.protocol}` draws it anew."
        found.append({"file": f"plots/{file.name}", "what": what, "note": note})
    return found


def charts_of(board: Board, published: tuple[PublishedTable, ...]) -> Mapping[str, AnyChart]:
    """{what it shows: chart} of a board's figures, as its records of today would have them."""
    records = [record for row in board.rows for record in row.records]
    if rows_of(board):
        return scenario_figures(records)
    return figures(records, published_eers(published), board.further)


def _page(folder: Path, board: Board, published: tuple[PublishedTable, ...]) -> str:
    shown = figures_of(folder, board, published)
    if not rows_of(board):
        return _finished(_environment().get_template("protocol.md.j2"), board=board, figures=shown)
    # The sheet and the summaries, schemes in the order of their names; then what is folded away.
    order = ("sheet", "summary", "linkability", "distributions")
    kinds = [[one for one in shown if one["what"].partition("-")[0] == kind] for kind in order]
    template = _environment().get_template("scenarios.md.j2")
    return _finished(template, board=board, figures=kinds[0] + kinds[1], folded=kinds[2] + kinds[3])


def _surplus(folder: Path, pages: Mapping[Path, str]) -> list[Path]:
    """Generated pages of protocols that have no records any more; pages that people wrote are left alone."""
    return sorted(path for path in folder.glob("*.md") if path not in pages and MARK in (_text(path) or ""))


def _text(path: Path) -> str | None:
    return path.read_bytes().decode("utf-8", "replace") if path.exists() else None


def _finished(template: Template, **values: Any) -> str:
    """A page's text: no more than one blank line in a row, and one line feed at its end."""
    return re.sub(r"\n{3,}", "\n\n", template.render(**values)).strip() + "\n"


@lru_cache(maxsize=1)
def _environment() -> Environment:
    """Made once: it keeps the templates that it has compiled."""
    environment = Environment(
        loader=PackageLoader("benchmark", "templates/leaderboard"),
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True,
        autoescape=False,  # Markdown; what comes from submissions goes through `plain`
    )  # fmt: skip
    environment.filters |= {"plain": tables.plain, "table": tables.table}
    environment.globals |= {"MARK": MARK, "METRICS": METRICS, "tables": tables, "published_rows": published_rows}
    environment.globals |= {"scenario_tables": scenario_tables}
    return environment


def published_rows(published: PublishedTable, boards: list[Board]) -> list[dict[str, str]]:
    """Published numbers with what was measured here for the same settings, worst case, by protocol."""
    metric, found = METRICS[published.metric], []
    measured = {board.protocol: {row.setting: row for row in board.rows if row.cells} for board in boards}
    settings = {one.setting for one in published.rows}
    beside = [protocol for protocol, rows in measured.items() if settings & set(rows)]
    for one in published.rows:
        row = {"published as": one.name}
        row |= {f"published: {what}": metric.show(value) for what, value in one.values.items()}
        row["setting here"] = one.setting
        for protocol in beside:
            own = measured[protocol].get(one.setting)
            row[f"worst case here: {protocol}"] = tables.show("eer", own.worst.metrics["eer"]) if own else "–"
        found.append(row)
    return found
