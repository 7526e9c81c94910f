"""Writes docs/selective-encryption.md from its template and the committed records.

    python tools/write_findings.py [--check]

No number on the page is typed by hand, and what it says of numbers is held to them: `require` in the template stops
where a sentence has come to be wrong. `--check` changes nothing and exits with 1 where the page differs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from findings_page import SHORT, known, render, write_or_check

from benchmark.leaderboard import read_published, read_records
from benchmark.record import Record, Value, read_record, record_path
from benchmark.tables import show, table

ROOT = Path(__file__).resolve().parents[1]
BOARD = ROOT / "leaderboard"
PAGE = ROOT / "docs" / "selective-encryption.md"
#: The sweeps on 1,000 pairs, by what a percent is of: `lfw-jpeg2000-<sweep><suffix>`.
READINGS = {"document": "-dev", "bodies": "-bodies-dev"}
ATTACKS = {"decoded": "direct-decode", "erased": "known-window-erase"}
BOTH = "protected-protected"


@cache
def record(protocol: str, setting: str, attack: str) -> Record:
    """A committed record, by the name of its setting with or without its protector."""
    full = setting if "@" in setting or setting in ("identity", "aes-full") else f"jpeg2000-window@{setting}"
    return read_record(record_path(BOARD, protocol, full, attack))


def value(protocol: str, setting: str, attack: str, recogniser: str, comparison: str = BOTH) -> Value:
    """The EER (a share) with its interval."""
    return record(protocol, setting, attack).results[comparison][recogniser]["eer"]


def percent(protocol: str, setting: str, attack: str, recogniser: str, comparison: str = BOTH) -> float:
    """The EER in percent."""
    return 100 * known(value(protocol, setting, attack, recogniser, comparison).value)


def low(protocol: str, setting: str, attack: str, recogniser: str, comparison: str = BOTH) -> float:
    """The lower end of the EER's interval in percent."""
    return 100 * known(value(protocol, setting, attack, recogniser, comparison).low)


def high(protocol: str, setting: str, attack: str, recogniser: str, comparison: str = BOTH) -> float:
    """The upper end of the EER's interval in percent."""
    return 100 * known(value(protocol, setting, attack, recogniser, comparison).high)


def eer(protocol: str, setting: str, attack: str, recogniser: str, comparison: str = BOTH) -> str:
    """The EER with its interval: `6.40 (5.90 to 7.00)`."""
    return show("eer", value(protocol, setting, attack, recogniser, comparison))


def records(protocol: str, setting: str) -> list[Record]:
    """The committed records of one setting of `jpeg2000-window`."""
    return [one for one in read_records(BOARD, protocol)[protocol] if one.setting == f"jpeg2000-window@{setting}"]


@cache
def attacks_run(protocol: str) -> list[str]:
    """The attacks that every setting of `jpeg2000-window` has a record of."""
    found: dict[str, set[str]] = {}
    for one in read_records(BOARD, protocol)[protocol]:
        if one.protector.id == "jpeg2000-window" and one.status == "ok":
            found.setdefault(one.setting, set()).add(one.attack.setting)
    return sorted(set.intersection(*found.values()))


def cost(protocol: str, setting: str, attack: str) -> Any:
    """What a record says of bytes and milliseconds."""
    return record(protocol, setting, attack).cost


def unprotected(protocol: str, recogniser: str) -> float:
    """The EER in percent of the same data without protection."""
    return percent(protocol, "identity", "direct-decode", recogniser)


def lost(protocol: str, setting: str, attack: str, recogniser: str, comparison: str = BOTH) -> float:
    """How far the EER has gone from its unprotected value (0) to guessing (100)."""
    before = unprotected(protocol, recogniser)
    return 100 * (percent(protocol, setting, attack, recogniser, comparison) - before) / (50 - before)


def eer_table(
    protocol: str, settings: Sequence[str], attacks: Sequence[str], recognisers: Sequence[str], comparison: str = BOTH,
    intervals: bool = True,
) -> str:  # fmt: skip
    """EERs in percent: a row for each setting, a column for each attack and recogniser."""
    rows = []
    for setting in settings:
        row = {"setting": setting.rpartition("@")[2]}
        for attack in attacks:
            for name in recognisers:
                cell = setting, attack, name, comparison
                heading = f"{attack.rpartition('@')[2]}, {SHORT.get(name, name)}"
                row[heading] = eer(protocol, *cell) if intervals else f"{percent(protocol, *cell):.1f}"
        rows.append(row)
    return table(rows)


def by_recogniser(protocol: str, settings: Sequence[str], attack: str, recognisers: Sequence[str]) -> str:
    """EERs in percent: a row for each recogniser, a column for each setting, and one for unprotected data."""
    columns = {"unprotected": ("identity", ATTACKS["decoded"])}
    columns |= {setting.removesuffix("-document"): (setting, attack) for setting in settings}
    rows = [
        {"recogniser": SHORT[name]} | {title: eer(protocol, *cell, name) for title, cell in columns.items()}
        for name in recognisers
    ]
    return table(rows)


def lost_table(protocol: str, settings: Mapping[str, str], recognisers: Sequence[str]) -> str:
    """What share of what it tells apart each recogniser loses: `settings` by the heading of their columns."""
    rows = []
    for name in recognisers:
        row = {"lost (%)": SHORT[name]}
        for word, attack in ATTACKS.items():
            row |= {
                f"{title} {word}": str(round(lost(protocol, setting, attack, name)))
                for title, setting in settings.items()
            }
        rows.append(row)
    return table(rows)


def where_lost(
    sweep: str, parameter: str, reading: str, progression: str, attack: str, recogniser: str, share: float = 75
) -> list[float]:
    """Where in a sweep a recogniser loses at least `share` percent of what it tells apart."""
    protocol = f"lfw-jpeg2000-{sweep}{READINGS[reading]}"
    found = positions(protocol, parameter, progression=progression).items()
    return [at for at, setting in found if lost(protocol, setting, attack, recogniser) >= share]


def needed(reading: str, progression: str, attack: str, recogniser: str, share: float = 50) -> float | None:
    """The percents from the beginning from which on a recogniser has lost `share` percent; None: 15 do not do it."""
    protocol, least = f"lfw-jpeg2000-increasing{READINGS[reading]}", None
    for size, setting in reversed(positions(protocol, "size", progression=progression).items()):
        if lost(protocol, setting, attack, recogniser) < share:
            break
        least = size
    return least


def needed_table(progression: str, recognisers: Sequence[str]) -> str:
    """`needed` in either reading, as decoded and erased: a row for each recogniser."""
    rows = []
    for name in recognisers:
        row = {"half is lost from (%)": SHORT[name]}
        for reading in READINGS:
            for word, attack in ATTACKS.items():
                size = needed(reading, progression, attack, name)
                row[f"{reading}: {word}"] = "-" if size is None else f"{size:g}"
        rows.append(row)
    return table(rows)


def where_table(sweep: str, words: Sequence[str], recognisers: Sequence[str], share: float) -> str:
    """The offsets of a sweep at which `share` percent are lost, as decoded or erased: a row for each recogniser."""
    rows = []
    for name in recognisers:
        row = {f"{share:g} % are lost at (%)": SHORT[name]}
        for progression in ("layer", "resolution"):
            for reading in READINGS:
                for word in words:
                    title = f"{progression}, {reading}" + (f": {word}" if len(words) > 1 else "")
                    row[title] = ranges(where_lost(sweep, "offset", reading, progression, ATTACKS[word], name, share))
        rows.append(row)
    return table(rows)


@cache
def positions(protocol: str, parameter: str, **same: str) -> dict[float, str]:
    """{offset or size: setting} of a sweep's settings whose parameters agree with `same`."""
    found = {}
    for one in read_records(BOARD, protocol)[protocol]:
        parameters = one.protector.parameters
        if parameter in parameters and all(str(parameters[name]) == text for name, text in same.items()):
            found[float(parameters[parameter])] = one.setting
    return dict(sorted(found.items()))


@cache
def windows() -> list[tuple[str, str]]:
    """(protocol, setting) of every window of the named settings and of the sweeps: all attacks are run on these."""
    sweeps = [f"lfw-jpeg2000-{sweep}{end}" for sweep in ("small", "large", "increasing") for end in READINGS.values()]
    return sorted(
        {
            (protocol, one.setting)
            for protocol in ["lfw-jpeg2000-named", *sweeps]
            for one in read_records(BOARD, protocol)[protocol]
            if one.protector.id == "jpeg2000-window"
        }
    )


def times_lowest(attack: str, recogniser: str) -> int:
    """In how many windows no attack that the recogniser sees has a lower EER."""
    found = 0
    for protocol, setting in windows():
        seen = [one for one in attacks_run(protocol) if recogniser in record(protocol, setting, one).results[BOTH]]
        found += percent(protocol, setting, attack, recogniser) == min(
            percent(protocol, setting, one, recogniser) for one in seen
        )
    return found


def below_both(attack: str, recogniser: str, points: float) -> list[tuple[str, str]]:
    """The windows where an attack's EER lies at least `points` below what decodes, and below what is erased."""
    return [
        one for one in windows()
        if min(percent(*one, other, recogniser) for other in ATTACKS.values()) - percent(*one, attack, recogniser)
        >= points - 1e-9
    ]  # fmt: skip


def ranges(numbers: Sequence[float]) -> str:
    """Numbers of a sweep in words.

    >>> ranges([0, 1, 2, 3, 7])
    '0 to 3, 7'
    """
    parts: list[list[float]] = []
    for number in numbers:
        if parts and number - parts[-1][-1] <= 1:
            parts[-1].append(number)
        else:
            parts.append([number])
    text = [f"{part[0]:g} to {part[-1]:g}" if len(part) > 1 else f"{part[0]:g}" for part in parts]
    return ", ".join(text) or "no offset"


def published() -> dict[str, dict[str, float]]:
    """{setting: {what: EER in percent}} of the published table."""
    [one] = read_published(BOARD)
    return {row.setting: {what: 100 * share for what, share in row.values.items()} for row in one.rows}


def page() -> str:
    """The page as the records make it."""
    offered = (
        attacks_run, below_both, by_recogniser, cost, eer, eer_table, high, lost, lost_table, low, needed,
        needed_table, percent, positions, ranges, record, records, table, times_lowest, where_lost, where_table,
        windows,
    )  # fmt: skip
    return render(PAGE, {function.__name__: function for function in offered} | {"published": published()})


if __name__ == "__main__":
    write_or_check(PAGE, page())
