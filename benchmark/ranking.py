"""Records of one protocol -> ranked rows: worst case, statistical ties, Pareto front, incomplete and stale rows.

Pure: no file is read and nothing is written here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from benchmark.metrics.descriptors import METRICS, Metric
from benchmark.metrics.operating_points import Floats
from benchmark.metrics.statistics import interval
from benchmark.record import IMPOSTORS_ACCEPTED_FLAG, Record, Value
from benchmark.submission import applies


@dataclass(frozen=True)
class CurrentDigests:
    """What records must carry to be up to date: {id: digest}; None where it cannot be told.

    `datasets` goes by protocol, since a data set's digest is that of the samples which a protocol takes from it; only
    protocols that state it are there. `settings` goes by protocol and setting: what the protocol now says of the
    parameters of a protector's or an attack's setting; settings that joined a run uninvited are not there.
    """

    protocols: Mapping[str, str] | None = None
    protectors: Mapping[str, str] | None = None
    attacks: Mapping[str, str] | None = None
    recognisers: Mapping[str, str] | None = None
    datasets: Mapping[str, str] | None = None
    settings: Mapping[tuple[str, str], Mapping[str, Any]] | None = None
    #: The attacks that each protocol lists, by the names of their settings.
    listed_attacks: Mapping[str, Sequence[str]] | None = None
    #: {protocol: {attack's setting: the recognisers that see it beside those that see every attack}}.
    further_recognisers: Mapping[str, Mapping[str, Sequence[str]]] | None = None


@dataclass(frozen=True)
class Cell:
    """One attack on one setting, seen through one recogniser in one comparison."""

    attack: str
    comparison: str
    recogniser: str
    metrics: Mapping[str, Value]
    #: Bootstrap EERs; NaN where a resample cannot tell.
    replicates: Floats
    #: Whether the operating threshold still tells people apart here: impostors are not accepted in numbers too.
    threshold_holds: bool = True

    @property
    def eer(self) -> float:
        value = self.metrics["eer"].value
        assert value is not None  # every score set has one
        return value


@dataclass(frozen=True)
class Row:
    """One setting of a protector with all its records."""

    setting: str
    records: tuple[Record, ...]
    cells: tuple[Cell, ...]
    #: Why it is not ranked; empty for ranked rows.
    missing: tuple[str, ...] = ()
    stale: tuple[str, ...] = ()
    rank: int | None = None
    pareto: bool = False

    @property
    def deciding(self) -> tuple[Cell, ...]:
        """The cells over which the worst case is taken: all of them."""
        return self.cells

    @property
    def worst(self) -> Cell:
        """The cell with the lowest EER: what the strongest attack through the best recogniser reaches."""
        return min(self.deciding, key=lambda cell: (cell.eer, cell.attack, cell.recogniser, cell.comparison))

    @property
    def success(self) -> Value | None:
        """The highest attack success rate of the cells in which the threshold holds; None where there is none.

        Where attacked samples are accepted whoever they show, a rate counts the likeness of artefacts; the cells'
        own table has it, with its flag.
        """
        rates = [cell.metrics.get("attack_success_rate") for cell in self.deciding if cell.threshold_holds]
        known = [rate for rate in rates if rate is not None and rate.value is not None]
        return max(known, key=lambda rate: rate.value or 0.0, default=None)

    @property
    def worst_replicates(self) -> Floats:
        """The lowest EER of the deciding cells in each bootstrap resample."""
        shortest = min((cell.replicates.size for cell in self.deciding), default=0)
        return np.asarray(np.min([cell.replicates[:shortest] for cell in self.deciding], axis=0))

    @property
    def encrypted_share(self) -> float | None:
        return next((r.cost.encrypted_share for r in self.records if r.cost.encrypted_share is not None), None)


@dataclass(frozen=True)
class Board:
    """One protocol's rows: ranked from the most secure down, then those that are not ranked, by name."""

    protocol: str
    ranked: tuple[Row, ...]
    unranked: tuple[Row, ...]
    #: Attacks that the protocol lists and nobody has run: every worst case here is without them.
    outstanding: tuple[str, ...] = ()
    #: {attack: the recognisers that see it beside those that see every attack}, for attacks that have some.
    further: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def rows(self) -> tuple[Row, ...]:
        return self.ranked + self.unranked


def rank(protocol: str, records: Iterable[Record], current: CurrentDigests | None = None) -> Board:
    """Rank the records of one protocol.

    A row is complete if every attack on the board that applies to its domain and format has a record with status ok
    through every recogniser and comparison on the board; further recognisers are asked of the attacks that they see
    alone, and of those whether or not any record has them. Complete rows stand in the order of their worst case EER and
    get ranks by `tie_groups`.
    """
    named = ((current.further_recognisers or {}) if current else {}).get(protocol, {})
    further = {attack: tuple(names) for attack, names in named.items() if names}
    all_records = sorted(records, key=lambda record: (record.setting, record.attack.setting))
    rows = []
    for setting in sorted({record.setting for record in all_records}):
        own = tuple(record for record in all_records if record.setting == setting)
        reasons = tuple(dict.fromkeys(reason for record in own for reason in stale_reasons(record, current)))
        rows.append(Row(setting, own, cells_of(own), _missing(own, all_records, further), reasons))
    complete = [row for row in rows if not row.missing]
    ordered = sorted(complete, key=lambda row: (-row.worst.eer, row.setting))
    ranks = tie_groups([row.worst_replicates for row in ordered])
    front = pareto_front([(row.worst.eer, row.encrypted_share) for row in ordered])
    ranked = [replace(row, rank=r, pareto=p) for row, r, p in zip(ordered, ranks, front, strict=True)]
    run = {record.attack.setting for record in all_records}
    listed = (current.listed_attacks or {}).get(protocol, ()) if current else ()
    outstanding = tuple(name for name in listed if name not in run)
    return Board(protocol, tuple(ranked), tuple(row for row in rows if row.missing), outstanding, further)


def tie_groups(replicates: Sequence[Floats]) -> list[int]:
    """Ranks (1, 1, 3, ...) of rows that stand in order, best first, by a paired bootstrap of their worst cases.

    The best row opens a group. Each following row joins it if the 95 % interval of (the group's first row - this row),
    resample by resample, contains 0; the first that does not opens the next group. Tied rows share the rank of their
    group's first row. The rule compares with one row of the group only, so ties do not chain.

    >>> tie_groups([np.array([0.5, 0.4]), np.array([0.4, 0.5]), np.array([0.1, 0.1])])
    [1, 1, 3]
    """
    ranks: list[int] = []
    leader = 0
    for position, own in enumerate(replicates):
        shared = min(own.size, replicates[leader].size)
        low, high = interval(replicates[leader][:shared] - own[:shared])
        if not low <= 0 <= high and position != leader:
            leader = position
        ranks.append(leader + 1)
    return ranks


def pareto_front(points: Sequence[tuple[float, float | None]]) -> list[bool]:
    """Which (worst case EER, share of bytes encrypted) no other point beats; unknown shares are on no front.

    >>> pareto_front([(0.5, 1.0), (0.4, 0.1), (0.3, 0.2), (0.4, None)])
    [True, True, False, False]
    """
    security, price = METRICS["eer"], METRICS["encrypted_share"]
    signed = [None if share is None else (_sign(security) * eer, _sign(price) * share) for eer, share in points]

    def beaten(own: tuple[float, float]) -> bool:
        return any(other is not None and other != own and other[0] >= own[0] and other[1] >= own[1] for other in signed)

    return [own is not None and not beaten(own) for own in signed]


def stale_reasons(record: Record, current: CurrentDigests | None) -> list[str]:
    """What has changed since a record was made, as far as it can be told."""
    if current is None:
        return []
    carried = [
        ("protocol", record.protocol.id, record.protocol.digest, current.protocols),
        ("protector", record.protector.id, record.protector.source_digest, current.protectors),
        ("attack", record.attack.id, record.attack.source_digest, current.attacks),
    ]
    # An attack that is its own recogniser was checked above.
    eyes = sorted((name, one) for name, one in record.recognisers.items() if name != record.attack.setting)
    carried += [("recogniser", name, one.digest, current.recognisers) for name, one in eyes]
    reasons = [
        f"{kind} {name} {'has changed' if name in known else 'is not here'}"
        for kind, name, digest, known in carried
        if known is not None and known.get(name) != digest
    ]
    for name, used in ((record.setting, record.protector), (record.attack.setting, record.attack)):
        if (current.settings or {}).get((record.protocol.id, name), used.parameters) != used.parameters:
            reasons.append(f"the protocol's setting {name} has changed")
    expected = (current.datasets or {}).get(record.protocol.id)
    if expected not in (None, record.dataset.digest):
        reasons.append(f"data set {record.dataset.id} was not the protocol's")
    return reasons


def _sign(metric: Metric) -> float:
    return 1.0 if metric.better == "higher" else -1.0


def cells_of(records: Iterable[Record]) -> tuple[Cell, ...]:
    """A cell for each comparison and recogniser of the records that ended well."""
    return tuple(cell for record in records for cell in _cells(record))


def _cells(record: Record) -> Iterator[Cell]:
    accepting = {flag.where for flag in record.flags if flag.id == IMPOSTORS_ACCEPTED_FLAG}
    for comparison, recogniser in _held(record):
        kept = record.replicates.get(comparison, {}).get(recogniser, ())
        yield Cell(
            record.attack.setting,
            comparison,
            recogniser,
            record.results[comparison][recogniser],
            np.array(kept, dtype=np.float64),  # None becomes NaN
            threshold_holds=f"{comparison}/{recogniser}/attack_success_rate" not in accepting,
        )


def _held(record: Record) -> list[tuple[str, str]]:
    """The comparisons and recognisers of a record with an EER, in order; none where it did not end well."""
    return [
        (comparison, recogniser)
        for comparison, by_recogniser in sorted(record.results.items())
        for recogniser, metrics in sorted(by_recogniser.items())
        if record.status == "ok" and "eer" in metrics and metrics["eer"].value is not None
    ]


def unseen(record: Record, further: Sequence[str]) -> list[str]:
    """The further recognisers of its attack that a record lacks, sorted: they joined the protocol after it was made."""
    return sorted(set(further) - set(record.recognisers)) if record.attack.returns == "images" else []


def _missing(
    own: Sequence[Record], everyone: Sequence[Record], further: Mapping[str, Sequence[str]]
) -> tuple[str, ...]:
    """What a row lacks, against everything that is on the board and what the protocol's further recognisers see."""
    attacks = {record.attack.setting: record.attack for record in everyone}
    target = own[0].protector
    by_attack = {record.attack.setting: record for record in own}
    comparisons = sorted({comparison for record in everyone for comparison in record.results})
    on_board = {name for record in everyone if record.attack.returns == "images" for name in record.recognisers}
    recognisers = on_board - {name for names in further.values() for name in names}
    found = []
    for name, attack in sorted(attacks.items()):
        record = by_attack.get(name)
        if record is None:
            if applies(attack.domains, attack.formats, target.domain, target.format):
                found.append(f"{name} was not run")
        elif record.status != "ok":
            found.append(f"{name}: {record.status}" + (f" ({record.reason})" if record.reason else ""))
        else:
            held = _held(record)
            late = unseen(record, further.get(name, ()))
            if late:
                found.append(f"{name}: not seen through {', '.join(late)}")
            asked = recognisers | set(further.get(name, ())) - set(late)
            wanted = sorted(asked if attack.returns == "images" else record.recognisers)
            lacking = [(c, r) for c in comparisons for r in wanted if (c, r) not in held]
            found += [f"{name}: no result for {recogniser}, {comparison}" for comparison, recogniser in lacking]
            if not held:
                found.append(f"{name}: no results")
    return tuple(found)
