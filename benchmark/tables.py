"""The leaderboard's tables as rows of text: lists of {heading: cell}."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

from tabulate import tabulate

from benchmark.metrics.descriptors import METRICS
from benchmark.ranking import Board, Cell, Row
from benchmark.recognisers.kinds import by_kind
from benchmark.record import Decoded, Value

#: Metrics of scores that a protocol's page shows beside the EER.
MORE_METRICS = ("attack_success_rate", "auc", "d_prime", "fnmr_at_fmr_0.01", "fnmr_at_fmr_0.001", "view2_accuracy")


def plain(text: object, limit: int = 200) -> str:
    """Text that came from outside, as it stands: one line, no Markdown and no HTML, at most `limit` characters.

    >>> plain("a|b <img src=x>\\n[c](d)")
    'a&#124;b &lt;img src=x> \\\\[c\\\\](d)'
    """
    line = " ".join(str(text).split())
    line = line if len(line) <= limit else line[: limit - 1] + "…"
    return re.sub(r"([\\`*_\[\]#~])", r"\\\1", line.replace("&", "&amp;").replace("<", "&lt;")).replace("|", "&#124;")


def table(rows: Sequence[Mapping[str, str]]) -> str:
    """Rows as a Markdown table; columns of numbers are aligned to the right.

    >>> print(table([{"a": "x", "n": "1.0"}]))
    | a   |   n |
    |:----|----:|
    | x   | 1.0 |
    """
    headings = list(rows[0])
    numeric = [all(re.match(r"[-+\d–]", row[heading]) for row in rows) for heading in headings]
    align = ["right" if yes else "left" for yes in numeric]
    cells = [[row[heading] for heading in headings] for row in rows]
    return tabulate(cells, headings, tablefmt="pipe", disable_numparse=True, colalign=align)


@lru_cache(maxsize=4096)
def natural(name: str) -> list[tuple[int, str]]:
    """Sort key that puts `small-l2` before `small-l10`.

    >>> sorted(["l10", "l2", "r1"], key=natural)
    ['l2', 'l10', 'r1']
    """
    parts = re.split(r"([0-9]+)", name)
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts]


def show(metric: str, value: Value | None) -> str:
    """A value with its interval: `21.34 (20.10 to 22.58)`."""
    if value is None or value.value is None:
        return METRICS[metric].show(None)
    text = METRICS[metric].show(value.value)
    if value.low is None or value.high is None:
        return text
    return f"{text} ({METRICS[metric].show(value.low)} to {METRICS[metric].show(value.high)})"


def overview(board: Board, limit: int | None = None) -> list[dict[str, str]]:
    """The ranked rows, or the first `limit` of them and the Pareto front."""
    common = set(common_flags(board))
    rows = [row for place, row in enumerate(board.ranked) if limit is None or place < limit or row.pareto]
    found = [_overview_row(board, row, common) for row in rows]
    notes = "notes"
    if not any(row[notes] for row in found):
        for row in found:
            del row[notes]
    return found


def _overview_row(board: Board, row: Row, common: set[tuple[str, str]]) -> dict[str, str]:
    worst, m = row.worst, METRICS
    recovered = next((r.utility.recovered_exactly.value for r in row.records if r.utility.recovered_exactly), None)
    seen = [value for record in row.records for value in record.utility.eer_after_recovery.values()]
    after = [value.value for value in seen if value.value is not None]
    cost = row.records[0].cost
    milliseconds = cost.protect_ms.median if cost.protect_ms else None
    success = row.success.value if row.success else None
    flags = sorted({f.id for record in row.records for f in record.flags if (f.id, f.message) not in common})
    return {
        "rank": str(row.rank),
        "setting": row.setting + (" **†**" if row.stale else ""),
        "Pareto": "●" if row.pareto else "",
        "worst case " + m["eer"].heading: show("eer", worst.metrics["eer"]),
        "reached by": _cell_name(board, worst),
        "highest " + m["attack_success_rate"].heading: m["attack_success_rate"].show(success),
        m["recovered_exactly"].heading: m["recovered_exactly"].show(recovered),
        m["eer_after_recovery"].heading: m["eer_after_recovery"].show(max(after, default=None)),
        m["encrypted_share"].heading: m["encrypted_share"].show(row.encrypted_share),
        m["size_overhead"].heading: m["size_overhead"].show(cost.size_overhead),
        m["protect_ms"].heading: m["protect_ms"].show(milliseconds),
        "notes": ", ".join(flags),
    }


def _cell_name(board: Board, cell: Cell) -> str:
    parts = [cell.attack, cell.recogniser] + ([cell.comparison] if len(comparisons(board)) > 1 else [])
    return ", ".join(parts)


def attacks(board: Board) -> list[str]:
    """The attacks on the board."""
    return sorted({record.attack.setting for row in board.rows for record in row.records})


def recognisers(board: Board) -> list[str]:
    """The recognisers on the board, but for the further ones of some attacks."""
    found = {name for row in board.rows for record in row.records for name in record.recognisers}
    return sorted(found - {name for names in board.further.values() for name in names})


def common_recognisers(board: Board) -> list[str]:
    """The recognisers that see every attack that returns images."""
    images = [record for row in board.rows for record in row.records if record.attack.returns == "images"]
    return [name for name in recognisers(board) if any(name in record.recognisers for record in images)]


def further_sentences(board: Board) -> list[str]:
    """Which attacks are seen through which further recognisers; empty where none are.

    >>> further_sentences(Board("demo", (), (), further={"erase": ("mblbp", "net"), "decode": ("mblbp", "net")}))
    ['decode and erase also through mblbp and net']
    """
    by_names: dict[tuple[str, ...], list[str]] = {}
    for attack, names in sorted(board.further.items(), key=lambda item: natural(item[0])):
        by_names.setdefault(tuple(by_kind(names)), []).append(attack)
    return [f"{_listed(found)} also through {_listed(names)}" for names, found in by_names.items()]


def _listed(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def comparisons(board: Board) -> list[str]:
    """The comparisons on the board."""
    return sorted({name for row in board.rows for record in row.records for name in record.results})


def eer_rows(board: Board) -> list[dict[str, str]]:
    """EER with interval per recogniser: one line for each setting, attack and comparison, in the order of names.

    Further recognisers of some attacks are left to `further_rows`, so that no table is mostly dashes.
    """
    return _wide(board, recognisers(board), lambda cell: show("eer", cell.metrics["eer"]))


def metric_rows(board: Board, metric: str) -> list[dict[str, str]]:
    """Another metric, likewise; empty where no record has a value of it."""
    names = recognisers(board)
    return _unless_empty(_wide(board, names, lambda cell: show(metric, cell.metrics.get(metric))), names)


def further_rows(board: Board, metric: str) -> list[dict[str, str]]:
    """A metric per further recogniser, of the attacks that have some; empty where no record has a value of it."""
    names = by_kind({name for found in board.further.values() for name in found})
    rows = _wide(board, names, lambda cell: show(metric, cell.metrics.get(metric)))
    return _unless_empty([row for row in rows if row["attack"] in board.further], names)


def all_eyes_rows(board: Board, attack: str) -> list[dict[str, str]]:
    """EER of one attack with further recognisers through all of its recognisers side by side, without intervals."""
    names = by_kind([*common_recognisers(board), *board.further.get(attack, ())])
    rows = _wide(board, names, lambda cell: METRICS["eer"].show(cell.metrics["eer"].value))
    return [{name: cell for name, cell in row.items() if name != "attack"} for row in rows if row["attack"] == attack]


def _unless_empty(rows: list[dict[str, str]], names: Sequence[str]) -> list[dict[str, str]]:
    return rows if any(row.get(name, "–") != "–" for row in rows for name in names) else []


def _wide(board: Board, names: Sequence[str], text: Callable[[Cell], str]) -> list[dict[str, str]]:
    """One line for each setting, attack and comparison, with a cell for each of the recognisers named."""
    lines: dict[tuple[str, str, str], dict[str, str]] = {}
    for row in board.rows:
        for cell in row.cells:
            line = lines.setdefault(
                (row.setting, cell.attack, cell.comparison),
                {
                    "setting": row.setting,
                    "attack": cell.attack,
                    "comparison": cell.comparison,
                    **dict.fromkeys(names, "–"),
                },
            )
            if cell.recogniser in line:
                line[cell.recogniser] = text(cell)
    return [lines[key] for key in sorted(lines, key=lambda key: [natural(part) for part in key])]


def visual_rows(board: Board) -> list[dict[str, str]]:
    """Visual metrics of attacked images against their originals: one line for each setting and attack."""
    records = [record for row in board.rows for record in row.records if record.visual]
    names = [name for name in METRICS if any(name in record.visual for record in records)]
    return [
        {"setting": record.setting, "attack": record.attack.setting}
        | {METRICS[name].heading: show(name, record.visual.get(name)) for name in names}
        for record in records
    ]


def compliance_rows(board: Board) -> list[dict[str, str]]:
    """How many protected samples each decoder, and the standard's rule on marker codes, refused: one line a setting."""
    records = [record for row in board.rows for record in row.records if record.cost.compliance]
    found = {record.setting: record.cost.compliance for record in records}
    names = sorted({name for one in found.values() for name in one})
    return [
        {"setting": setting} | {name: _refused(one.get(name)) for name in names}
        for setting, one in sorted(found.items(), key=lambda item: natural(item[0]))
    ]


def _refused(one: Decoded | None) -> str:
    return "–" if one is None or one.version is None else f"{one.failures} of {one.streams}"


def unprotected_rows(board: Board) -> list[dict[str, str]]:
    """What unprotected data of the protocol gives, by recogniser."""
    found = {name: one for row in board.rows for record in row.records for name, one in sorted(record.baseline.items())}
    return [
        {
            "recogniser": name,
            "unprotected EER (%)": show("eer", one.eer),
            "threshold of FMR 0.1 %": "–" if one.threshold is None else f"{one.threshold:.4f}",
            "impostor comparisons": f"{one.impostors}",
        }
        for name, one in sorted(found.items())
    ]


def common_flags(board: Board) -> list[tuple[str, str]]:
    """(id, message) of what every ranked record is flagged with: said once, not in every row."""
    flagged = [{(flag.id, flag.message) for flag in record.flags} for row in board.ranked for record in row.records]
    return sorted(set.intersection(*flagged)) if flagged else []


def flag_rows(board: Board) -> list[dict[str, str]]:
    """Every other flag, one line each."""
    common = set(common_flags(board))
    return [
        {"setting": row.setting, "attack": record.attack.setting, "flag": flag.id, "where": plain(flag.where),
         "what": plain(flag.message)}
        for row in board.rows
        for record in row.records
        for flag in record.flags
        if (flag.id, flag.message) not in common
    ]  # fmt: skip


def provenance_rows(board: Board) -> list[dict[str, str]]:
    """What the numbers come from: ids, versions and digests (first 12 digits)."""
    found: set[tuple[str, str, str, str]] = set()
    for record in (record for row in board.rows for record in row.records):
        found.add(("protocol", record.protocol.id, "", record.protocol.digest))
        found.add(("data set", record.dataset.id, f"{record.dataset.samples} samples", record.dataset.digest))
        found.add(("protector", record.protector.id, record.protector.version, record.protector.source_digest))
        found.add(("attack", record.attack.id, record.attack.version, record.attack.source_digest))
        found |= {("recogniser", name, "", one.digest) for name, one in record.recognisers.items()}
    return [
        {"what": what, "id": name, "version": plain(version), "digest": f"`{digest[:12]}`"}
        for what, name, version, digest in sorted(found)
    ]
