"""Records of an all-pairs protocol -> what its figures show: no picture yet, and no score is read.

What comes from score files is named by their digests, so that a figure can be told to be out of date by records alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import TypeAlias

from benchmark.digest import digest
from benchmark.plots.chart import Point, good_records, point_of
from benchmark.recognisers.kinds import by_kind
from benchmark.record import Record
from benchmark.scenario_ranking import DIFFERENT, SAME, SCENARIOS, UNKEYED


@dataclass(frozen=True)
class Marks:
    """EERs of one scenario, or of one attack in it, a point for each setting that has one."""

    scenario: str
    #: Empty for what was stolen, as it is.
    attack: str
    points: tuple[Point, ...]


@dataclass(frozen=True)
class FamilyPanel:
    """What one recogniser sees of all settings of a scheme."""

    recogniser: str
    #: EER of unprotected data.
    unprotected: float | None
    marks: tuple[Marks, ...]


@dataclass(frozen=True)
class FamilyChart:
    """EERs of one scheme's settings in every scenario, a panel a recogniser."""

    protocol: str
    family: str
    settings: tuple[str, ...]
    panels: tuple[FamilyPanel, ...]

    @property
    def digest(self) -> str:
        """SHA-256 of all that the figure shows."""
        return digest("family chart", asdict(self))


@dataclass(frozen=True)
class Linked:
    """One setting's D_sys through one recogniser, and its floor."""

    setting: str
    recogniser: str
    d_sys: float | None
    floor: float | None


@dataclass(frozen=True)
class LinkabilityChart:
    """The curves D(s) of one scheme's settings, a panel a recogniser; {setting: (scenario, digest of its scores)}."""

    protocol: str
    family: str
    sources: dict[str, tuple[str, str]]
    linked: tuple[Linked, ...]

    @property
    def digest(self) -> str:
        """SHA-256 of all that the figure shows."""
        return digest("linkability chart", asdict(self))

    @property
    def recognisers(self) -> list[str]:
        return by_kind({one.recogniser for one in self.linked})


@dataclass(frozen=True)
class DistributionChart:
    """The score distributions of one setting in every scenario, a panel a recogniser."""

    protocol: str
    setting: str
    #: Whether protected samples are compared on the recogniser's own scale.
    same_scale: bool
    recognisers: tuple[str, ...]
    scenarios: tuple[str, ...]
    scores: str

    @property
    def digest(self) -> str:
        """SHA-256 of all that the figure shows."""
        return digest("distribution chart", asdict(self))


ScenarioChart: TypeAlias = FamilyChart | LinkabilityChart | DistributionChart


def scenario_figures(records: Iterable[Record]) -> dict[str, ScenarioChart]:
    """{what it shows: chart} of one all-pairs protocol's records; those that did not end well are left out.

    For each scheme its EERs (`summary-SCHEME`) and its curves D(s) (`linkability-SCHEME`), for each setting its score
    distributions (`distributions-SETTING`).
    """
    good = good_records(records)
    families: dict[str, list[Record]] = {}
    for record in good:
        families.setdefault(record.protector.id, []).append(record)
    found: dict[str, ScenarioChart] = {f"summary-{name}": _family(own) for name, own in families.items()}
    for name, own in families.items():
        chart = _linkability(own)
        if chart.linked:
            found[f"linkability-{name}"] = chart
    for record in good:
        if record.attack.returns == "protected" and record.scores is not None:
            found[f"distributions-{record.setting}"] = _distributions(record, record.scores.digest)
    return found


def _family(own: Sequence[Record]) -> FamilyChart:
    recognisers = by_kind({name for one in own for name in one.recognisers if name != one.attack.setting})
    lines = [(scenario, "") for scenario in SCENARIOS]
    inverted = {
        (scenario, one.attack.setting) for one in own if one.attack.returns != "protected" for scenario in one.results
    }
    lines += sorted(inverted)
    return FamilyChart(
        protocol=own[0].protocol.id,
        family=own[0].protector.id,
        settings=tuple(dict.fromkeys(one.setting for one in own)),
        panels=tuple(_panel(own, name, lines) for name in recognisers),
    )


def _panel(own: Sequence[Record], recogniser: str, lines: Sequence[tuple[str, str]]) -> FamilyPanel:
    marks = []
    for scenario, attack in lines:
        mine = [one for one in own if (one.attack.returns == "protected") != bool(attack)]
        mine = [one for one in mine if attack in ("", one.attack.setting)]
        points = [point_of(one, scenario, recogniser, one.setting) for one in mine]
        marks.append(Marks(scenario, attack, tuple(point for point in points if point)))
    bases = [one.baseline[recogniser].eer.value for one in own if recogniser in one.baseline]
    return FamilyPanel(recogniser, bases[0] if bases else None, tuple(one for one in marks if one.points))


def _linkability(own: Sequence[Record]) -> LinkabilityChart:
    sources, linked = {}, []
    for record in own:
        scenario = SAME if set(record.results) <= set(UNKEYED) else DIFFERENT
        seen = record.results.get(scenario, {})
        if record.attack.returns != "protected" or record.scores is None or not seen:
            continue
        sources[record.setting] = scenario, record.scores.digest
        for name, metrics in sorted(seen.items()):
            if "d_sys" in metrics:
                floor = metrics.get("d_sys_floor")
                linked.append(Linked(record.setting, name, metrics["d_sys"].value, floor.value if floor else None))
    return LinkabilityChart(own[0].protocol.id, own[0].protector.id, sources, tuple(linked))


def _distributions(record: Record, scores: str) -> DistributionChart:
    return DistributionChart(
        protocol=record.protocol.id,
        setting=record.setting,
        same_scale=record.protector.domain != "template",
        recognisers=tuple(by_kind(record.recognisers)),
        scenarios=tuple(scenario for scenario in SCENARIOS if scenario in record.results),
        scores=scores,
    )
