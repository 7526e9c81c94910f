"""All results on the board by one command: which records are missing, stale or incomplete, and the jobs that mend that.

Each record is filed as soon as its job is done, so after an interruption the same command finds less to do.
"""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from importlib.util import find_spec
from pathlib import Path

from benchmark import locations
from benchmark.errors import InvalidInputError
from benchmark.estimate import Estimate, Speeds, Times, cores, estimate, measure, spoken
from benchmark.leaderboard import board_of, charts_of, read_published, read_records
from benchmark.plan import Job, Plan
from benchmark.plots.style import made_from_of
from benchmark.protocol import protocol_files
from benchmark.ranking import CurrentDigests, stale_reasons, unseen
from benchmark.record import Record, read_record, record_path
from benchmark.runner import (
    STORE_LIMIT,
    Order,
    check_samples,
    current_digests,
    draw_plots,
    execute,
    order,
    regenerate_board,
)
from benchmark.scenario_estimate import estimate_scenarios
from benchmark.scores import score_path
from benchmark.store import Store

#: Bytes of the disk that are left free beside what a protocol is estimated to need.
SPARE = 4 << 30


@dataclass(frozen=True)
class Due:
    """One protocol's jobs that have to be run, and why."""

    order: Order
    #: {job's name: (kind, what exactly)}; kinds are `missing`, `stale`, `incomplete`, `failed`, `damaged`.
    reasons: Mapping[str, tuple[str, str]]
    #: How many jobs were looked at.
    jobs: int
    #: Those that are there, whether or not they hold.
    records: tuple[Record, ...] = ()
    #: How many records are of settings or attacks that the protocol does not list.
    guests: int = 0
    estimate: Estimate = field(default_factory=Estimate)

    @property
    def protocol(self) -> str:
        return self.order.plan.protocol.id

    def only(self, patterns: Sequence[str]) -> Due:
        """The part that patterns name (none: all of it), with an order for the jobs that have to be run alone."""
        jobs = [job for job in self.order.plan.jobs if not patterns or _fits(self.order.plan, job, patterns)]
        reasons = {job.name: self.reasons[job.name] for job in jobs if job.name in self.reasons}
        return replace(self, order=self.order.narrowed(reasons), reasons=reasons, jobs=len(jobs))

    def head(self, workers: int) -> str:
        """One line: how many jobs, why, and what they will take."""
        kinds = Counter(kind for kind, _ in self.reasons.values())
        why = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
        time = spoken(self.estimate.seconds / cores(workers))
        room = f"{self.estimate.size / (1 << 30):.1f} GiB in the store"
        return f"{self.protocol}: {len(self.reasons)} of {self.jobs} jobs ({why}), {time}, {room}"


@dataclass(frozen=True)
class Survey:
    """What is to be done, complete and checked before anything is computed."""

    board: Path
    #: Every protocol that was looked at.
    protocols: tuple[str, ...]
    due: tuple[Due, ...]
    speeds: Speeds
    #: What a reader should know of records that are not looked after.
    notes: tuple[str, ...]
    workers: int

    @property
    def total(self) -> Estimate:
        return sum((one.estimate for one in self.due), Estimate())

    def lines(self, *, jobs: bool) -> list[str]:
        """The survey as text; `jobs`: with a line for each job."""
        found = list(self.notes)
        for one in self.due:
            found.append(one.head(self.workers))
            if jobs:
                found += [f"  {name}: {what}" for name, (_, what) in one.reasons.items()]
        if not self.due:
            return [*found, f"every record of {len(self.protocols)} protocols is there and up to date"]
        timed = ", ".join(f"{name} {1000 * seconds:.1f}" for name, seconds in self.speeds.embed.items())
        total = self.total
        found.append(f"measured here, CPU milliseconds a sample: {timed}")
        if total.unknown:
            found.append(f"{total.unknown} jobs have an attack that no record has timed; it is not counted")
        count = sum(len(one.reasons) for one in self.due)
        used = cores(self.workers)
        time = spoken(total.seconds / used)
        return [*found, f"in all: {count} jobs of {len(self.due)} protocols, {time} on {used} cores"]


def survey(
    *,
    board: Path | None = None,
    data: Path | None = None,
    store: Path | None = None,
    only: Sequence[str] = (),
    workers: int | None = None,
) -> Survey:
    """Look through every protocol that has a folder under the board's records, for jobs without a record that holds.

    `only`: patterns (`*`, `?`, `[...]`) of protocols' ids, or of PROTOCOL/SETTING/ATTACK. Raises InvalidInputError for
    a pattern that fits nothing, a protocol that does not load, and weights that are missing.
    """
    folder = locations.leaderboard_folder() if board is None else board
    on_board = sorted(path.name for path in (folder / "records").glob("*") if path.is_dir())
    if not on_board:
        raise InvalidInputError(f"no records under {folder}; run a protocol first, or name another board with --board")
    files, current = protocol_files(), current_digests()
    looks = [_look(order(name, data=data, store=store), folder, current) for name in on_board if name in files]
    chosen = [one.only(only) for one in looks]
    for pattern in only:
        if not any(_fits(one.order.plan, job, [pattern]) for one in looks for job in one.order.plan.jobs):
            raise InvalidInputError(
                f"--only {pattern!r} fits no protocol and no job; on the board: {', '.join(on_board)}"
            )
    due = [one for one in chosen if one.reasons]
    speeds = measure(sorted({name for one in due for name in one.order.assignment.recognisers()}), data=data)
    times = Times(record for one in looks for record in one.records)
    notes = [f"{name}: left as it is, as there is no such protocol" for name in on_board if name not in files]
    notes += [
        f"{one.protocol}: {one.guests} records of settings that it does not list are left as they are"
        for one in chosen
        if one.guests
    ]
    return Survey(
        board=folder,
        protocols=tuple(one.protocol for one in chosen if one.jobs),
        due=tuple(replace(one, estimate=_estimate(one.order, times, speeds)) for one in due),
        speeds=speeds,
        notes=tuple(notes),
        workers=workers or os.cpu_count() or 1,
    )


def _estimate(order: Order, times: Times, speeds: Speeds) -> Estimate:
    of = estimate_scenarios if order.plan.protocol.all_pairs else estimate
    return of(order.assignment, times, speeds)


def _look(whole: Order, folder: Path, current: CurrentDigests) -> Due:
    """Every job of a protocol, held against its record."""
    protocol = whole.plan.protocol.id
    reasons, records, standing = {}, [], {}
    for job in whole.plan.jobs:
        record, reason = _state(folder, protocol, job, current)
        records += [record] if record else []
        if reason:
            reasons[job.name] = reason
        if record and reason and reason[0] == "incomplete" and not whole.plan.protocol.all_pairs:
            standing[job.name] = tuple(name for name in job.recognisers if name in record.recognisers)
    filed = {
        path.relative_to(folder / "records" / protocol) for path in (folder / "records" / protocol).rglob("*.json")
    }
    listed = {Path(job.protector.name, f"{job.attack.name}.json") for job in whole.plan.jobs}
    whole = replace(whole, assignment=replace(whole.assignment, standing=standing, board=folder))
    return Due(whole, reasons, len(whole.plan.jobs), records=tuple(records), guests=len(filed - listed))


def _state(
    folder: Path, protocol: str, job: Job, current: CurrentDigests
) -> tuple[Record | None, tuple[str, str] | None]:
    """A job's record, and (kind, what) is wrong with it; None where it holds."""
    names = protocol, job.protector.name, job.attack.name
    path = record_path(folder, *names)
    if not path.is_file():
        return None, ("missing", "no record")
    try:
        record = read_record(path)
    except InvalidInputError as error:
        return None, ("damaged", str(error).removeprefix(f"{path}: "))
    if record.status != "ok":
        return record, ("failed", f"{record.status} ({record.reason})")
    if reasons := stale_reasons(record, current):
        return record, ("stale", "; ".join(reasons))
    if lacking := unseen(record, job.recognisers):
        return record, ("incomplete", f"lacks {', '.join(lacking)}")
    if not score_path(folder, *names).is_file():
        return record, ("missing", "no score file")
    return record, None


def _fits(plan: Plan, job: Job, patterns: Sequence[str]) -> bool:
    protocol = plan.protocol.id
    names = protocol, f"{protocol}/{job.protector.name}/{job.attack.name}"
    return any(fnmatchcase(name, pattern) for name in names for pattern in patterns)


def bring_up_to_date(found: Survey, say: Callable[[str], None]) -> bool:
    """Run what a survey found, protocol by protocol, file it, and redraw figures and pages; whether no job failed.

    The store is pruned before each protocol to what leaves room for it on the disk. Raises InvalidInputError where data
    are missing or the disk is full; what was done until then is filed.
    """
    for one in found.due:
        check_samples(one.order.assignment)
    if find_spec("matplotlib") is None and any((found.board / "plots").glob("*.svg")):
        raise InvalidInputError(
            "the board has figures, and drawing them needs matplotlib: pip install 'veilbench[plots]'"
        )
    failed = 0
    for number, one in enumerate(found.due, start=1):
        say(f"[{number} of {len(found.due)}] {one.head(found.workers)}")
        _make_room(one)
        report = execute(one.order, workers=found.workers, board=found.board, show_progress=True)
        failed += len(report.run.failed)
        busy = sum(seconds for seconds, _ in report.run.stages.values())
        took = f"{one.protocol}: took {report.run.wall / 60:.1f} min ({busy / 60:.1f} min on one core)"
        say("\n".join([*report.remarks(), took]))
    current = current_digests()
    for protocol in found.protocols:
        if _outdated(found.board, protocol, current):
            for path in draw_plots(protocol, board=found.board):
                say(f"wrote {path}")
    regenerate_board(found.board, check_only=False)
    return not failed


def _make_room(due: Due) -> None:
    """Prune the store to its usual limit, or further where the disk would not hold what is to come."""
    store = Store(due.order.assignment.store)
    used = sum(size for _, size in store.sizes().values())
    store.root.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(store.root).free
    store.prune(max(0, min(STORE_LIMIT, used + free - int(due.estimate.size) - SPARE)))


def _outdated(folder: Path, protocol: str, current: CurrentDigests) -> bool:
    """Whether a protocol's figures, where the board has any, show other numbers than its records."""
    plots = folder / "plots"
    if not any(plots.glob(f"{protocol}.*.svg")):
        return False
    board = board_of(protocol, read_records(folder, protocol)[protocol], current)
    today = charts_of(board, read_published(folder))
    files = {plots / f"{protocol}.{what}.svg": chart.digest for what, chart in today.items()}
    return any(not path.is_file() or made_from_of(path) != digest for path, digest in files.items())
