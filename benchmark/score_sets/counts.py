"""Score files of all-pairs protocols: how many mated and non-mated scores lie between which edges, as npz.

Thirty million scores a scenario and recogniser are too many to file; their histogram gives D_sys and maximal
linkability exactly, and bounds every rate. Byte-stable, stored, never pickled, as score files are.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from benchmark.digest import digest
from benchmark.errors import InvalidInputError
from benchmark.metrics.binned_scores import nested_edges
from benchmark.metrics.template_protection import d_sys_bins
from benchmark.store import write_atomically


class ScoreCounts(NamedTuple):
    """The histogram of one score set; a bin holds its lower edge, the last one its upper edge too."""

    #: float64, B + 1: `benchmark.metrics.binned_scores.nested_edges`.
    edges: npt.NDArray[np.float64]
    #: uint32, B each.
    mated: npt.NDArray[np.uint32]
    non_mated: npt.NDArray[np.uint32]


#: {scenario: {recogniser: counts}}
CountTable: TypeAlias = Mapping[str, Mapping[str, ScoreCounts]]
#: The name, beside the scenarios', of the comparisons of unprotected samples.
UNPROTECTED = "unprotected"
#: No honest histogram has more bins than this.
_MOST = 10_000
_KINDS = {"range": np.float64, "mated": np.uint32, "non_mated": np.uint32}


def counts_digest(table: CountTable) -> str:
    """SHA-256 over names and values, whatever the file around them.

    >>> one = ScoreCounts(nested_edges(0, 1, 1), np.zeros(1020, np.uint32), np.zeros(1020, np.uint32))
    >>> counts_digest({"same-key": {"lbp": one}}) == counts_digest({"same-key": {"other": one}})
    False
    """
    return digest("score counts", *(part for entry in _entries(table) for part in entry))


def write_counts(path: Path, table: CountTable) -> None:
    """Write a counts file atomically; raises InvalidInputError where the disk does not take it.

    Raises ValueError for edges that are not those of so many mated scores, which the file could not give back.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, values in _entries(table):
            member = io.BytesIO()
            np.lib.format.write_array(member, values, version=(1, 0), allow_pickle=False)
            info = zipfile.ZipInfo(f"{name}.npy")  # its date is 1980-01-01
            info.create_system = 3  # else Windows writes other bytes
            archive.writestr(info, member.getvalue())
    write_atomically(path, buffer.getvalue())


def read_counts(path: Path) -> dict[str, dict[str, ScoreCounts]]:
    """Read a counts file; raises InvalidInputError for anything else."""
    found: dict[tuple[str, str], dict[str, npt.NDArray[Any]]] = {}
    try:
        with zipfile.ZipFile(path) as archive:
            for info in archive.infolist():
                if info.file_size > 8 * _MOST:
                    raise ValueError(f"{info.filename} is larger than any histogram")
                scenario, recogniser, kind = info.filename.removesuffix(".npy").split("/")
                with archive.open(info) as member:
                    values = np.lib.format.read_array(member, allow_pickle=False)
                if values.dtype != _KINDS[kind] or values.ndim != 1:
                    raise ValueError(f"{info.filename} is an array of {values.dtype} {values.shape}")
                found.setdefault((scenario, recogniser), {})[kind] = values
        table: dict[str, dict[str, ScoreCounts]] = {}
        for (scenario, recogniser), arrays in found.items():
            table.setdefault(scenario, {})[recogniser] = _counts(**arrays)
    except Exception as error:  # zipfile and numpy raise a dozen kinds on a damaged file
        reason = getattr(error, "strerror", None) or error
        raise InvalidInputError(
            f"{path}: no file of score counts ({reason}); restore it, or run the protocol again"
        ) from None
    return table


def holds_counts(path: Path) -> bool:
    """Whether a file under `scores/` holds counts, not scores; False where it cannot be read."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (OSError, zipfile.BadZipFile):
        return False
    return bool(names) and all(name.count("/") == 2 for name in names)


def _entries(table: CountTable) -> Iterator[tuple[str, npt.NDArray[Any]]]:
    """Named arrays in the order of their names."""
    for scenario, by_recogniser in sorted(table.items()):
        for recogniser, counts in sorted(by_recogniser.items()):
            again = _counts(counts.edges[[0, -1]], counts.mated, counts.non_mated)
            if not np.array_equal(again.edges, counts.edges):
                raise ValueError(
                    f"{scenario}/{recogniser}: edges are not those of {int(counts.mated.sum())} mated scores"
                )
            for kind, values in (("mated", counts.mated), ("non_mated", counts.non_mated)):
                yield f"{scenario}/{recogniser}/{kind}", np.asarray(values, np.uint32)
            yield f"{scenario}/{recogniser}/range", counts.edges[[0, -1]]


def _counts(
    range: npt.NDArray[np.float64], mated: npt.NDArray[np.uint32], non_mated: npt.NDArray[np.uint32]
) -> ScoreCounts:
    """Counts with their edges; raises ValueError where they do not fit together."""
    if range.shape != (2,) or not np.isfinite(range).all() or not range[0] < range[1]:
        raise ValueError("the range of a histogram is two ascending numbers")
    edges = nested_edges(float(range[0]), float(range[1]), d_sys_bins(int(mated.sum(dtype=np.int64))))
    if not mated.shape == non_mated.shape == (edges.size - 1,):
        raise ValueError(f"{mated.size} and {non_mated.size} counts for {edges.size - 1} bins")
    return ScoreCounts(edges, mated, non_mated)
