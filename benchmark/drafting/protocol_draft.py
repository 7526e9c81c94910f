"""`veilbench data protocol`: from a data set of one's own to a protocol that runs: its pairs, and its YAML file."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from benchmark.datasets import Dataset, open_dataset, write_pairs
from benchmark.datasets.folder import FolderDataset
from benchmark.datasets.registry import named_dataset
from benchmark.digest import digest_file
from benchmark.drafting.drawn_pairs import deal_folds, draw_pairs
from benchmark.drafting.reference_set import reference_set
from benchmark.errors import InvalidInputError, unknown
from benchmark.locations import PACKAGE
from benchmark.protocol import protocol_files
from benchmark.recognisers import recogniser_ids
from benchmark.store import write_atomically

_LOADED = 256  # crops that are checked at a time


@dataclass(frozen=True)
class Draft:
    """The files that were written, and one line on what is in them."""

    protocol: Path
    pairs: Path
    counts: str


def draft(
    named: str,
    *,
    id: str,
    into: Path | None = None,
    data: Path | None = None,
    recognisers: Sequence[str] = ("lbp",),
    pairs: int = 300,
    folds: int = 10,
    seed: int = 1,
) -> Draft:
    """Write `<into>/<id>.yaml` and `<into>/splits/<id>.csv` (default: `protocols/` here) for a data set.

    `named`: `folder:PATH`, `casia-webface` (its reference set, in four folds) or `lfw106`. In each of at most `folds`
    folds up to `pairs` genuine and as many impostor pairs are drawn by `seed`. Never overwrites. Raises
    InvalidInputError for a bad or known id, for files that are there, and for images that are no aligned crops.
    """
    into = into or Path.cwd() / "protocols"
    protocol, split = into / f"{id}.yaml", into / "splits" / f"{id}.csv"
    _check(id, recognisers, protocol, split)
    dataset_id, parameters = named_dataset(named, data)
    dataset = open_dataset(dataset_id, parameters, data)
    dealt = _dealt(dataset, data, folds=folds, seed=seed)
    rows = draw_pairs(dealt, most=pairs, seed=seed)
    used = sorted({sample_id for row in rows for sample_id in (row.a, row.b)})
    _check_crops(dataset, used)
    count = len(set(dealt.values()))
    counts = (
        f"{len(rows) // 2} genuine and {len(rows) // 2} impostor pairs in {count} folds, over {len(used)} samples of "
        f"{len({dataset.subject(sample_id) for sample_id in used})} subjects; drawn with seed {seed}."
    )
    split.parent.mkdir(parents=True, exist_ok=True)
    write_pairs(split, rows)
    # Plain text, not HTML: nothing to escape.
    templates = Environment(loader=FileSystemLoader(PACKAGE / "templates" / "protocol"), undefined=StrictUndefined)
    text = templates.get_template("protocol.yaml.jinja").render(
        named=named,
        id=id,
        title=f"Selective JPEG2000 encryption on {Path(named.partition(':')[2] or named).name}",
        counts=counts,
        dataset=dataset_id,
        parameters=parameters,
        pairs=f"splits/{id}.csv",
        sha256=digest_file(split),
        recognisers=recognisers,
        folds=count,
    )
    write_atomically(protocol, (text + "\n").encode())
    return Draft(protocol, split, counts)


def _check(id: str, recognisers: Sequence[str], *files: Path) -> None:
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", id) or len(id) > 64:
        raise InvalidInputError(f"{id!r} is no id: lower-case letters, digits and single hyphens, such as my-faces")
    for name in recognisers:
        if name not in recogniser_ids():
            raise unknown("recogniser", name, recogniser_ids())
    there = next((file for file in files if file.exists()), None)
    if there is None:
        there = protocol_files().get(id)
    if there is not None:
        raise InvalidInputError(f"{there} is there already, and is never overwritten; choose another --id")


def _dealt(dataset: Dataset, data: Path | None, *, folds: int, seed: int) -> dict[str, int]:
    """{sample id: fold} of the samples that may be compared."""
    if isinstance(dataset, FolderDataset):
        return deal_folds(dataset.ids(), folds=folds, seed=seed)
    if dataset.id in ("casia-webface", "lfw106"):
        return {member.sample: member.fold for member in reference_set(dataset.id, data).members}
    raise InvalidInputError(
        f"data set {dataset.id!r} has protocols of its own (veilbench list protocols); name folder:PATH, casia-webface "
        "or lfw106"
    )


def _check_crops(dataset: Dataset, ids: Sequence[str]) -> None:
    reasons: dict[str, str] = {}
    for start in range(0, len(ids), _LOADED):
        reasons |= dataset.load(ids[start : start + _LOADED]).reasons
    if reasons:
        first = next(iter(reasons.values()))
        raise InvalidInputError(
            f"{len(reasons)} of {len(ids)} samples are no aligned crops: {first}; "
            "`veilbench data prepare` aligns photographs"
        )
