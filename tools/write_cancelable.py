"""Writes docs/cancelable-biometrics.md from its template and the committed records of an all-pairs protocol.

    python tools/write_cancelable.py [--check]

No number on the page is typed by hand, and what it says of numbers is held to them: `require` in the template stops
where a sentence has come to be wrong. `--check` changes nothing and exits with 1 where the page differs.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from findings_page import SHORT, known, render, write_or_check
from folding import folding

from benchmark.leaderboard import read_records
from benchmark.metrics.statistics import interval
from benchmark.recognisers.kinds import by_kind, kind_of
from benchmark.record import Record, Value
from benchmark.scenario_ranking import DIFFERENT, ORIGINAL, OWN, SAME, STOLEN, rank_scenarios
from benchmark.scenario_tables import overview
from benchmark.tables import natural, show, table

ROOT = Path(__file__).resolve().parents[1]
BOARD = ROOT / "leaderboard"
PAGE = ROOT / "docs" / "cancelable-biometrics.md"
#: The largest that has been run.
PROTOCOL = "lfw-cancelable-v1"
#: What protects, with the way in which it is better.
INDICATORS = ((DIFFERENT, "eer"), (DIFFERENT, "d_sys"), (DIFFERENT, "revoked_match_rate"), (ORIGINAL, "eer"),
              (ORIGINAL, "attack_success_rate"))  # fmt: skip


class Findings:
    """The records of one protocol on a board, asked by setting, scenario and recogniser."""

    def __init__(self, board: Path, protocol: str) -> None:
        self.folder = board
        found = read_records(board, protocol)[protocol]
        self.records = [one for one in found if one.status == "ok"]
        self.board = rank_scenarios(protocol, found)
        self.stolen = {one.setting: one for one in self.records if one.attack.returns == "protected"}
        self.recognisers = by_kind({name for one in self.stolen.values() for name in one.baseline})

    def figure(self, what: str) -> str:
        """Where a figure of the board lies, from the page; empty where it has not been drawn."""
        found = sorted(self.folder.glob(f"plots/{self.board.protocol}.{what}.*"))
        return f"../{self.folder.name}/plots/{found[0].name}" if found else ""

    def settings(self, scheme: str) -> list[str]:
        """The settings of a scheme that have been run, in natural order."""
        return sorted((name for name, one in self.stolen.items() if one.protector.id == scheme), key=natural)

    def templates_protected(self) -> list[str]:
        """The settings that protect templates instead of samples, scheme by scheme."""
        schemes = sorted({one.protector.id for one in self.stolen.values() if one.protector.domain == "template"})
        return [setting for scheme in schemes for setting in self.settings(scheme)]

    def kind(self, name: str) -> list[str]:
        """The recognisers that are `traditional` or `deep`."""
        return [one for one in self.recognisers if kind_of(one) == name]

    def dataset(self) -> Any:
        """The data set, with its number of samples."""
        return next(iter(self.stolen.values())).dataset

    def attacked(self, setting: str, attack: str) -> Record | None:
        """The record of an attack on a setting; None where there is none."""
        found = [one for one in self.records if (one.setting, one.attack.setting) == (setting, attack)]
        return found[0] if found else None

    def value(self, setting: str, scenario: str, recogniser: str, metric: str = "eer", attack: str = "") -> Value:
        """A metric (a share) with its interval, of what was stolen or of what an attack makes of it."""
        record = self.attacked(setting, attack) if attack else self.stolen[setting]
        if record is None:
            raise SystemExit(f"there is no record of {attack} on {setting}")
        found = record.results[scenario][recogniser].get(metric)
        if found is None or found.value is None:
            raise SystemExit(f"{setting}, {scenario}, {recogniser}: no {metric}")
        return found

    def found(self, setting: str, recogniser: str, attack: str = "") -> Value:
        """The share of mated comparisons between different keys accepted at their own FMR of 0.1 %: 1 - FNMR."""
        missed = self.value(setting, DIFFERENT, recogniser, "fnmr_at_fmr_0.001", attack)
        ends = {"value": missed.value, "low": missed.high, "high": missed.low}
        return missed.model_copy(update={name: 1 - known(share) for name, share in ends.items()})

    def unprotected(self, recogniser: str) -> Value:
        """The EER of unprotected samples, with its interval."""
        return next(one.baseline[recogniser].eer for one in self.stolen.values() if recogniser in one.baseline)

    def strongest(self) -> str:
        """The recogniser with the lowest EER on unprotected samples."""
        return min(self.recognisers, key=lambda name: known(self.unprotected(name).value))

    def percent(self, *place: str) -> float:
        """A metric in percent; its place as in `value`."""
        return 100 * known(self.value(*place).value)

    def lost(self, setting: str, scenario: str, recogniser: str, attack: str = "") -> float:
        """How far the EER has gone from its unprotected value (0) to guessing (100)."""
        before = 100 * known(self.unprotected(recogniser).value)
        return 100 * (self.percent(setting, scenario, recogniser, "eer", attack) - before) / (50 - before)

    def lowest(self, scenario: str, settings: Sequence[str], attack: str = "") -> tuple[float, str, str]:
        """(EER in percent, setting, recogniser) where it is lowest."""
        return min(
            (self.percent(setting, scenario, name, "eer", attack), setting, name)
            for setting in settings
            for name in self.recognisers
        )

    def table(self, settings: Sequence[str], scenario: str, metric: str = "eer", attack: str = "") -> str:
        """A metric with intervals: a line for each recogniser, a column for each setting."""
        rows = []
        for name in self.recognisers:
            row = {"recogniser": SHORT.get(name, name), "kind": kind_of(name)}
            if metric == "eer":
                row["unprotected"] = show("eer", self.unprotected(name))
            for setting in settings:
                row[_short(setting)] = show(metric, self.value(setting, scenario, name, metric, attack))
                if metric == "d_sys":
                    floor = self.value(setting, scenario, name, "d_sys_floor")
                    row[_short(setting)] += f", floor {100 * known(floor.value):.1f}"
            rows.append(row)
        return table(rows)

    def gap(self, setting: str, scenario: str, attack: str = "") -> tuple[float, float, float]:
        """(difference, low, high) in points of EER: the mean of traditional recognisers less that of deep ones.

        A paired bootstrap: equal positions of the records' replicates are of the same resample of subjects.
        """
        record = self.attacked(setting, attack) if attack else self.stolen[setting]
        assert record is not None
        means = {}
        for kind in ("traditional", "deep"):
            names = self.kind(kind)
            points = [self.percent(setting, scenario, name, "eer", attack) for name in names]
            draws = [record.replicates[scenario][name] for name in names]
            values = [[np.nan if x is None else x for x in one] for one in draws]
            means[kind] = np.mean(points), 100 * np.mean(values, axis=0)
        low, high = interval(means["traditional"][1] - means["deep"][1])
        return float(means["traditional"][0] - means["deep"][0]), float(low), float(high)

    def worse(self, settings: Sequence[str], scenario: str, metric: str) -> list[tuple[str, str, str]]:
        """(setting, traditional, deep) for which the deep recogniser's indicator is significantly worse.

        Significantly: the two 95 % intervals do not meet. High EERs protect, of every other indicator low ones.
        """
        found = []
        for setting in settings:
            for first in self.kind("traditional"):
                for second in self.kind("deep"):
                    a, b = (self.value(setting, scenario, name, metric) for name in (first, second))
                    ends = (known(a.low), known(b.high)) if metric == "eer" else (known(b.low), known(a.high))
                    found += [(setting, first, second)] if ends[0] > ends[1] else []
        return found

    def pairs(self, settings: Sequence[str]) -> int:
        """How many comparisons of a traditional with a deep recogniser `worse` makes."""
        return len(settings) * len(self.kind("traditional")) * len(self.kind("deep"))

    def against(self, attack: str, settings: Sequence[str]) -> list[str]:
        """Those of the settings on which an attack has been run."""
        return [one for one in settings if self.attacked(one, attack)]

    def overview(self) -> str:
        """The ranking of the whole board."""
        return table(overview(self.board)) if self.board.ranked else "No row is complete."


def verdict(share: float) -> str:
    """What a claim comes to that holds for a share (0..1) of what it speaks of.

    >>> verdict(1.0), verdict(0.5), verdict(0.0)
    ('**Holds.**', '**Holds in part.**', '**Does not hold.**')
    """
    return "**Holds.**" if share == 1 else "**Does not hold.**" if share == 0 else "**Holds in part.**"


def page(board: Path = BOARD, protocol: str = PROTOCOL) -> str:
    """The page as the records make it; raises SystemExit where there are none, or a sentence is wrong."""
    if not any((board / "records" / protocol).rglob("*.json")):
        raise SystemExit(f"there are no records of {protocol} under {board}; run the protocol first")
    offered: dict[str, Any] = {"SAME": SAME, "OWN": OWN, "DIFFERENT": DIFFERENT, "STOLEN": STOLEN, "ORIGINAL": ORIGINAL}
    offered |= {"folding": folding, "show": show, "table": table, "verdict": verdict, "INDICATORS": INDICATORS}
    offered |= {"f": Findings(board, protocol), "protocol": protocol, "short": _short, "named": _named}
    return render(PAGE, offered)


def _short(setting: str) -> str:
    return setting.rpartition("@")[2]


def _named(recogniser: str) -> str:
    return SHORT.get(recogniser, recogniser)


if __name__ == "__main__":
    write_or_check(PAGE, page())
