"""Finding a protocol by path or id, and checking all that its schema alone cannot: ids, parameters, split files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from benchmark import locations
from benchmark.datasets import dataset_ids
from benchmark.datasets.pairs import read_pairs
from benchmark.datasets.sample_list import read_ids, read_sample_list
from benchmark.digest import digest_file
from benchmark.errors import InvalidInputError, unknown
from benchmark.protocol_schema import (
    ALL_PAIRS_ALONE,
    ALL_PAIRS_METRICS,
    PAIR_METRICS,
    PAIRS_ALONE,
    Entry,
    Limits,
    Protocol,
    ProtocolFile,
)
from benchmark.recognisers import recogniser_digest, recogniser_ids
from benchmark.schema import Document, near, read_yaml
from benchmark.submission import Submission, discover

__all__ = ["Entry", "Limits", "Protocol", "list_protocols", "load_protocol", "protocol_files", "read_ids"]

Submissions: TypeAlias = Mapping[tuple[str, str], Submission]


def protocol_files(folders: Iterable[Path] | None = None) -> dict[str, Path]:
    """{id: file} of the protocols in the folders, sorted; files whose names begin with `_` are templates."""
    found: dict[str, Path] = {}
    for folder in locations.protocol_folders() if folders is None else folders:
        for path in sorted(folder.glob("*.yaml")):
            if not path.name.startswith("_"):
                found.setdefault(str(read_yaml(path).data.get("id", path.stem)), path)
    return dict(sorted(found.items()))


def load_protocol(
    path_or_id: Path | str, *, submissions: Submissions | None = None, folder: Path | None = None
) -> Protocol:
    """The protocol of a file or an id.

    `folder`: the data folder, for recognisers whose weights the user imported (else VEILBENCH_DATA).
    Raises InvalidInputError with every error, each with file and line: unknown keys, ids, presets and parameters (with
    the nearest known one), values out of range, windows that end beyond 100 %, split files with another digest, an
    attacker's split that shares a subject with the pairs.
    """
    document = read_yaml(_path(path_or_id))
    parsed = document.parse(ProtocolFile)
    _check_kind(document)
    known = discover() if submissions is None else submissions
    data = document.data
    protectors = _settings(document, "protector", known)
    attacks = _settings(document, "attack", known)
    _check_id(document, ("dataset", "id"), _at(data, "dataset", "id"), "data set", dataset_ids())
    recognisers = data.get("recognisers")
    names = recognisers if isinstance(recognisers, list) else []
    for position, name in enumerate(names):
        _check_recogniser(document, ("recognisers", position), name, folder)
    if parsed is not None:
        _check_further(document, parsed, known, folder)
        _check_splits(document, parsed)
    document.check()
    assert parsed is not None  # else a problem was noted, and check() raised
    content = parsed.model_dump(exclude_unset=True) | {
        "protectors": protectors,
        "attacks": attacks,
        "path": document.path.resolve(),
    }
    return Protocol.model_validate(content)


def list_protocols(folders: Iterable[Path] | None = None) -> list[Protocol]:
    """Every protocol in the folders, sorted by id; raises InvalidInputError as `load_protocol` does."""
    submissions = discover()
    return [load_protocol(path, submissions=submissions) for path in protocol_files(folders).values()]


def _path(path_or_id: Path | str) -> Path:
    path = Path(path_or_id)
    if path.suffix in (".yaml", ".yml") or path.is_file():
        return path
    files = protocol_files()
    if str(path_or_id) in files:
        return files[str(path_or_id)]
    by_name = {file.stem: file for file in files.values()}
    if str(path_or_id) in by_name:
        return by_name[str(path_or_id)]
    raise unknown("protocol", str(path_or_id), files)


def _at(data: Any, *keys: str) -> Any:
    for key in keys:
        data = data.get(key) if isinstance(data, dict) else None
    return data


def _check_kind(document: Document) -> None:
    """A protocol compares the pairs of a list, or every two of some samples; keys of the other kind are faults."""
    data = document.data
    all_pairs = any(data.get(key) is not None for key in ALL_PAIRS_ALONE)
    needed, foreign = (ALL_PAIRS_ALONE, PAIRS_ALONE) if all_pairs else (("pairs", "comparisons"), ALL_PAIRS_ALONE)
    for key in needed:
        if data.get(key) is None:
            document.problem((key,), "is missing")
    for key in foreign:
        if data.get(key) is not None:
            document.problem((key,), "does not go with `scenarios:`, in which every two of `samples:` are compared")
    keys = data.get("keys")
    if isinstance(keys, dict) and all_pairs == (keys.get("policy") is not None):
        wrong = "each of the `scenarios:` has its own; leave it out" if all_pairs else "is missing"
        document.problem(("keys", "policy"), wrong)
    metrics = data.get("metrics")
    known, other = (ALL_PAIRS_METRICS, PAIR_METRICS) if all_pairs else (PAIR_METRICS, ALL_PAIRS_METRICS)
    for position, name in enumerate(metrics if isinstance(metrics, list) else []):
        if name in other and name not in known:
            of = "all pairs of samples" if all_pairs else "a pair list"
            document.problem(("metrics", position), f"{name} is no metric of {of}; known here: {', '.join(known)}")


def _check_id(document: Document, place: tuple[str | int, ...], name: Any, kind: str, known: Sequence[str]) -> None:
    if isinstance(name, str) and name not in known:
        document.problem(place, f"unknown {kind} {name!r}{near(name, known)}")


def _check_recogniser(document: Document, place: tuple[str | int, ...], name: Any, folder: Path | None) -> None:
    """A recogniser is known where all is here that its digest counts: of an `onnx:FILE`, its description too."""
    if isinstance(name, str) and name not in recogniser_ids(folder):
        try:
            recogniser_digest(name, data=folder)
        except InvalidInputError as error:
            document.problem(place, str(error))


def _settings(document: Document, kind: str, known: Submissions) -> list[dict[str, Any]]:
    """The entries under `protectors:` or `attacks:` with their presets merged in; what is wrong is noted."""
    key = f"{kind}s"
    items = document.data.get(key)
    settings = []
    labels: set[str] = set()
    ids = [name for of_kind, name in known if of_kind == kind]
    for position, item in enumerate(items if isinstance(items, list) else []):
        try:
            entry = Entry.model_validate(item)
        except ValueError:
            continue  # parse() has noted why
        if entry.label in labels:
            document.problem((key, position), f"{entry.label} occurs twice; give each setting a `name:` of its own")
        labels.add(entry.label)
        if entry.id not in ids:
            _check_id(document, (key, position, "id"), entry.id, kind, ids)
            continue
        chosen = _chosen(document, (key, position), entry, known[kind, entry.id])
        settings.append(entry.model_dump() | {"parameters": chosen})
    return settings


def _chosen(document: Document, place: tuple[str | int, ...], entry: Entry, submission: Submission) -> dict[str, Any]:
    try:
        chosen = submission.chosen(entry.parameters, entry.preset)
    except InvalidInputError as error:
        for line in str(error).splitlines():
            name = line.removeprefix(f"{submission.manifest.id}: ").partition(":")[0]
            inner = ("parameters", name) if name in entry.parameters else ("preset",) if entry.preset else ()
            document.problem((*place, *inner), line)
        return {}
    resolved = submission.resolve(chosen)
    offset, size = resolved.get("offset"), resolved.get("size")
    if isinstance(offset, (int, float)) and isinstance(size, (int, float)) and offset + size > 100:
        document.problem(place, f"the window ends at {offset + size:g} %: offset + size may be 100 at most")
    return chosen


def _check_further(document: Document, parsed: ProtocolFile, known: Submissions, folder: Path | None) -> None:
    further, key = parsed.further_recognisers, "further_recognisers"
    if further is None:
        return
    for position, name in enumerate(further.recognisers):
        _check_recogniser(document, (key, "recognisers", position), name, folder)
        if name in parsed.recognisers:
            document.problem((key, "recognisers", position), f"{name!r} sees every attack already (`recognisers:`)")
    listed = dict.fromkeys(name for entry in parsed.attacks for name in (entry.label, entry.id))
    for position, name in enumerate(further.attacks):
        place = (key, "attacks", position)
        ids = {entry.id for entry in parsed.attacks if name in (entry.label, entry.id)}
        if not ids:
            document.problem(place, f"no attack of this protocol is called {name!r}{near(name, list(listed))}")
        for found in (known[kind, id] for kind, id in known if kind == "attack" and id in ids):
            if found.attack.returns == "embeddings":
                document.problem(place, f"{name} returns embeddings, so it is the only recogniser of what it returns")


def _check_splits(document: Document, parsed: ProtocolFile) -> None:
    present = {key: split for key in ("pairs", "samples", "attacker") if (split := getattr(parsed, key)) is not None}
    sound = True
    for key, split in present.items():
        file = document.path.parent / split.file
        if not file.is_file():
            document.problem((key, "file"), f"there is no file {file}")
            sound = False
        elif (found := digest_file(file)) != split.sha256:
            document.problem((key, "sha256"), f"{split.file} has the digest {found}; a changed split is a new protocol")
            sound = False
    if not sound or parsed.attacker is None:
        return
    try:
        tested = _tested(document.path.parent, parsed)
        learned = {name.rpartition("/")[0] for name in read_ids(document.path.parent / parsed.attacker.file)}
    except InvalidInputError as error:
        document.problem(("attacker",), str(error))
        return
    if tested & learned:
        shared = ", ".join(sorted(tested & learned)[:3])
        compared = "pairs" if parsed.samples is None else "samples"
        document.problem(
            ("attacker", "file"), f"shares {len(tested & learned)} subjects with the {compared}: {shared}, ..."
        )


def _tested(folder: Path, parsed: ProtocolFile) -> set[str]:
    """The subjects that are compared."""
    if parsed.samples is not None:
        return set(read_sample_list(folder / parsed.samples.file).subjects)
    return set(read_pairs(folder / parsed.pairs.file).subjects) if parsed.pairs else set()
