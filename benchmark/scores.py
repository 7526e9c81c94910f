"""Score files: the scores of every comparison behind a record, in the pair list's order, as npz without pickle.

One float32 array per comparison and recogniser, named `<comparison>/<recogniser>`; -inf is a failure to process. Files
are byte-stable: sorted names, no time stamps, no compression (whose output changes between zlib versions).
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from benchmark.digest import digest
from benchmark.errors import InvalidInputError
from benchmark.store import write_atomically

#: {comparison: {recogniser: float32, P}}
ScoreTable: TypeAlias = Mapping[str, Mapping[str, npt.NDArray[np.float32]]]
#: No honest score file holds more comparisons than this.
_MOST = 100_000_000


def score_path(folder: Path, protocol: str, setting: str, attack: str) -> Path:
    """Where a score file lies under the leaderboard folder.

    >>> score_path(Path("leaderboard"), "demo", "identity", "direct-decode").as_posix()
    'leaderboard/scores/demo/identity/direct-decode.npz'
    """
    return folder / "scores" / protocol / setting / f"{attack}.npz"


def scores_digest(scores: ScoreTable) -> str:
    """SHA-256 over names and values, whatever the file around them.

    >>> one = {"protected-protected": {"lbp": np.zeros(2, np.float32)}}
    >>> scores_digest(one) == scores_digest({"protected-protected": {"lbp": np.ones(2, np.float32)}})
    False
    """
    parts = [part for name, values in sorted(_flat(scores).items()) for part in (name, values)]
    return digest("scores", *parts)


def write_scores(path: Path, scores: ScoreTable) -> None:
    """Write a score file atomically; raises InvalidInputError where the disk does not take it, ValueError for NaN."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, values in sorted(_flat(scores).items()):
            if np.isnan(values).any():
                raise ValueError(f"{name}: scores contain NaN; a failure to process is -inf")
            member = io.BytesIO()
            np.lib.format.write_array(member, values, version=(1, 0), allow_pickle=False)
            info = zipfile.ZipInfo(f"{name}.npy")  # its date is 1980-01-01
            info.create_system = 3  # else Windows writes other bytes
            archive.writestr(info, member.getvalue())
    write_atomically(path, buffer.getvalue())


def read_scores(path: Path) -> dict[str, dict[str, npt.NDArray[np.float32]]]:
    """Read a score file; raises InvalidInputError for anything but float32 arrays of one axis without NaN."""
    table: dict[str, dict[str, npt.NDArray[np.float32]]] = {}
    try:
        with zipfile.ZipFile(path) as archive:
            for info in archive.infolist():
                if info.file_size > 4 * _MOST:
                    raise ValueError(f"{info.filename} is larger than any score list")
                comparison, _, recogniser = info.filename.removesuffix(".npy").partition("/")
                with archive.open(info) as member:
                    values = np.lib.format.read_array(member, allow_pickle=False)
                if values.dtype != np.float32 or values.ndim != 1 or np.isnan(values).any() or not recogniser:
                    raise ValueError(f"{info.filename} is no list of float32 scores without NaN")
                table.setdefault(comparison, {})[recogniser] = values
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, NotImplementedError) as error:
        raise InvalidInputError(f"{path}: not a readable score file ({error}); run the protocol again") from None
    return table


def _flat(scores: ScoreTable) -> dict[str, npt.NDArray[np.float32]]:
    return {
        f"{comparison}/{recogniser}": np.ascontiguousarray(values, dtype="<f4")
        for comparison, by_recogniser in scores.items()
        for recogniser, values in by_recogniser.items()
    }
