"""Types and options that several commands share."""

from __future__ import annotations

from pathlib import Path

import click

FOLDER = click.Path(path_type=Path, file_okay=False)
FILE = click.Path(path_type=Path, dir_okay=False)
DATA = click.option("--data", type=FOLDER, help="Folder with lfw/ and weights/ (or set VEILBENCH_DATA).")
STORE = click.option("--store", type=FOLDER, help="Folder of the artefact store (or set VEILBENCH_STORE).")
BOARD = click.option("--board", type=FOLDER, help="Leaderboard folder (default: ./leaderboard or the checkout's).")
WORKERS = click.option("--workers", type=click.IntRange(min=1), help="Worker processes (default: the cores).")
