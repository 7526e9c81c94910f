"""The tables of an all-pairs protocol as rows of text: lists of {heading: cell}."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from benchmark.metrics.descriptors import METRICS
from benchmark.ranking import Board, Cell
from benchmark.recognisers.kinds import by_kind
from benchmark.scenario_ranking import (
    DIFFERENT,
    ORIGINAL,
    OWN,
    PROTECTION,
    SAME,
    SCENARIOS,
    STOLEN,
    ScenarioRow,
    rows_of,
)  # fmt: skip
from benchmark.tables import common_flags, natural, recognisers, show

#: What each scenario says, in the order of the page.
SAID = {
    SAME: "One key for everybody: what protecting costs in performance, and what is left once everybody knows the key.",
    OWN: "A key for each subject: impostors have another key than the subject that they are compared with.",
    DIFFERENT: "A key for each sample, so that mated comparisons, too, are between keys: 50 % cannot be linked.",
    STOLEN: "Impostors are protected under the key of the subject that they claim to be.",
    ORIGINAL: "Protected samples, and what attacks make of them, against originals: 50 % gives nothing back.",
}
#: Metrics that the page shows beside the EER, in folded tables.
MORE_METRICS = (
    "attack_success_rate", "d_sys", "maximal_linkability", "revoked_match_rate", "key_sensitivity", "fnmr_at_fmr_0.001",
)  # fmt: skip


def overview(board: Board, limit: int | None = None) -> list[dict[str, str]]:
    """The ranked rows, or the first `limit` of them and the Pareto front; columns without any entry are left out."""
    common = set(common_flags(board))
    ranked = [row for row in rows_of(board) if row.rank is not None]
    rows = [row for place, row in enumerate(ranked) if limit is None or place < limit or row.pareto]
    found = [_overview_row(row, common) for row in rows]
    filled = {name for row in found for name, cell in row.items() if cell not in ("", "–")}
    return [{name: cell for name, cell in row.items() if name in filled} for row in found]


def _overview_row(row: ScenarioRow, common: set[tuple[str, str]]) -> dict[str, str]:
    worst, m = row.worst, METRICS
    stolen, revoked = row.highest("attack_success_rate", STOLEN), row.highest("revoked_match_rate", *PROTECTION)
    cost = next((one.cost for one in row.records if one.cost.protect_ms is not None), row.records[0].cost)
    flags = sorted({f.id for record in row.records for f in record.flags if (f.id, f.message) not in common})
    return {
        "rank": str(row.rank),
        "setting": row.setting + (" (no key)" if row.unkeyed else "") + (" **†**" if row.stale else ""),
        "Pareto": "●" if row.pareto else "",
        "worst case " + m["eer"].heading: show("eer", worst.metrics["eer"]),
        "reached by": ", ".join((worst.attack, worst.recogniser, worst.comparison)),
        "highest " + m["attack_success_rate"].heading: m["attack_success_rate"].show(
            row.success.value if row.success else None
        ),
        "highest " + m["d_sys"].heading: _linked(row),
        m["revoked_match_rate"].heading: m["revoked_match_rate"].show(revoked[1].value if revoked else None),
        m["stolen_key_rate"].heading: m["stolen_key_rate"].show(stolen[1].value if stolen else None),
        "after inversion: " + m["eer"].heading: _inverted(row),
        m["eer_same_key"].heading: _kept(row, SAME),
        m["eer_key_per_subject"].heading: _kept(row, OWN),
        m["protected_bytes"].heading: m["protected_bytes"].show(cost.protected_bytes),
        m["protect_ms"].heading: m["protect_ms"].show(cost.protect_ms.median if cost.protect_ms else None),
        "notes": ", ".join(flags),
    }


def _linked(row: ScenarioRow) -> str:
    """The highest D_sys with the floor of its sample: `31.2 (floor 1.6)`."""
    found = row.highest("d_sys", row.linked_in)
    if found is None:
        return "–"
    floor = found[0].metrics.get("d_sys_floor")
    text = METRICS["d_sys"].show(found[1].value)
    return text if floor is None else f"{text} (floor {METRICS['d_sys_floor'].show(floor.value)})"


def _inverted(row: ScenarioRow) -> str:
    """The lowest EER after an attack that gives back images or templates, and how many of them are accepted."""
    cells = sorted(row.inversion, key=lambda cell: (cell.eer, cell.attack, cell.recogniser))
    if not cells:
        return "–"
    rates = [cell.metrics["attack_success_rate"].value for cell in cells if "attack_success_rate" in cell.metrics]
    highest = max((rate for rate in rates if rate is not None), default=None)
    accepted = "" if highest is None else f", {METRICS['attack_success_rate'].show(highest)} accepted"
    return f"{METRICS['eer'].show(cells[0].eer)} ({cells[0].attack}{accepted})"


def _kept(row: ScenarioRow, scenario: str) -> str:
    """The EER where protecting costs most and where it costs least: `38.10 (+4.00, lbp), 1.20 (+0.40, net)`."""
    rises = row.rises(scenario)
    ends = rises if len(rises) < 2 else [rises[0], rises[-1]]
    percent = METRICS["eer"]
    said = [f"{percent.show(cell.eer)} ({100 * rise:+.2f}, {cell.recogniser})" for rise, cell in ends]
    return " / ".join(said) or "–"


def seen_through(board: Board) -> list[str]:
    """The recognisers on the board, traditional ones first."""
    return by_kind(recognisers(board))


def scenarios(board: Board) -> list[str]:
    """The scenarios that the board has results in, in the order of SCENARIOS."""
    held = {cell.comparison for row in board.rows for cell in row.cells}
    return [scenario for scenario in SCENARIOS if scenario in held]


def eer_rows(board: Board, scenario: str) -> list[dict[str, str]]:
    """EER in one scenario, a column a recogniser: a line for each setting, and for each attack where there are several.

    Without intervals, for a page that is read; `metric_rows` has them.
    """
    return _wide(board, (scenario,), lambda row, cell: METRICS["eer"].show(cell.eer))


def metric_rows(board: Board, metric: str) -> list[dict[str, str]]:
    """A metric with its interval in all scenarios that have it; empty where no record has any.

    What measures linkability is shown where two data bases would be linked, D_sys with its floor.
    """
    return _wide(board, scenarios(board), lambda row, cell: _shown(metric, row, cell))


def _shown(metric: str, row: ScenarioRow, cell: Cell) -> str:
    if metric in ("d_sys", "maximal_linkability") and cell.comparison != row.linked_in:
        return "–"
    text = show(metric, cell.metrics.get(metric))
    floor = cell.metrics.get("d_sys_floor") if metric == "d_sys" else None
    return text if floor is None or text == "–" else f"{text}, floor {METRICS['d_sys_floor'].show(floor.value)}"


def _wide(board: Board, wanted: Sequence[str], text: Callable[[ScenarioRow, Cell], str]) -> list[dict[str, str]]:
    """One line for each scenario, setting and attack with a cell for each recogniser; lines of dashes are left out."""
    names = seen_through(board)
    lines: dict[tuple[str, str, str], dict[str, str]] = {}
    for row in rows_of(board):
        for cell in row.cells:
            if cell.comparison in wanted and (shown := text(row, cell)) != "–":
                line = lines.setdefault((cell.comparison, row.setting, cell.attack), dict.fromkeys(names, "–"))
                line[cell.recogniser] = shown
    some = {scenario for scenario, _, _ in lines}, {attack for _, _, attack in lines}
    found = []
    for key in sorted(lines, key=lambda key: (SCENARIOS.index(key[0]), natural(key[1]), natural(key[2]))):
        scenario, setting, attack = key
        row_said = {"scenario": scenario} if len(some[0]) > 1 else {}
        row_said |= {"setting": setting} | ({"attack": attack} if len(some[1]) > 1 else {})
        found.append(row_said | lines[key])
    return found
