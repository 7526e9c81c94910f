"""Where things are: protocols, submissions, the leaderboard, the data and the store.

A checkout uses its own folders; an installed wheel carries its protocols and baselines in `benchmark/bundled`.
"""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

from benchmark.errors import InvalidInputError

#: The package itself.
PACKAGE = Path(__file__).resolve().parent


def checkout() -> Path | None:
    """The checkout that this package belongs to; None where it is installed."""
    root = PACKAGE.parent
    return root if (root / "protocols").is_dir() and (root / "baselines").is_dir() else None


def _own(name: str) -> Path:
    return (checkout() or PACKAGE / "bundled") / name


def protocol_folders() -> list[Path]:
    """Folders whose `*.yaml` are protocols: ours, then `protocols/` under the current folder."""
    return _existing(_own("protocols"), Path.cwd() / "protocols")


def baselines_folder() -> Path:
    """Our own submissions."""
    return _own("baselines").resolve()


def submission_folders() -> list[Path]:
    """Folders with `protectors/<id>` and `attacks/<id>` inside: the baselines, then the community's submissions.

    Submissions are looked for in the checkout and under the current folder.
    """
    root = checkout()
    ours = [root / "submissions"] if root else []
    return _existing(baselines_folder(), *ours, Path.cwd() / "submissions")


def leaderboard_folder() -> Path:
    """Where records and the board are kept: in the checkout, else `leaderboard/` under the current folder."""
    return (checkout() or Path.cwd()) / "leaderboard"


def data_root(option: Path | str | None = None) -> Path | None:
    """The folder with data sets and weights: `--data`, $VEILBENCH_DATA, the user's own; None without one.

    Raises InvalidInputError where a folder was named but does not exist.
    """
    for source, named in (("--data", option), ("VEILBENCH_DATA", os.environ.get("VEILBENCH_DATA"))):
        if named:
            path = Path(named).expanduser().resolve()
            if not path.is_dir():
                raise InvalidInputError(f"{source}: no folder at {path}; name the folder that holds lfw/ and weights/")
            return path
    default = Path(platformdirs.user_data_dir("veilbench", appauthor=False))
    return default if default.is_dir() else None


def store_root(option: Path | str | None = None) -> Path:
    """The folder of computed artefacts: `--store`, $VEILBENCH_STORE, or the user's cache; it need not exist yet."""
    named = option or os.environ.get("VEILBENCH_STORE")
    if named:
        return Path(named).expanduser().resolve()
    return Path(platformdirs.user_cache_dir("veilbench", appauthor=False)) / "store"


def compiled_root() -> Path:
    """The folder under which submissions keep what they compile, in the user's cache."""
    return Path(platformdirs.user_cache_dir("veilbench", appauthor=False)) / "compiled"


def _existing(*folders: Path) -> list[Path]:
    return list(dict.fromkeys(folder.resolve() for folder in folders if folder.is_dir()))
