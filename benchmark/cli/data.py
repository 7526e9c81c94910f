"""`veilbench data ...`: what is here, download what may be downloaded, align photographs, draft a protocol."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from benchmark.cli.options import DATA, FOLDER, WORKERS

if TYPE_CHECKING:
    from benchmark.preparation.report import Report


@click.group()
def data() -> None:
    """The data sets: what is here, and the way from photographs to samples."""


@data.command()
@DATA
def status(data: Path | None) -> None:
    """Show which data sets and weights are here, and how to get the others."""
    from benchmark.listing import data_status

    click.echo(data_status(data))


@data.command()
@click.option("--from", "source", type=FOLDER, required=True, help="Photographs: FROM/<identity>/<image>.")
@click.option("--to", "target", type=FOLDER, required=True, help="Crops go to TO/<identity>/<image>.jpg.")
@click.option("--format", "kind", type=click.Choice(["jpg", "png"]), default="jpg", show_default=True)
@DATA
@WORKERS
def prepare(source: Path, target: Path, kind: Literal["jpg", "png"], data: Path | None, workers: int | None) -> None:
    """Align photographs: find the face in each, and crop it to 112x112.

    Writes report.csv (what became of each file) and report.json beside the crops. Run again, it goes on where it
    stopped. Ends with 0 when all was tried and at least one crop is there: failures are listed, and are part of the
    result. Ends with 1 when no photograph gave a crop.
    """
    from benchmark.locations import data_root
    from benchmark.preparation.prepare import prepare as run

    _finish(run(source, target, data=data_root(data), workers=workers, kind=kind, show_progress=True))


@data.command()
@click.argument("name", type=click.Choice(["lfw"]))
@click.option("--home", type=FOLDER, help="scikit-learn's data folder (default: its own choice).")
@DATA
@WORKERS
def fetch(name: str, home: Path | None, data: Path | None, workers: int | None) -> None:
    """Download a data set, unless it is there, and align it into the data folder."""
    del name  # there is one
    from benchmark.alignment.weights import find_detector
    from benchmark.locations import data_root
    from benchmark.preparation.lfw import fetch_lfw, lfw_shortfall, own_data_root
    from benchmark.preparation.prepare import prepare as run

    root = data_root(data) or own_data_root()
    find_detector(root)  # before anything large is downloaded
    photographs = fetch_lfw(home)
    shortfall = lfw_shortfall(photographs)
    if shortfall:
        click.echo(f"note: {shortfall}", err=True)
    _finish(run(photographs, root / "lfw" / "aligned112", data=root, workers=workers, show_progress=True))


@data.command()
@click.argument("named", metavar="DATASET")
@click.option("--id", "id_", required=True, help="The protocol's id.")
@click.option("--into", type=FOLDER, help="Where to write it (default: ./protocols).")
@click.option("--recogniser", "recognisers", multiple=True, help="Who looks at the result (repeatable; default: lbp).")
@click.option("--pairs", default=300, show_default=True, type=click.IntRange(min=1), help="Genuine pairs in a fold.")
@click.option("--folds", default=10, show_default=True, type=click.IntRange(min=1), help="Folds, at most.")
@click.option("--seed", default=1, show_default=True, type=click.IntRange(min=0), help="Draws other pairs.")
@DATA
def protocol(
    named: str,
    id_: str,
    into: Path | None,
    recognisers: tuple[str, ...],
    pairs: int,
    folds: int,
    seed: int,
    data: Path | None,
) -> None:
    """Write a protocol for DATASET: folder:PATH (aligned crops), casia-webface or lfw106.

    Draws as many impostor as genuine pairs in subject-disjoint folds. Never overwrites a file. casia-webface and
    lfw106 are compared within the four folds of their reference sets.
    """
    from benchmark.drafting.protocol_draft import draft
    from benchmark.locations import data_root

    chosen = recognisers or ("lbp",)
    done = draft(
        named, id=id_, into=into, data=data_root(data), recognisers=chosen, pairs=pairs, folds=folds, seed=seed
    )
    click.echo(f"wrote {done.protocol} and {done.pairs}: {done.counts}\nnext: veilbench run {done.protocol}")


def _finish(report: Report) -> None:
    click.echo(report.text())
    if not report.crops:
        click.echo("veilbench: no photograph gave a crop: no face was found, or nothing could be read", err=True)
        sys.exit(1)
