"""From a protocol's name to filed records: order -> execute -> records, score files, leaderboard pages."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from tabulate import tabulate

from benchmark import locations
from benchmark.datasets import open_dataset
from benchmark.engine import Run, Watcher, run_tasks
from benchmark.errors import InvalidInputError, unknown
from benchmark.filing import file_record
from benchmark.leaderboard import CurrentDigests, check, write, write_after_run, write_page
from benchmark.metrics.descriptors import METRICS
from benchmark.pipeline.workshop import Assignment
from benchmark.plan import Job, Plan, listed_settings, plan
from benchmark.plots.make import draw_figures
from benchmark.plots.scenario_sheet import draw_scenario_sheet
from benchmark.plots.sheet import draw_sheet
from benchmark.progress import timings, watch
from benchmark.protocol import load_protocol, protocol_files
from benchmark.protocol_schema import Protocol
from benchmark.recognisers import recogniser_digest, recogniser_ids
from benchmark.recognisers.registry import ONNX
from benchmark.record import Record, read_record
from benchmark.store import Store
from benchmark.submission import Submission, discover
from benchmark.tasks import Result
from benchmark.verify import verify

#: The store is pruned to this size after a run.
STORE_LIMIT = 40 << 30


@dataclass(frozen=True)
class Order:
    """What is to be done, complete and checked before anything is computed."""

    plan: Plan
    assignment: Assignment

    def narrowed(self, jobs: Collection[str]) -> Order:
        """The order for those of its jobs that are named."""
        kept = replace(self.plan, jobs=tuple(job for job in self.plan.jobs if job.name in jobs))
        return Order(kept, replace(self.assignment, plan=kept))


@dataclass(frozen=True)
class Report:
    """What came of an order."""

    order: Order
    run: Run
    records: tuple[Record, ...]
    #: How each record was filed: `written`, `unchanged` (the result was reproduced), `not filed`.
    filed: tuple[str, ...]

    @property
    def failed(self) -> bool:
        return bool(self.run.failed)

    def text(self) -> str:
        """A table of EERs, the timings of the stages, and what to do next."""
        table = tabulate(_rows(self.records, self.filed), headers="keys", disable_numparse=True)
        return "\n\n".join([table, *self.remarks(), timings(self.run)])

    def remarks(self) -> list[str]:
        """A line for each job that failed, and one where the samples were not those that the protocol holds for."""
        jobs = self.order.plan.jobs
        reasons = [f"{jobs[r.task.group - 1].name}: {r.status}: {r.reason}" for r in self.run.failed]
        return reasons + self._other_data()

    def _other_data(self) -> list[str]:
        protocol = self.order.plan.protocol
        found = {record.dataset.digest for record in self.records} - {protocol.dataset.digest}
        if protocol.dataset.digest is None or not found:
            return []
        return [
            f"these samples are not the ones that {protocol.id} was made for (digest {found.pop()}, "
            f"the protocol states {protocol.dataset.digest}): its records are marked stale"
        ]


def order(
    protocol: str | Path,
    *,
    protectors: Sequence[str] | None = None,
    attacks: Sequence[str] | None = None,
    recognisers: Sequence[str] | None = None,
    data: Path | str | None = None,
    store: Path | str | None = None,
) -> Order:
    """Read, check and plan; raises InvalidInputError for anything that is wrong with the input."""
    submissions, folder = discover(), locations.data_root(data)
    loaded = load_protocol(protocol, submissions=submissions, folder=folder)
    planned = plan(loaded, submissions, protectors=protectors, attacks=attacks, recognisers=recognisers, data=folder)
    if not planned.jobs:
        raise InvalidInputError(
            f"{loaded.id}: no attack that was chosen, and that a recogniser that was chosen sees, applies to a "
            "protector that was chosen"
        )
    for job in planned.jobs:  # refuses code that is not Python, before other jobs have run for hours
        _ = job.protector.digest, job.attack.digest
    assignment = Assignment(
        plan=planned,
        compared=loaded.read_compared(),
        attacker_ids=loaded.attacker_ids(),
        master=loaded.master_key(),
        store=locations.store_root(store),
        data=folder,
    )
    return Order(planned, assignment)


def execute(
    order: Order,
    *,
    workers: int | None = None,
    scheduler: str | None = None,
    board: Path | None = None,
    show_progress: bool = False,
) -> Report:
    """Run an order, file each record as soon as its job is done, and regenerate the pages that show them.

    With a choice of recognisers the records are partial: they are returned, and not filed.
    """
    if scheduler is None:  # a cluster's data may be where this machine cannot look
        check_samples(order.assignment)
    folder = locations.leaderboard_folder() if board is None else board
    complete = not order.plan.partial
    clerk = _Clerk(watch(order.plan) if show_progress else None, folder if complete else None)
    try:
        run = run_tasks(order.assignment, clerk, workers=workers, scheduler=scheduler)
    finally:
        clerk.close()
    if complete:
        current = current_digests(order.plan.protocol, data=order.assignment.data)
        write_after_run(folder, order.plan.protocol.id, current)
    Store(order.assignment.store).prune(STORE_LIMIT)
    return Report(order, run, tuple(clerk.records), tuple(clerk.filed))


def check_samples(assignment: Assignment) -> None:
    """Refuse data that are not there, and ids that the data set cannot have, before any worker is started.

    Some missing samples are failures to acquire, which the record counts; without any the record would say 50 %, and
    an attack without any to learn from would say that protection holds.
    """
    chosen = assignment.plan.protocol.dataset
    dataset = open_dataset(chosen.id, chosen.parameters, assignment.data)
    for sample_id in (*assignment.ids, *assignment.attacker_ids):
        dataset.subject(sample_id)
    for ids, whose in ((assignment.ids, "the protocol's"), (assignment.attacker_ids, "the attacker's")):
        if ids and all(dataset.fingerprint([sample_id]) == ["missing"] for sample_id in ids):
            raise InvalidInputError(
                f"data set {chosen.id!r}: none of {whose} {len(ids)} samples is there; "
                "`veilbench data status` shows where they are looked for"
            )


class _Clerk:
    """Files each record when its job is done; tells the watcher, if there is one."""

    def __init__(self, watcher: Watcher | None, folder: Path | None) -> None:
        self.watcher = watcher
        self.folder = folder
        self.records: list[Record] = []
        self.filed: list[str] = []

    def begin(self, total: int) -> None:
        if self.watcher:
            self.watcher.begin(total)

    def done(self, result: Result) -> None:
        if self.watcher:
            self.watcher.done(result)
        if result.record is None:
            return
        self.records.append(result.record)
        if self.folder is None:
            self.filed.append("not filed")
            return
        self.filed.append(file_record(self.folder, result.record, result.scores))

    def close(self) -> None:
        if self.watcher:
            self.watcher.close()


def _rows(records: Iterable[Record], filed: Iterable[str]) -> list[dict[str, str]]:
    rows = []
    eer = METRICS["eer"]
    for record, how in zip(records, filed, strict=True):
        row = {"setting": record.setting, "attack": record.attack.setting}
        for comparison, recognisers in record.results.items():
            for recogniser, metrics in recognisers.items():
                if "eer" in metrics:
                    row[f"EER %\n{recogniser}\n{comparison}"] = eer.show(metrics["eer"].value)
        rows.append(row | {"status": record.status, "record": how})
    return rows


def current_digests(*running: Protocol, data: Path | None = None) -> CurrentDigests:
    """The digests that records must carry to be up to date: of the protocols and submissions that are found here.

    `running`: protocols that were named by path, and are not in a folder of protocols. `data`: the data folder, for
    weights that the user imported (else VEILBENCH_DATA).
    """
    submissions = discover()
    protocols = {protocol.id: protocol for protocol in running}
    for name, path in protocol_files().items():
        with suppress(InvalidInputError):  # a protocol that no longer loads makes its records stale, not this run fail
            protocols[name] = load_protocol(path, submissions=submissions, folder=data)
    digests: dict[str, dict[str, str]] = {"protector": {}, "attack": {}}
    for (kind, name), one in submissions.items():
        with suppress(InvalidInputError):  # likewise one that is no longer Python
            digests[kind][name] = one.source_digest
    files = {name for one in protocols.values() for name in one.all_recognisers if name.startswith(ONNX)}
    recognisers = {name: recogniser_digest(name, data=data) for name in {*recogniser_ids(data), *files}}
    jobs = {name: _jobs_of(protocol, submissions) for name, protocol in protocols.items()}
    return CurrentDigests(
        protocols={name: protocol.digest for name, protocol in protocols.items()},
        protectors=digests["protector"],
        attacks=digests["attack"],
        recognisers=recognisers,
        datasets={name: one.dataset.digest for name, one in protocols.items() if one.dataset.digest},
        settings={
            (name, setting.name): dict(setting.parameters)
            for name, protocol in protocols.items()
            for setting in listed_settings(protocol, submissions)
        },
        # But for attacks that meet none of the protectors.
        listed_attacks={name: list(dict.fromkeys(job.attack.name for job in found)) for name, found in jobs.items()},
        further_recognisers={
            name: {
                job.attack.name: [one for one in job.recognisers if one not in protocols[name].recognisers]
                for job in found
            }
            for name, found in jobs.items()
        },
    )


def _jobs_of(protocol: Protocol, submissions: Mapping[tuple[str, str], Submission]) -> tuple[Job, ...]:
    """The jobs of a protocol's settings and attacks."""
    try:
        return plan(protocol, submissions).jobs
    except InvalidInputError:  # it cannot be run at all, which whoever runs it is told
        return ()


def regenerate_board(board: Path | None, *, check_only: bool) -> tuple[Path, list[Path]]:
    """The leaderboard folder, and the pages that differ from their records; they are written unless `check_only`."""
    folder = locations.leaderboard_folder() if board is None else board
    if not folder.is_dir():
        raise InvalidInputError(f"no leaderboard at {folder}; run a protocol first, or name another with --board")
    current = current_digests()
    return folder, check(folder, current) if check_only else write(folder, current)


def draw_plots(
    protocol: str,
    *,
    board: Path | None = None,
    out: Path | None = None,
    kind: str = "svg",
    sheet: bool = False,
    data: Path | None = None,
    store: Path | None = None,
) -> list[Path]:
    """Draw a protocol's figures, and with `sheet` its contact sheet; its page of the board then shows them.

    The sheet shows drawn faces, or with `data` the protocol's own samples: that one is never written onto a board.
    """
    folder = locations.leaderboard_folder() if board is None else board
    name = load_protocol(protocol).id if Path(protocol).suffix in (".yaml", ".yml") else protocol
    plots = folder / "plots" if out is None else out
    sheets = plots if data is None else Path.cwd() if out is None else out
    if data is not None and sheet and folder.resolve() in (sheets.resolve(), *sheets.resolve().parents):
        raise InvalidInputError(f"{sheets} is on the board, which shows drawn faces only; choose another with --out")
    units = {
        parameter: found.unit
        for submission in discover().values()
        for parameter, found in submission.manifest.parameters.items()
        if found.unit
    }
    current = current_digests()
    further = (current.further_recognisers or {}).get(name)
    files = draw_figures(name, folder, plots, kind=kind, units=units, further=further)
    if sheet:
        files.append(sheets / f"{name}.sheet.jpg")
        assignment = order(protocol, data=data, store=store).assignment
        draw = draw_scenario_sheet if assignment.plan.protocol.all_pairs else draw_sheet
        draw(assignment, files[-1], drawn_faces=data is None)
    if folder in plots.parents:
        write_page(folder, name, current)
    return files


def ranking_of(board: Path | None, protocol: str) -> str:
    """The ranking on a protocol's page, as Markdown; raises InvalidInputError where there is no such page."""
    folder = locations.leaderboard_folder() if board is None else board
    page = folder / f"{protocol}.md"
    pages = {path.stem for path in folder.glob("*.md")} - {"README"}
    if protocol not in pages:
        raise unknown("protocol on this leaderboard", protocol, pages)
    return page.read_text(encoding="utf-8").partition("## Ranking\n\n")[2].partition("\n\n")[0]


def verify_records(paths: Sequence[Path], *, protocol: Path | str | None = None) -> Iterator[tuple[Path, list[str]]]:
    """(record file, what is wrong with it) for records, or for all records under folders.

    `protocol`: the path or id of the protocol that they were made under, where it is in no folder of protocols. Raises
    InvalidInputError where a named file is not there, where a folder holds no record, and as `load_protocol` does.
    """
    known = None if protocol is None else load_protocol(protocol)
    for path in paths:
        files = sorted(path.rglob("*.json")) if path.is_dir() else [path]
        if not files:
            raise InvalidInputError(f"{path}: no records here; name a record or a folder of records")
        if not path.exists():
            raise InvalidInputError(f"{path}: no such file; name a record or a folder of records")
        for file in files:
            yield file, _problems(file, known)


def _problems(file: Path, protocol: Protocol | None) -> list[str]:
    """What is wrong with one record's file; a damaged one does not keep the others from being verified."""
    try:
        record = read_record(file)
        protocol = protocol or load_protocol(record.protocol.id)
        if protocol.id != record.protocol.id:
            return [f"a record of the protocol {record.protocol.id}, not of {protocol.id} ({protocol.path.name})"]
        if protocol.digest != record.protocol.digest:
            return [f"the protocol {protocol.id} has changed since, and a record holds for its own: run it again"]
        if len(file.resolve().parents) < 4:
            raise InvalidInputError("not in leaderboard/records/<protocol>/<setting>/, beside which its scores lie")
        pairs = None if protocol.all_pairs else protocol.read_pairs()
        return verify(record, file.resolve().parents[3], pairs)
    except InvalidInputError as error:
        return [str(error).removeprefix(f"{file}: ")]
