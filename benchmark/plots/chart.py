"""Records of one protocol -> what its figures show: no picture yet, so that the board can tell which are out of date.

A protocol whose settings differ in one number (a window's offset, its size, and whatever else besides) is a sweep: EER
over that number. Any other protocol is a list of settings.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, Protocol, TypeAlias

from benchmark.digest import digest
from benchmark.record import Record
from benchmark.tables import natural

#: Fewer positions are no sweep.
POSITIONS = 3
#: {recogniser: {what: {setting: EER}}} that others published of recognisers of its kind.
PublishedEers: TypeAlias = Mapping[str, Mapping[str, Mapping[str, float]]]


@dataclass(frozen=True)
class Point:
    """An EER with its interval (shares, 0..1), at a position or a setting."""

    at: float | str
    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Line:
    """One attack's points, in the order of the sweep or of the settings."""

    attack: str
    #: Whether the attack is its own recogniser: it returned embeddings.
    own: bool
    points: tuple[Point, ...]


@dataclass(frozen=True)
class Panel:
    """What one recogniser sees of one part of a sweep, or of all settings."""

    recogniser: str
    #: What the settings of this part share and the others do not: `layer`; empty where there is only one part.
    part: str
    lines: tuple[Line, ...]
    #: EER of unprotected data through this recogniser.
    unprotected: float | None
    #: {what: {setting: EER}} that others published of a recogniser of this kind.
    published: Mapping[str, Mapping[str, float]]


@dataclass(frozen=True)
class Chart:
    """One comparison of one protocol, as small multiples."""

    protocol: str
    comparison: str
    kind: Literal["sweep", "settings"]
    #: The number that is swept; the settings have none.
    parameter: str | None
    #: Numbers that all settings of a sweep share: {"size": 4.0}.
    fixed: Mapping[str, float]
    panels: tuple[Panel, ...]

    @property
    def digest(self) -> str:
        """SHA-256 of all that the figure shows."""
        return digest("chart", asdict(self))

    @property
    def attacks(self) -> list[str]:
        """Every attack in it."""
        return sorted({line.attack for panel in self.panels for line in panel.lines}, key=natural)

    @property
    def published(self) -> list[str]:
        """What others published of settings in it."""
        return list(dict.fromkeys(what for panel in self.panels for what in panel.published))


@dataclass(frozen=True)
class Sweep:
    """How a protocol's settings differ: one number, and parts in which everything else agrees."""

    parameter: str
    fixed: Mapping[str, float]
    #: {setting: (position, part)}.
    places: Mapping[str, tuple[float, str]]


def sweep_of(settings: Mapping[str, tuple[str, Mapping[str, Any]]]) -> Sweep | None:
    """The sweep that {setting: (protector, parameters)} make; None where they make none.

    Settings whose protector has no other setting (no protection, full encryption) are left out.
    """
    count = Counter(protector for protector, _ in settings.values())
    rows = {
        name: {"protector": protector, **parameters}
        for name, (protector, parameters) in settings.items()
        if count[protector] >= POSITIONS
    }
    names = sorted({name for row in rows.values() for name in row})
    varying = [name for name in names if len({repr(row.get(name)) for row in rows.values()}) > 1]
    numbers = [name for name in varying if all(_is_number(row.get(name)) for row in rows.values())]
    for number in sorted(numbers, key=lambda name: -len({row[name] for row in rows.values()})):
        others = _telling([name for name in varying if name != number], rows)
        parts = {name: ", ".join(_said(other, row.get(other)) for other in others) for name, row in rows.items()}
        positions: dict[str, list[float]] = defaultdict(list)
        for name, part in parts.items():
            positions[part].append(float(rows[name][number]))
        if all(POSITIONS <= len(one) == len(set(one)) for one in positions.values()):
            first = next(iter(rows.values()))
            fixed = {name: float(first[name]) for name in names if name not in varying and _is_number(first[name])}
            return Sweep(number, fixed, {name: (float(rows[name][number]), parts[name]) for name in rows})
    return None


def good_records(records: Iterable[Record]) -> list[Record]:
    """Those that ended well, in the order of settings and attacks."""
    return sorted(
        (record for record in records if record.status == "ok"),
        key=lambda record: (natural(record.setting), natural(record.attack.setting)),
    )


def charts(
    records: Iterable[Record], published: PublishedEers | None = None, without: Collection[str] = ()
) -> dict[str, Chart]:
    """{comparison: chart} of one protocol's records; those that did not end well are left out.

    `published`: of `published_eers`; only settings among the records are shown. `without`: recognisers that have no
    panel here, as they see few of the attacks.
    """
    good = good_records(records)
    sweep = sweep_of({record.setting: (record.protector.id, record.protector.parameters) for record in good})
    found = {}
    for comparison in sorted({name for record in good for name in record.results}):
        found[comparison] = Chart(
            protocol=good[0].protocol.id,
            comparison=comparison,
            kind="sweep" if sweep else "settings",
            parameter=sweep.parameter if sweep else None,
            fixed=sweep.fixed if sweep else {},
            panels=tuple(_panels(good, comparison, sweep, published or {}, without)),
        )
    return found


class PublishedRow(Protocol):
    """One setting's published numbers, as `benchmark.leaderboard` reads them."""

    @property
    def setting(self) -> str: ...
    @property
    def values(self) -> Mapping[str, float]: ...


class PublishedTable(Protocol):
    """A published table."""

    @property
    def metric(self) -> str: ...
    @property
    def beside(self) -> Sequence[str]: ...
    @property
    def rows(self) -> Sequence[PublishedRow]: ...


def published_eers(tables: Iterable[PublishedTable]) -> PublishedEers:
    """The EERs of the published tables, for each recogniser beside which they stand."""
    found: dict[str, dict[str, dict[str, float]]] = defaultdict(lambda: defaultdict(dict))
    for table in tables:
        for row in table.rows if table.metric == "eer" else ():
            for what, value in row.values.items():
                for recogniser in table.beside:
                    found[recogniser][what][row.setting] = value
    return {recogniser: dict(eers) for recogniser, eers in found.items()}


def _panels(
    records: Sequence[Record], comparison: str, sweep: Sweep | None, published: PublishedEers, without: Collection[str]
) -> Iterable[Panel]:
    """A panel for each recogniser and part; an attack that is its own recogniser stands in the panels of all."""
    seen = {name for record in records for name in record.recognisers if record.attack.returns == "images"}
    recognisers = sorted(seen - set(without))
    parts = list(dict.fromkeys(part for _, part in sweep.places.values())) if sweep else [""]
    for recogniser in recognisers or sorted({name for record in records for name in record.recognisers}):
        for part in sorted(parts, key=natural):
            points: dict[tuple[str, bool], list[Point]] = defaultdict(list)
            for record in records:
                place = sweep.places.get(record.setting) if sweep else (record.setting, "")
                if place is None or place[1] != part:
                    continue
                point = point_of(record, comparison, recogniser, place[0])
                if point is not None:
                    points[record.attack.setting, record.attack.returns == "embeddings"].append(point)
            lines = [Line(*name, tuple(in_order(found, sweep))) for name, found in sorted(points.items())]
            bases = [record.baseline[recogniser].eer.value for record in records if recogniser in record.baseline]
            known = {} if sweep else _of_settings(published.get(recogniser, {}), {one.setting for one in records})
            yield Panel(recogniser, part, tuple(lines), bases[0] if bases else None, known)


def _of_settings(eers: Mapping[str, Mapping[str, float]], settings: set[str]) -> dict[str, dict[str, float]]:
    found = {what: {name: eer for name, eer in values.items() if name in settings} for what, values in eers.items()}
    return {what: values for what, values in found.items() if values}


def point_of(record: Record, comparison: str, recogniser: str, at: float | str) -> Point | None:
    """The EER of a record through a recogniser, or through the attack's own embeddings; None where it has none."""
    seen = record.results.get(comparison, {})
    own = record.attack.returns == "embeddings" and record.attack.setting in seen
    name = record.attack.setting if own else recogniser
    value = seen.get(name, {}).get("eer")
    if value is None or value.value is None:
        return None
    low, high = (value.value if end is None else end for end in (value.low, value.high))
    return Point(at, value.value, low, high)


def in_order(points: list[Point], sweep: Sweep | None) -> list[Point]:
    """Points along the sweep; those of named settings stay as they are."""
    return sorted(points, key=lambda point: float(point.at)) if sweep else points


def _telling(names: Sequence[str], rows: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Of the parameters that vary, those that are needed to tell the parts apart: texts first, then the rest."""

    def parts(chosen: Sequence[str]) -> int:
        return len({tuple(repr(row.get(name)) for name in chosen) for row in rows.values()})

    first = next(iter(rows.values()))
    chosen: list[str] = []
    for name in sorted(names, key=lambda name: (not isinstance(first.get(name), str), name)):
        if parts([*chosen, name]) > parts(chosen):
            chosen.append(name)
    return chosen


def _said(name: str, value: object) -> str:
    """A parameter's value as it is said of a part: `layer`, but `segmentation symbols: off`.

    >>> _said("progression", "layer"), _said("segmentation_symbols", False), _said("code_block", 32)
    ('layer', 'segmentation symbols: off', 'code block: 32')
    """
    spoken = name.replace("_", " ")
    if isinstance(value, bool):
        return f"{spoken}: {'on' if value else 'off'}"
    if isinstance(value, str) and not value.isdecimal():
        return value
    return f"{spoken}: {value}"


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
