"""What is here, as text: protocols, submissions, recognisers, data, the store."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tabulate import tabulate

from benchmark import locations
from benchmark.errors import InvalidInputError, unknown
from benchmark.store import KINDS, Store

if TYPE_CHECKING:
    from benchmark.protocol import Protocol

UNITS = {"": 1, "B": 1, "KIB": 1 << 10, "MIB": 1 << 20, "GIB": 1 << 30, "TIB": 1 << 40,
         "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}  # fmt: skip


def listing(what: str) -> str:
    """A table of `protocols`, `protectors`, `attacks`, `recognisers` or `datasets`."""
    if what == "protocols":
        from benchmark.protocol import list_protocols

        found = list_protocols()
        return tabulate(
            [[p.id, p.title, len(p.protectors), _recognisers_of(p)] for p in found],
            headers=["protocol", "title", "settings", "recognisers"],
        )
    if what in ("protectors", "attacks"):
        from benchmark.submission import discover

        kind = what[:-1]
        submissions = [s for (k, _), s in sorted(discover(locations.submission_folders()).items()) if k == kind]
        return tabulate(
            [[s.manifest.id, s.manifest.version, s.manifest.title, len(s.manifest.presets)] for s in submissions],
            headers=[kind, "version", "title", "presets"],
        )
    if what == "recognisers":
        from benchmark.recognisers import recogniser_ids

        return "\n".join(recogniser_ids())
    from benchmark.datasets import dataset_ids

    return "\n".join(dataset_ids())


def _recognisers_of(protocol: Protocol) -> str:
    further = protocol.further_recognisers
    more = f" ({', '.join(further.attacks)}: also {', '.join(further.recognisers)})" if further else ""
    return ", ".join(protocol.recognisers) + more


def parse_size(text: str) -> int:
    """Bytes in a size as people write it; InvalidInputError where it is none.

    >>> parse_size("5GiB") == 5 << 30, parse_size("0")
    (True, 0)
    """
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([a-zA-Z]*)\s*", text)
    if match is None or match[2].upper() not in UNITS:
        raise InvalidInputError(f"no size: {text!r}; write it like 500MiB, 5GiB or 0")
    return int(float(match[1]) * UNITS[match[2].upper()])


def store_report(folder: Path | None, *, prune: str | None = None, kind: str | None = None) -> str:
    """Number and size of artefacts by kind, after pruning where asked."""
    store = Store(locations.store_root(folder))
    lines = []
    if prune is not None:
        if kind is not None and kind not in KINDS:
            raise unknown("kind of artefact", kind, KINDS)
        deleted, freed = store.prune(parse_size(prune), kind=kind)
        lines.append(f"deleted {deleted} artefacts, {freed / (1 << 20):.1f} MiB")
    elif kind is not None:
        raise InvalidInputError("--kind goes with --prune SIZE")
    sizes = store.sizes()
    rows = [[name, count, f"{size / (1 << 20):.1f}"] for name, (count, size) in sizes.items()]
    rows.append(["all", sum(c for c, _ in sizes.values()), f"{sum(s for _, s in sizes.values()) / (1 << 20):.1f}"])
    lines += [f"store: {store.root}", tabulate(rows, headers=["kind", "artefacts", "MiB"])]
    return "\n".join(lines)


def data_status(option: Path | None) -> str:
    """Which data sets and weights are under the data root, and how to get the others."""
    from benchmark.alignment.weights import detector_status
    from benchmark.datasets import lfw_crops_status
    from benchmark.datasets.casia_webface import casia_webface_status
    from benchmark.datasets.lfw106 import lfw106_status
    from benchmark.recognisers import weights_status

    root = locations.data_root(option)
    lines = [f"data root: {root or 'none; set VEILBENCH_DATA or use --data DIR'}"]
    lines += ["synthetic: embedded in the package", lfw_crops_status(root), lfw106_status(root)]
    lines += [casia_webface_status(root), *weights_status(root), detector_status(root)]
    return "\n".join(lines)


def weights_listing(option: Path | None) -> str:
    """A table of all weights, ours and the user's: network, licence, SHA-256, accuracy as reported, where they are.

    The face detector's come last. Of a SHA-256 the first 12 hex digits stand for the whole.
    """
    from benchmark.alignment.weights import RETINAFACE, detector_state
    from benchmark.recognisers.local_weights import local_weights
    from benchmark.recognisers.networks.catalogue import default_ids
    from benchmark.recognisers.weights import known_weights, state_of

    root = locations.data_root(option)
    entries = local_weights(root) | known_weights()
    rows = [
        [name, of.network, str(of.dimension), of.licence, of.sha256[:12], of.reported, state_of(of, root)]
        for name, of in sorted(entries.items())
    ]
    one, found = RETINAFACE, "finds the faces for `veilbench data prepare`"
    rows.append(["(face detector)", one.network, "-", one.licence, one.sha256[:12], found, detector_state(root)])
    wanting = [id for id in default_ids() if id not in entries]
    headers = ["recogniser", "network", "D", "licence", "SHA-256", "reported", "file"]
    return (
        tabulate(rows, headers=headers, disable_numparse=True)
        + "\n\nno public file could be pinned; `veilbench weights import CHECKPOINT --network NETWORK` makes one: "
        + ", ".join(wanting)
    )


def fetch_weights(ids: Sequence[str], option: Path | None) -> Iterator[str]:
    """Fetch weights (none named: all with a public copy), check them, and say of each where it is.

    Raises InvalidInputError for an unknown id, a file that cannot be fetched, and one with another SHA-256.
    """
    from benchmark.recognisers.weights import find_weights, known_weights, network_shapes, read_weights, weights_of

    root = locations.data_root(option)
    wanted = [weights_of(id) for id in ids] or [one for one in known_weights().values() if one.hub or one.embedded]
    for one in wanted:
        path = find_weights(one, data=root)
        read_weights(path, sha256=one.sha256, shapes=network_shapes(one.network), half=True)
        yield f"{one.id}: {path}: SHA-256 is right"
    if not wanted:
        yield "no weights have a public copy to fetch; `veilbench weights list` says where each one goes"
