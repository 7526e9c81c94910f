"""`veilbench weights ...`: which weights there are, fetching them, and importing a checkpoint."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from benchmark.cli.options import DATA, FILE

if TYPE_CHECKING:
    from benchmark.recognisers.preprocessing import Preprocessing


@click.group()
def weights() -> None:
    """The weights of the networks: what is here, fetch, import."""


@weights.command("list")
@DATA
def list_(data: Path | None) -> None:
    """Show every weights file: network, licence, where it is, SHA-256."""
    from benchmark.listing import weights_listing

    click.echo(weights_listing(data))


@weights.command()
@click.argument("ids", nargs=-1)
@DATA
def fetch(ids: tuple[str, ...], data: Path | None) -> None:
    """Fetch the weights of IDS (default: all that can be fetched) and check their SHA-256."""
    from benchmark.listing import fetch_weights

    for line in fetch_weights(ids, data):
        click.echo(line)


@weights.command("import")
@click.argument("checkpoint", type=click.Path(path_type=Path))
@click.option("--network", required=True, help="Which network it is of (an unknown name lists them).")
@click.option("--out", type=FILE, help="The .safetensors file to write (default: ID.safetensors where it is found).")
@click.option("--id", help="The recogniser's id (default: by the network).")
@click.option("--columns", nargs=2, type=int, help="Columns of the 112 that it sees: the first, and behind the last.")
@click.option("--mean", nargs=3, type=float, help="Subtracted from R, G, B (0 to 255).")
@click.option("--std", nargs=3, type=float, help="Then divided by.")
@click.option("--source", help="Where the checkpoint comes from.")
@click.option("--licence", default="not stated", show_default=True)
@DATA
def import_(
    checkpoint: Path,
    network: str,
    out: Path | None,
    id: str | None,
    columns: tuple[int, int] | None,
    mean: tuple[float, float, float] | None,
    std: tuple[float, float, float] | None,
    source: str | None,
    licence: str,
    data: Path | None,
) -> None:
    """Convert CHECKPOINT (a state dict; no code in it is ever run) to safetensors and make it a recogniser.

    Its tensors are checked by name and shape. Without --columns, --mean and --std, those that it names itself, as what
    `veilbench train recogniser` wrote does; else those of the public training code.
    """
    from benchmark.checkpoints import default_id, import_checkpoint
    from benchmark.locations import data_root
    from benchmark.recognisers.weights import weights_folders

    searched = weights_folders(data_root(data))
    place = out or searched[0] / f"{id or default_id(network)}.safetensors"
    seen = _preprocessing(checkpoint, network, columns, mean, std)
    done = import_checkpoint(checkpoint, network, place, id=id, preprocessing=seen, source=source, licence=licence)
    click.echo(f"wrote {done.path} (SHA-256 {done.sha256}) and its entry in {done.listing}")
    if any(done.path.parent.resolve() == folder.resolve() for folder in searched):
        click.echo(f"recogniser: {done.id}")
    else:
        click.echo(f"put both into {searched[0]} to use it as the recogniser {done.id}")


def _preprocessing(
    checkpoint: Path,
    network: str,
    columns: tuple[int, int] | None,
    mean: tuple[float, float, float] | None,
    std: tuple[float, float, float] | None,
) -> Preprocessing:
    """What the options say; for the rest what the checkpoint says, or the network's default."""
    from pydantic import ValidationError

    from benchmark.checkpoints import preprocessing_of
    from benchmark.errors import InvalidInputError
    from benchmark.recognisers.preprocessing import Preprocessing

    usual = preprocessing_of(checkpoint, network)
    try:
        return Preprocessing(columns=columns or usual.columns, mean=mean or usual.mean, std=std or usual.std)
    except ValidationError as error:
        first = error.errors()[0]
        reason = str(first["msg"]).removeprefix("Value error, ")
        raise InvalidInputError(f"--{first['loc'][0]}: {reason}") from None
