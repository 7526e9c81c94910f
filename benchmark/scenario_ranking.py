"""Records of an all-pairs protocol -> ranked rows: what a scheme keeps, and what it withstands, by key scenario.

The scenarios are those of ISO/IEC 24745 and 30136. Same key and a key per subject say how well protected samples still
tell people apart; different keys, and protected samples against originals, say how well they are protected. Pure: no
file is read and nothing is written here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from benchmark.ranking import Board, Cell, CurrentDigests, Row, cells_of, pareto_front, stale_reasons, tie_groups
from benchmark.record import Record, Value
from benchmark.scenarios import KEYLESS, SETS
from benchmark.submission import applies

SAME, OWN, DIFFERENT, STOLEN, ORIGINAL = (
    "same-key", "key-per-subject", "different-keys", "stolen-key", "protected-original",
)  # fmt: skip
#: In the order of every table and figure.
SCENARIOS: tuple[str, ...] = tuple(SETS)
#: Where distributions should stay apart, and where they should lie on each other.
PRESERVATION, PROTECTION = (SAME, OWN), (DIFFERENT, ORIGINAL)
#: All that is compared where there is no key.
UNKEYED: tuple[str, ...] = tuple(KEYLESS)


def is_all_pairs(records: Iterable[Record]) -> bool:
    """Whether records are of a protocol that compares every two samples in key scenarios; else of a pair list."""
    return any(
        record.attack.returns in ("protected", "templates") or set(record.results) & (set(SCENARIOS) - {ORIGINAL})
        for record in records
    )


@dataclass(frozen=True)
class ScenarioRow(Row):
    """One setting of a scheme with all its records.

    Its security is the lowest EER, through any recogniser, between different keys or against originals: of what was
    stolen, and of what every attack makes of it. A scheme without a key protects everybody alike, whose samples can be
    linked as they are: there `same-key` counts in the place of different keys.
    """

    #: Whether its output depends on no key: it was compared in no scenario that has several.
    unkeyed: bool = False

    @property
    def deciding(self) -> tuple[Cell, ...]:
        """The cells over which the worst case is taken."""
        return tuple(cell for cell in self.cells if cell.comparison in (UNKEYED if self.unkeyed else PROTECTION))

    @property
    def linked_in(self) -> str:
        """The scenario in which two data bases would be linked."""
        return SAME if self.unkeyed else DIFFERENT

    @property
    def inversion(self) -> tuple[Cell, ...]:
        """The cells of attacks that give back an image or a template of the recogniser's own."""
        inverted = {one.attack.setting for one in self.records if one.attack.returns in ("images", "templates")}
        return tuple(cell for cell in self.cells if cell.attack in inverted)

    def rise(self, cell: Cell) -> float | None:
        """How far a cell's EER lies above that of unprotected data, as a share; None where that is not known."""
        for record in self.records:
            base = record.baseline.get(cell.recogniser)
            if base is not None and base.eer.value is not None:
                return cell.eer - base.eer.value
        return None

    def rises(self, scenario: str) -> list[tuple[float, Cell]]:
        """(rise of the EER, cell) of what was stolen, in a scenario of PRESERVATION: the greatest rise first."""
        plain = {one.attack.setting for one in self.records if one.attack.returns == "protected"}
        own = [cell for cell in self.cells if cell.comparison == scenario and cell.attack in plain]
        known = [(rise, cell) for cell in own if (rise := self.rise(cell)) is not None]
        return sorted(known, key=lambda one: (-one[0], one[1].recogniser))

    @property
    def greatest_rise(self) -> float | None:
        """The rise in the worst scenario of PRESERVATION through the worst recogniser."""
        return max((rise for scenario in PRESERVATION for rise, _ in self.rises(scenario)), default=None)

    def highest(self, metric: str, *scenarios: str) -> tuple[Cell, Value] | None:
        """The cell in which a metric is highest, with its value; None where no cell has one."""
        found = [(cell, cell.metrics[metric]) for cell in self.cells if metric in cell.metrics]
        known = [(cell, one) for cell, one in found if cell.comparison in scenarios and one.value is not None]
        return max(known, key=lambda pair: pair[1].value or 0.0, default=None)


def rank_scenarios(protocol: str, records: Iterable[Record], current: CurrentDigests | None = None) -> Board:
    """Rank the records of one all-pairs protocol; every row of the board is a `ScenarioRow`.

    A row is complete if every attack that applies to its domain and scheme has a record with status ok, through every
    recogniser that sees that domain, in every scenario in which the attack is scored. Complete rows stand in the order
    of their worst case and get ranks by `tie_groups`. On the Pareto front are those than which no other is at least as
    secure with at most as great a rise of the EER by protecting.
    """
    everyone = sorted(records, key=lambda record: (record.setting, record.attack.setting))
    by_setting: dict[str, list[Record]] = {}
    for record in everyone:
        by_setting.setdefault(record.setting, []).append(record)
    rows = [_row(setting, own, everyone, current) for setting, own in by_setting.items()]
    ordered = sorted((row for row in rows if not row.missing), key=lambda row: (-row.worst.eer, row.setting))
    ranks = tie_groups([row.worst_replicates for row in ordered])
    front = pareto_front([(row.worst.eer, row.greatest_rise) for row in ordered])
    ranked = tuple(replace(row, rank=r, pareto=p) for row, r, p in zip(ordered, ranks, front, strict=True))
    run = {record.attack.setting for record in everyone}
    listed = (current.listed_attacks or {}).get(protocol, ()) if current else ()
    return Board(
        protocol, ranked, tuple(row for row in rows if row.missing), tuple(name for name in listed if name not in run)
    )


def rows_of(board: Board) -> list[ScenarioRow]:
    """The rows of a board that `rank_scenarios` made."""
    return [row for row in board.rows if isinstance(row, ScenarioRow)]


def _row(
    setting: str, own: Sequence[Record], everyone: Sequence[Record], current: CurrentDigests | None
) -> ScenarioRow:
    unkeyed = _unkeyed(own)
    stale = tuple(dict.fromkeys(reason for record in own for reason in stale_reasons(record, current)))
    row = ScenarioRow(setting, tuple(own), cells_of(own), _missing(own, everyone, unkeyed), stale, unkeyed=unkeyed)
    if row.deciding or row.missing:
        return row
    return replace(row, missing=(f"no result in {' or '.join(UNKEYED if unkeyed else PROTECTION)}",))


def _unkeyed(own: Iterable[Record]) -> bool:
    """A record of what was stolen has all scenarios that apply: without a key, none that tells keys apart."""
    plain = [one for one in own if one.attack.returns == "protected" and one.status == "ok"]
    return bool(plain) and all(set(one.results) <= set(UNKEYED) for one in plain)


def _missing(own: Sequence[Record], everyone: Sequence[Record], unkeyed: bool) -> tuple[str, ...]:
    """What a row lacks, against what is on the board of its domain."""
    target = own[0].protector
    peers = [record for record in everyone if record.protector.domain == target.domain]
    eyes = {name for one in peers for name in one.recognisers if name != one.attack.setting}
    by_attack = {record.attack.setting: record for record in own}
    found: list[str] = []
    for name, attack in sorted({record.attack.setting: record.attack for record in everyone}.items()):
        scored = {scenario for one in peers if one.attack.setting == name for scenario in one.results}
        wanted = scored & set(UNKEYED) if unkeyed else scored
        record = by_attack.get(name)
        if record is None:
            # An attack that is scored between keys alone has nothing to do where there is no key.
            meant = attack.protectors is None or target.id in attack.protectors
            meant = meant and applies(attack.domains, attack.formats, target.domain, target.format)
            if meant and (wanted or not scored):
                found.append(f"{name} was not run")
        elif record.status != "ok":
            found.append(f"{name}: {record.status}" + (f" ({record.reason})" if record.reason else ""))
        else:
            found += _lacking(name, record, wanted, eyes)
    return tuple(found)


def _lacking(name: str, record: Record, scenarios: Iterable[str], eyes: Iterable[str]) -> list[str]:
    """The results that a record lacks, a scenario that it lacks altogether once."""
    held: Mapping[str, set[str]] = {scenario: set() for scenario in scenarios}
    for cell in cells_of([record]):
        held.get(cell.comparison, set()).add(cell.recogniser)
    own = {name} if name in record.recognisers else set(eyes)  # an attack may be its own recogniser
    found = []
    for scenario in sorted(held, key=SCENARIOS.index):
        lacking = sorted(own - held[scenario])
        if lacking and not held[scenario]:
            found.append(f"{name}: no result in {scenario}")
        else:
            found += [f"{name}: no result for {one}, {scenario}" for one in lacking]
    return found
