"""Reference sets: 106 identities, 3,963 images, in four subject-disjoint folds, as published inpainting attacks on
CASIA-WebFace were judged on.

Which identities those were was not published, so ours are chosen by this rule, over names alone:

1. Identities with fewer than 38 images are left out.
2. The others are put into the order of the SHA-256 of their name under the label `reference set`; the first 106 count.
3. Each gives 37 images, and the first 41 of them a 38th (106 x 37 + 41 = 3,963): an identity's images are taken in the
   order of the SHA-256 of their id.
4. The identity at place p (from 0) is in fold p mod 4 + 1: folds of 27, 27, 26 and 26 identities.

The list is stored when it is first needed, and holds from then on.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from benchmark.datasets import open_dataset
from benchmark.datasets.casia_webface import PLACE, CasiaWebFaceDataset
from benchmark.datasets.lfw106 import Lfw106Dataset
from benchmark.digest import digest
from benchmark.errors import InvalidInputError, unknown
from benchmark.store import write_atomically

IDENTITIES, IMAGES, FOLDS = 106, 3963, 4
_LEAST = -(-IMAGES // IDENTITIES)
#: Part of every digest that orders names; another number chooses another set.
_SEED = 1
_HEADER = ["sample", "subject", "fold"]
NAME = "reference106"


@dataclass(frozen=True)
class Member:
    """A sample of a reference set: its id, whose face it is, and its fold (1 to 4)."""

    sample: str
    subject: str
    fold: int


@dataclass(frozen=True)
class ReferenceSet:
    """The samples of one data set that count, in order; `digest`: SHA-256 of the list."""

    dataset: str
    members: tuple[Member, ...]
    digest: str


def choose(ids: Iterable[str]) -> list[Member]:
    """The reference set among sample ids (`identity/image`), by the rule above.

    Raises InvalidInputError where fewer than 106 identities have 38 images.
    """
    images: dict[str, list[str]] = defaultdict(list)
    for sample_id in ids:
        images[sample_id.rpartition("/")[0]].append(sample_id)
    eligible = sorted((name for name, own in images.items() if len(own) >= _LEAST), key=_order)
    if len(eligible) < IDENTITIES:
        raise InvalidInputError(
            f"a reference set needs {IDENTITIES} identities of at least {_LEAST} images; there are {len(eligible)}"
        )
    members = []
    for place, name in enumerate(eligible[:IDENTITIES]):
        count = _LEAST if place < IMAGES - IDENTITIES * (_LEAST - 1) else _LEAST - 1
        taken = sorted(images[name], key=_order)[:count]
        members += [Member(sample_id, name, place % FOLDS + 1) for sample_id in taken]
    return members


def reference_set(dataset_id: str, data: Path | None) -> ReferenceSet:
    """The reference set of `casia-webface`, chosen and stored on first use, or its stand-in `lfw106`, which is listed.

    It is stored in `<data>/casia-webface/`, or in the user's cache where that cannot be written. Raises
    InvalidInputError where the data set is missing or too small, and where the stored list was changed.
    """
    if dataset_id not in (CasiaWebFaceDataset.id, Lfw106Dataset.id):
        raise unknown("data set with a reference set", dataset_id, [CasiaWebFaceDataset.id, Lfw106Dataset.id])
    dataset = open_dataset(dataset_id, {}, data)
    if isinstance(dataset, Lfw106Dataset):
        members = [Member(name, dataset.subject(name), fold) for name, fold in dataset.folds.items()]
        return ReferenceSet(dataset_id, tuple(members), _digest(_written(members)))
    assert isinstance(dataset, CasiaWebFaceDataset)
    assert data is not None  # else it would not have opened
    places = [data / PLACE, _cache(data)]
    folder = next((place for place in places if (place / f"{NAME}.json").is_file()), None)
    if folder is None:
        folder = places[0] if os.access(places[0], os.W_OK) else places[1]
        _store(folder, choose(dataset.ids()))
    return _read(folder)


def _order(name: str) -> str:
    return digest("reference set", _SEED, name)


def _cache(data: Path) -> Path:
    cache = Path(platformdirs.user_cache_dir("veilbench", appauthor=False))
    return cache / "reference-sets" / digest(str(data.resolve()))[:16]


def _written(members: Iterable[Member]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_HEADER)
    writer.writerows([member.sample, member.subject, member.fold] for member in members)
    return text.getvalue().encode()


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _store(folder: Path, members: list[Member]) -> None:
    content = _written(members)
    head = {"dataset": CasiaWebFaceDataset.id, "rule": f"{__name__}, seed {_SEED}", "sha256": _digest(content)}
    write_atomically(folder / f"{NAME}.csv", content)
    write_atomically(folder / f"{NAME}.json", (json.dumps(head, indent=2, sort_keys=True) + "\n").encode())


def _read(folder: Path) -> ReferenceSet:
    path = folder / f"{NAME}.csv"
    try:
        content, head = path.read_bytes(), json.loads((folder / f"{NAME}.json").read_bytes())
        if head["sha256"] != _digest(content):
            raise ValueError
        rows = list(csv.reader(io.StringIO(content.decode(), newline="")))[1:]
        members = tuple(Member(sample, subject, int(fold)) for sample, subject, fold in rows)
    except (OSError, ValueError, KeyError, TypeError):
        raise InvalidInputError(
            f"{path}: is not the list whose SHA-256 {NAME}.json names; remove both files, and it is chosen again"
        ) from None
    return ReferenceSet(CasiaWebFaceDataset.id, members, head["sha256"])
