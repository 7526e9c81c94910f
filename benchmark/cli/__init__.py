"""`veilbench ...`: thin commands; each imports what it needs when it is called, so that `--help` is quick."""

from __future__ import annotations

import sys
import traceback
from pathlib import Path
from typing import Any

import click

from benchmark import __version__
from benchmark.cli.data import data as data_commands
from benchmark.cli.options import BOARD, DATA, FOLDER, STORE, WORKERS
from benchmark.cli.train import train
from benchmark.cli.weights import weights as weights_commands
from benchmark.errors import InvalidInputError, SubmissionFailedError


class _Commands(click.Group):
    """Says in one line what is wrong and ends with 2; shows the traceback only under --debug."""

    def invoke(self, context: click.Context) -> Any:
        try:
            return super().invoke(context)
        except (click.ClickException, click.exceptions.Exit, click.Abort, BrokenPipeError):
            raise  # click's own ways to end
        except InvalidInputError as error:
            _say(context, str(error))
            context.exit(2)
        except SubmissionFailedError as error:  # a run files that; a picture cannot be made without it
            _say(context, f"a submission {'timed out' if error.status == 'timeout' else 'failed'}: {error.reason}")
            context.exit(1)
        except KeyboardInterrupt:
            click.echo("veilbench: interrupted; what was finished is kept, run again to continue", err=True)
            context.exit(130)
        except OSError as error:  # a full disk under the output, a file that may not be read
            _say(context, f"{error.filename or 'output'}: {error.strerror or error}")
            context.exit(2)
        except Exception as error:
            what = f"{type(error).__name__}: {error}".rstrip(": ")
            _say(context, f"internal error: {what}; this is a bug: report it with what `veilbench --debug ...` shows")
            context.exit(1)


def _say(context: click.Context, message: str) -> None:
    if context.params.get("debug"):
        traceback.print_exc()
    click.echo(f"veilbench: {message}", err=True)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--debug", is_flag=True, help="Show a traceback when something is wrong.")
@click.version_option(__version__, prog_name="veilbench")
def main(debug: bool) -> None:
    """Benchmark the protection of facial data: protectors against attacks on fixed protocols."""
    del debug  # read from the context by _Commands


main.add_command(train)


@main.command()
@click.argument("protocol")
@click.option("--protector", "protectors", multiple=True, help="Only this protector or setting (repeatable).")
@click.option("--attack", "attacks", multiple=True, help="Only this attack (repeatable).")
@click.option("--recogniser", "recognisers", multiple=True, help="Only this recogniser: prints, files no record.")
@WORKERS
@click.option("--scheduler", help="Address of a Dask scheduler, instead of local workers.")
@click.option("--dry-run", is_flag=True, help="Print the jobs and stop.")
@click.option("--print", "shown", is_flag=True, help="Print the protocol's ranking on the leaderboard too.")
@DATA
@STORE
@BOARD
def run(
    protocol: str,
    protectors: tuple[str, ...],
    attacks: tuple[str, ...],
    recognisers: tuple[str, ...],
    workers: int | None,
    scheduler: str | None,
    dry_run: bool,
    shown: bool,
    data: Path | None,
    store: Path | None,
    board: Path | None,
) -> None:
    """Run PROTOCOL (a path or an id), file the records and regenerate their pages of the leaderboard."""
    from benchmark import runner

    order = runner.order(
        protocol,
        protectors=protectors or None,
        attacks=attacks or None,
        recognisers=recognisers or None,
        data=data,
        store=store,
    )
    if dry_run:
        click.echo("\n".join(order.plan.lines()))
        return
    report = runner.execute(order, workers=workers, scheduler=scheduler, board=board, show_progress=True)
    click.echo(report.text())
    if shown:
        click.echo(f"\n{runner.ranking_of(board, order.plan.protocol.id)}")
    if report.failed:
        sys.exit(1)


@main.command()
@click.option("--only", multiple=True, metavar="GLOB", help="Protocols, or PROTOCOL/SETTING/ATTACK (repeatable).")
@WORKERS
@click.option("--dry-run", is_flag=True, help="Print what is to be done and how long it will take, and stop.")
@DATA
@STORE
@BOARD
def results(
    only: tuple[str, ...],
    workers: int | None,
    dry_run: bool,
    data: Path | None,
    store: Path | None,
    board: Path | None,
) -> None:
    """Bring every record on the board up to date: run what is missing, stale or incomplete, then redraw."""
    from benchmark.results import bring_up_to_date, survey

    found = survey(board=board, data=data, store=store, only=only, workers=workers)
    click.echo("\n".join(found.lines(jobs=dry_run)))
    if not dry_run and not bring_up_to_date(found, click.echo):
        sys.exit(1)


@main.command("list")
@click.argument("what", type=click.Choice(["protocols", "protectors", "attacks", "recognisers", "datasets"]))
def list_(what: str) -> None:
    """List what is here."""
    from benchmark.listing import listing

    click.echo(listing(what))


@main.command()
@click.argument("kind", type=click.Choice(["protector", "attack"]))
@click.argument("name")
@click.option("--into", type=FOLDER, help="Where to write it (default: ./submissions).")
def new(kind: str, name: str, into: Path | None) -> None:
    """Write a working submission to start from."""
    from benchmark.scaffold import scaffold

    folder = scaffold(kind, name, into)
    click.echo(f"wrote {folder}\nnext: edit {folder / 'method.py'}, then veilbench validate {folder}")


@main.command()
@click.argument("path", type=click.Path(path_type=Path))
def validate(path: Path) -> None:
    """Check a submission: all that a pull request is checked for."""
    from benchmark.conformance import validate as check

    report = check(path)
    click.echo(report.text())
    if not report.passed:
        sys.exit(1)


@main.command()
@click.argument("what", metavar="PROTOCOL|FILE.j2k")
@click.option("--setting", "settings", multiple=True, help="Only this protector or setting (repeatable).")
@click.option("--samples", default=6, show_default=True, type=click.IntRange(1, 32), help="How many samples.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="PNG or JPEG (default: NAME.png).")
@DATA
@STORE
def show(
    what: str, settings: tuple[str, ...], samples: int, out: Path | None, data: Path | None, store: Path | None
) -> None:
    """Make a picture: originals, what attacks show, what the key recovers, one row a setting; or one protected file."""
    from benchmark import runner
    from benchmark.show import codestream_picture, contact_sheet

    if Path(what).suffix.lower() in (".j2k", ".j2c", ".jpc", ".jp2"):
        path = out or Path(Path(what).stem + ".png")
        click.echo(codestream_picture(Path(what), path))
    else:
        order = runner.order(what, protectors=settings or None, data=data, store=store)
        path = out or Path(f"{order.plan.protocol.id}.png")
        contact_sheet(order.assignment, path, samples=samples)
    click.echo(f"wrote {path}")


@main.command()
@click.argument("protocol")
@click.option(
    "--out", type=FOLDER, help="Where to write (default: plots/ on the board, from where its pages show them)."
)
@click.option("--format", "kind", type=click.Choice(["svg", "png"]), default="svg", show_default=True)
@click.option(
    "--sheet", is_flag=True, help="A contact sheet too, of drawn faces; with --data of the protocol's samples."
)
@DATA
@STORE
@BOARD
def plot(
    protocol: str,
    out: Path | None,
    kind: str,
    sheet: bool,
    data: Path | None,
    store: Path | None,
    board: Path | None,
) -> None:
    """Draw PROTOCOL's figures from its records: EER over a sweep or by setting, and scores in key scenarios."""
    from benchmark import runner

    for path in runner.draw_plots(protocol, board=board, out=out, kind=kind, sheet=sheet, data=data, store=store):
        click.echo(f"wrote {path}")


@main.command()
@click.option("--check", is_flag=True, help="Change nothing; exit code 1 where a page differs from its records.")
@click.option("--print", "shown", metavar="PROTOCOL", help="Print this protocol's ranking too.")
@BOARD
def leaderboard(check: bool, shown: str | None, board: Path | None) -> None:
    """Regenerate the leaderboard's pages from its records."""
    from benchmark import runner

    folder, drifted = runner.regenerate_board(board, check_only=check)
    if check and drifted:
        for path in drifted:
            click.echo(f"differs from its records: {path}; run `veilbench leaderboard`", err=True)
        sys.exit(1)
    if shown is not None:
        click.echo(runner.ranking_of(folder, shown))
    click.echo(f"leaderboard: {folder / 'README.md'}" + (" agrees with its records" if check else ""))


@main.command()
@click.argument("records", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--protocol", metavar="FILE", help="The protocol of the records, where it was run by its path.")
def verify(records: tuple[Path, ...], protocol: str | None) -> None:
    """Recompute the metrics of RECORDS (files or folders) from their score files."""
    from benchmark import runner

    wrong = 0
    for path, problems in runner.verify_records(records, protocol=protocol):
        wrong += bool(problems)
        for problem in problems:
            click.echo(f"{path}: {problem}", err=True)
        if not problems:
            click.echo(f"{path}: ok")
    if wrong:
        sys.exit(1)


@main.command()
@click.option("--prune", metavar="SIZE", help="Delete least used artefacts until at most SIZE is left (5GiB, 0).")
@click.option("--kind", help="Prune only this kind of artefact.")
@STORE
def store(prune: str | None, kind: str | None, store: Path | None) -> None:
    """Show what the artefact store holds, or prune it."""
    from benchmark import listing

    click.echo(listing.store_report(store, prune=prune, kind=kind))


main.add_command(data_commands)
main.add_command(weights_commands)
