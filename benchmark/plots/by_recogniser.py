"""What many recognisers see of a few attacks: panels of traditional descriptors beside panels of deep networks.

`benchmark.plots.chart` has a panel for each recogniser and a line for each attack; here it is the other way round, for
the attacks that further recognisers see.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Literal, TypeAlias

from benchmark.digest import digest
from benchmark.plots.chart import Chart, Point, PublishedEers, Sweep, charts, good_records, in_order, point_of, sweep_of
from benchmark.recognisers.kinds import KINDS, by_kind, kind_of
from benchmark.record import Record
from benchmark.tables import natural

#: {attack: the recognisers that see it beside those that see every attack}.
Further: TypeAlias = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Eyes:
    """What one recogniser sees, in the order of the sweep or of the settings."""

    recogniser: str
    points: tuple[Point, ...]
    #: EER of unprotected data.
    unprotected: float | None


@dataclass(frozen=True)
class KindPanel:
    """One attack on one part of a sweep, or on all settings, through the recognisers of one kind."""

    attack: str
    part: str
    kind: Literal["traditional", "deep"]
    lines: tuple[Eyes, ...]

    @property
    def row(self) -> str:
        """What its neighbour of the other kind shares with it."""
        return " · ".join(word for word in (self.attack, self.part) if word)


@dataclass(frozen=True)
class KindChart:
    """One comparison of one protocol through all recognisers of the attacks that further ones see."""

    protocol: str
    comparison: str
    kind: Literal["sweep", "settings"]
    parameter: str | None
    fixed: Mapping[str, float]
    panels: tuple[KindPanel, ...]

    @property
    def digest(self) -> str:
        """SHA-256 of all that the figure shows."""
        return digest("chart by recogniser", asdict(self))

    @property
    def recognisers(self) -> list[str]:
        """Every recogniser in it, traditional ones first."""
        return by_kind({line.recogniser for panel in self.panels for line in panel.lines})


def figures(
    records: Iterable[Record], published: PublishedEers | None = None, further: Further | None = None
) -> dict[str, Chart | KindChart]:
    """{what it shows: chart} of one protocol's records: each comparison by attack, and where records hold further
    recognisers, each comparison by recogniser too.

    `further`: which attacks are seen through which recognisers beside those that see every attack.
    """
    good, more = good_records(records), further or {}
    found: dict[str, Chart | KindChart] = dict(
        charts(good, published, {name for names in more.values() for name in names})
    )
    sweep = sweep_of({record.setting: (record.protector.id, record.protector.parameters) for record in good})
    for comparison in list(found):
        panels = tuple(_panels(good, comparison, sweep, more))
        if panels:
            found[f"{comparison}-by-recogniser"] = KindChart(
                protocol=good[0].protocol.id,
                comparison=comparison,
                kind="sweep" if sweep else "settings",
                parameter=sweep.parameter if sweep else None,
                fixed=sweep.fixed if sweep else {},
                panels=panels,
            )
    return found


def _panels(records: Sequence[Record], comparison: str, sweep: Sweep | None, further: Further) -> Iterable[KindPanel]:
    parts = sorted({part for _, part in sweep.places.values()}, key=natural) if sweep else [""]
    for attack in sorted(further, key=natural):
        own = [one for one in records if one.attack.setting == attack and one.attack.returns == "images"]
        names = {name for one in own for name in one.recognisers}
        if not names & set(further[attack]):
            continue  # the figure by attack shows them all
        for part in parts:
            for kind in KINDS:
                eyes = [_eyes(own, comparison, name, sweep, part) for name in by_kind(names) if kind_of(name) == kind]
                yield KindPanel(attack, part, kind, tuple(one for one in eyes if one.points))


def _eyes(records: Sequence[Record], comparison: str, recogniser: str, sweep: Sweep | None, part: str) -> Eyes:
    points = []
    for record in records:
        place = sweep.places.get(record.setting) if sweep else (record.setting, "")
        if place is not None and place[1] == part:
            points.append(point_of(record, comparison, recogniser, place[0]))
    bases = [record.baseline[recogniser].eer.value for record in records if recogniser in record.baseline]
    return Eyes(recogniser, tuple(in_order([one for one in points if one], sweep)), bases[0] if bases else None)
