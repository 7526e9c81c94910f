"""`veilbench train ...`."""

from __future__ import annotations

from pathlib import Path

import click

from benchmark.cli.options import DATA, FILE, FOLDER


@click.group()
def train() -> None:
    """Train what recognises."""


@train.command()
def networks() -> None:
    """List the networks that can be trained."""
    from benchmark.recognisers.networks.catalogue import network_names

    click.echo("\n".join(network_names()))


@train.command()
@click.option("--network", required=True, help="Which network (`veilbench train networks`).")
@click.option("--faces", type=FOLDER, required=True, help="Folder of identity folders with aligned 112x112 crops.")
@click.option("--out", type=FILE, required=True, help="The weights file to write (safetensors).")
@click.option(
    "--teacher", help="Distil from this recogniser's templates; without it: ArcFace on the folder's identities."
)
@click.option("--held-out", type=FILE, help="Split file: its people stay out of training, its pairs are measured.")
@click.option("--steps", type=click.IntRange(min=1), default=12_000, show_default=True, help="Steps in all.")
@click.option("--batch", type=click.IntRange(min=2), default=64, show_default=True, help="Samples a step.")
@click.option("--rate", type=click.FloatRange(min=0, min_open=True), default=2e-3, show_default=True, help="Peak rate.")
@click.option("--shards", type=click.IntRange(min=1), default=64, show_default=True, help="Of 4,096 labelled samples.")
@click.option("--seed", type=int, default=1, show_default=True, help="Of weights, batches and material.")
@click.option("--device", type=click.Choice(["cpu", "cuda"]), default="cpu", show_default=True)
@click.option("--threads", type=click.IntRange(min=1), default=1, show_default=True, help="Of the CPU.")
@click.option("--work", type=FOLDER, help="Checkpoint and labelled samples (default: beside --out).")
@DATA
def recogniser(
    network: str, faces: Path, out: Path, teacher: str | None, held_out: Path | None, steps: int, batch: int,
    rate: float, shards: int, seed: int, device: str, threads: int, work: Path | None, data: Path | None,
) -> None:  # fmt: skip
    """Train a network on aligned crops and write its weights; run again, an interrupted training goes on."""
    from benchmark.training.loop import Schedule
    from benchmark.training.recogniser import Order, train_recogniser

    order = Order(
        network=network, faces=faces, out=out, work=work or out.parent / f"{out.stem}.work", teacher=teacher,
        schedule=Schedule(steps=steps, peak=rate, warmup=min(300, steps // 10), seed=seed),
        held_out=held_out, data=data, batch=batch, shards=shards, device=device, threads=threads,
    )  # fmt: skip
    click.echo(f"written: {train_recogniser(order, click.echo)}")
