"""`veilbench data prepare`: every photograph of a folder aligned, once, with a report that leaves nothing out."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from benchmark.alignment.align import Aligned, Kind, recipe
from benchmark.digest import digest_file
from benchmark.errors import InvalidInputError
from benchmark.preparation.journal import Entry, Journal
from benchmark.preparation.progress import progress
from benchmark.preparation.report import Report, Row
from benchmark.preparation.survey import Survey, survey
from benchmark.preparation.workers import aligned
from benchmark.store import write_atomically


def prepare(
    source: Path,
    target: Path,
    *,
    data: Path | None = None,
    workers: int | None = None,
    kind: Kind = "jpg",
    show_progress: bool = False,
) -> Report:
    """Align `source/<identity>/<image>` into `target/<identity>/<image>.jpg` (or `.png`), 112x112; and report.

    `data` is the folder with the detector's weights, `workers` the number of processes (default: the cores). Called
    again, it goes on where it stopped: only new and changed photographs are aligned. A crop that it did not make itself
    is never overwritten. Raises InvalidInputError for folders that cannot be used and weights that are missing.
    """
    source, target = source.resolve(), target.resolve()
    if target == source or source in target.parents:
        raise InvalidInputError(f"{target}: crops cannot lie inside the folder of photographs; choose another place")
    seen = survey(source)
    made_with = recipe(kind)
    journal = Journal(target, source, made_with)
    names = {source / name: name for name in _waiting(source, target, seen, journal, kind)}
    try:
        with progress(len(names), shown=show_progress) as count:
            for done in aligned(list(names), data=data, kind=kind, workers=workers or os.cpu_count() or 1):
                outcomes = {names[path]: outcome for path, outcome in done}
                journal.add([_entry(source, name, outcome) for name, outcome in outcomes.items()])
                for name, outcome in outcomes.items():
                    _write(target / f"{seen.photographs[name]}.{kind}", outcome.content)
                count(len(done))
    finally:
        journal.close()
    report = Report(_rows(seen, journal), target, made_with)
    report.file()
    return report


def _waiting(source: Path, target: Path, seen: Survey, journal: Journal, kind: Kind) -> list[str]:
    """The photographs that are still to be aligned; the crops of others that are there already are filed as kept."""
    waiting, kept = [], []
    for name, crop in seen.photographs.items():
        path = target / f"{crop}.{kind}"
        there = digest_file(path) if path.is_file() else ""
        entry = journal.entries.get(name)
        if entry and (entry.size, entry.changed) == _stamp(source / name) and _stands(entry, there):
            continue
        if there and not journal.made(name, there):
            kept.append(Entry(name, *_stamp(source / name), "kept", None, None, "", ""))
        else:
            waiting.append(name)
    if kept:
        journal.add(kept)
    return waiting


def _stands(entry: Entry, there: str) -> bool:
    """Whether the outcome for an unchanged photograph needs no more work; `there`: the crop's SHA-256, or empty."""
    if entry.status == "failed":
        return True
    return bool(there) if entry.status == "kept" else there == entry.crop


def _entry(source: Path, name: str, outcome: Aligned) -> Entry:
    crop = hashlib.sha256(outcome.content).hexdigest() if outcome.content else ""
    score = round(outcome.score, 6) if outcome.faces else None
    return Entry(name, *_stamp(source / name), outcome.status, outcome.faces, score, outcome.reason, crop)


def _write(path: Path, content: bytes) -> None:
    if content:
        write_atomically(path, content)
    else:  # of a photograph that changed and has no face now: the crop that we made of it earlier
        path.unlink(missing_ok=True)


def _stamp(path: Path) -> tuple[int, int]:
    """Bytes and time of change (ns): whether a photograph is the one that was aligned."""
    try:
        found = path.stat()
    except OSError:  # a link to nowhere, say: it fails when it is read
        return -1, 0
    return found.st_size, found.st_mtime_ns


def _rows(seen: Survey, journal: Journal) -> list[Row]:
    rows = [Row(name, "failed", reason=reason) for name, reason in seen.refused.items()]
    rows += [Row(name, "ignored", reason=reason) for name, reason in seen.ignored.items()]
    for name, entry in journal.entries.items():
        gone = name not in seen.photographs
        status = "gone" if gone else entry.status
        rows.append(Row(name, status, entry.faces, entry.score, entry.reason))
    return sorted(rows, key=lambda row: row.image)
