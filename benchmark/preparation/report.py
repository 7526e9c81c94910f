"""How a preparation went: every file of the source folder in one table, the sums above it."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmark.store import write_atomically

#: What can become of a file, in the order of the report, in words.
STATUSES = {
    "found": "one face",
    "several": "several faces, of which the most prominent was taken",
    "failed": "no crop",
    "kept": "a crop that was there before and was left as it is",
    "gone": "prepared earlier; the photograph is no longer there, its crop stays",
    "ignored": "no photograph",
}
_SHOWN = 10


@dataclass(frozen=True)
class Row:
    """One file: its name under the source folder, its status, detected faces, the taken one's score, why or a note."""

    image: str
    status: str
    faces: int | None = None
    score: float | None = None
    reason: str = ""


@dataclass(frozen=True)
class Report:
    """All rows, sorted by name; where the crops are; what they were made with."""

    rows: list[Row]
    folder: Path
    recipe: Mapping[str, object]

    @property
    def counts(self) -> dict[str, int]:
        """{status: files}, every status, zeros too."""
        found = Counter(row.status for row in self.rows)
        return {status: found[status] for status in STATUSES}

    @property
    def crops(self) -> int:
        """How many photographs have a crop now."""
        return sum(self.counts[status] for status in ("found", "several", "kept"))

    @property
    def mean_score(self) -> float | None:
        """Of the taken faces, 0.5..1; None without any."""
        scores = [row.score for row in self.rows if row.status in ("found", "several") and row.score is not None]
        return sum(scores) / len(scores) if scores else None

    def text(self) -> str:
        """The sums, the first failures, and where the whole is."""
        lines = [f"{status:8} {count:7}  {STATUSES[status]}" for status, count in self.counts.items()]
        mean = self.mean_score
        lines.append(f"mean score of the taken faces: {'-' if mean is None else f'{mean:.4f}'}")
        failed = [row for row in self.rows if row.status == "failed"]
        lines += [f"failed: {row.image}: {row.reason}" for row in failed[:_SHOWN]]
        if len(failed) > _SHOWN:
            lines.append(f"and {len(failed) - _SHOWN} more failed; all are in the report")
        lines.append(f"report: {self.folder / 'report.csv'}, {self.folder / 'report.json'}")
        return "\n".join(lines)

    def file(self) -> None:
        """Write `report.csv` (a row a file) and `report.json` (the sums) beside the crops."""
        text = io.StringIO(newline="")
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(["image", "status", "faces", "score", "reason"])
        for row in self.rows:
            score = "" if row.score is None else f"{row.score:.4f}"
            writer.writerow([row.image, row.status, "" if row.faces is None else row.faces, score, row.reason])
        mean = self.mean_score
        sums = {
            "counts": self.counts,
            "failed": {row.image: row.reason for row in self.rows if row.status == "failed"},
            "mean_score": None if mean is None else round(mean, 4),
            "recipe": dict(self.recipe),
        }
        write_atomically(self.folder / "report.csv", text.getvalue().encode())
        write_atomically(self.folder / "report.json", (json.dumps(sums, indent=2, sort_keys=True) + "\n").encode())
