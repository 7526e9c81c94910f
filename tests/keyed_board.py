"""Makes a small board of an all-pairs protocol: records whose numbers follow from counts of normal distributions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from statistics import NormalDist
from typing import Any

import numpy as np
from records import record, replicates, value

from benchmark.digest import digest
from benchmark.metrics.binned_scores import nested_edges
from benchmark.metrics.template_protection import d_sys_bins, d_sys_of
from benchmark.record import Record, record_path, write_record
from benchmark.score_sets.counts import ScoreCounts, write_counts
from benchmark.scores import score_path

PROTOCOL = "keyed"
MATED, NON_MATED = 4_000, 200_000
#: How far apart unprotected mated and non-mated scores lie, in standard deviations.
UNPROTECTED = {"lbp": 0.9, "mblbp": 1.2, "mobilefacenet-casia": 4.2, "mobilefacenet-ms1m": 5.0}
#: What is left of that distance in each scenario.
WARPS = {
    "block-warping@warp_8_4": {"same-key": 0.97, "key-per-subject": 1.0, "different-keys": 0.9, "stolen-key": 0.97,
                               "protected-original": 0.93},
    "block-warping@warp_20_25": {"same-key": 0.7, "key-per-subject": 1.1, "different-keys": 0.2, "stolen-key": 0.7,
                                 "protected-original": 0.3},
}  # fmt: skip
HASHES = {
    "biohashing@m64": {"same-key": 0.8, "key-per-subject": 2.0, "different-keys": 0.02, "stolen-key": 0.8},
}
BLURS = {"gaussian-blur@sigma-2": {"same-key": 0.95, "protected-original": 0.9}}
DEEP = [name for name in UNPROTECTED if "net" in name]


def normal_counts(d: float, *, scale: float = 1.0, start: float = 0.0) -> ScoreCounts:
    """The expected counts of MATED and NON_MATED scores of two normals, `d` standard deviations apart."""
    edges = nested_edges(start - 5 * scale, start + (5 + max(d, 0)) * scale, d_sys_bins(MATED))
    counts = []
    for mean, size in ((d, MATED), (0.0, NON_MATED)):
        normal = NormalDist(start + mean * scale, scale)
        shares = np.diff([0.0, *(normal.cdf(edge) for edge in edges[1:-1]), 1.0])
        upto = np.rint(np.cumsum(shares) * size)
        counts.append(np.diff(upto, prepend=0).astype(np.uint32))
    return ScoreCounts(edges, *counts)


def table_of(left: Mapping[str, float], recognisers: Iterable[str]) -> dict[str, dict[str, ScoreCounts]]:
    """{scenario: {recogniser: counts}} with those of unprotected data."""
    shares = {"unprotected": 1.0, **left}
    return {
        scenario: {name: normal_counts(share * UNPROTECTED[name], scale=0.1) for name in recognisers}
        for scenario, share in shares.items()
    }


def values_of(d: float, **more: float) -> dict[str, Any]:
    """Metrics of two normals `d` apart."""
    counts = normal_counts(d)
    bins = d_sys_bins(MATED)
    d_sys = float(d_sys_of(*(one.reshape(bins, -1).sum(axis=1) for one in counts[1:])))
    found = {"eer": NormalDist().cdf(-d / 2), "d_sys": d_sys, **more}
    metrics = {name: {"value": x, "low": max(x - 0.01, 0), "high": x + 0.01, "n": MATED} for name, x in found.items()}
    null = 0.001 if d_sys > 0.03 else 0.5
    return {**metrics, "d_sys_floor": {"value": 0.016, "n": MATED}, "d_sys_null": {"value": null, "n": MATED}}


def scheme_record(
    setting: str,
    left: Mapping[str, float],
    attack: str = "direct-comparison",
    *,
    returns: str = "protected",
    domain: str = "sample",
    recognisers: Iterable[str] = tuple(UNPROTECTED),
    **changes: Any,
) -> Record:
    """A record of status ok: `left` of the unprotected distance in each scenario."""
    names = list(recognisers)
    eers = {s: {name: NormalDist().cdf(-share * UNPROTECTED[name] / 2) for name in names} for s, share in left.items()}
    made = record(setting, attack, eers=eers, protocol=PROTOCOL, success=None)
    rates = {
        "different-keys": {"attack_success_rate": 0.2, "revoked_match_rate": 0.3, "key_sensitivity": 0.7},
        "stolen-key": {"attack_success_rate": 0.11},
        "protected-original": {"attack_success_rate": 0.4},
    }
    content = made.model_dump() | {
        "results": {
            scenario: {name: values_of(share * UNPROTECTED[name], **rates.get(scenario, {})) for name in names}
            for scenario, share in left.items()
        },
        "replicates": {
            scenario: {name: replicates(eer, spread=0.002) for name, eer in by_recogniser.items()}
            for scenario, by_recogniser in eers.items()
        },
        "visual": {}, "utility": {},
    }  # fmt: skip
    content["protector"] |= {"domain": domain, "reversible": False, "parameters": {}}
    content["attack"] |= {
        "returns": returns,
        "domains": (domain,) if returns != "protected" else ("sample", "template"),
    }
    content["cost"] |= {"encrypted_bytes": None, "encrypted_share": None, "protected_bytes": 64.0, "plain_bytes": 512.0}
    content["scores"] = {"digest": digest("counts", setting, attack), "file": made.scores.file}
    for name in names:
        content["baseline"][name]["eer"] = value(NormalDist().cdf(-UNPROTECTED[name] / 2))
    return Record.model_validate(content | changes)


def unwarped(setting: str, left: float) -> Record:
    """A record of an attack that undoes warps, and nothing else."""
    made = scheme_record(setting, {"protected-original": left}, "unwarp", returns="images")
    return made.model_copy(update={"attack": made.attack.model_copy(update={"protectors": ("block-warping",)})})


def keyed_records() -> list[Record]:
    """Warps with an attack that undoes them, a hash of deep templates with its inversion, a blur without a key."""
    found = [scheme_record(setting, left) for setting, left in {**WARPS, **BLURS}.items()]
    found += [unwarped(setting, 0.99 if setting.endswith("8_4") else 0.6) for setting in WARPS]
    found += [
        scheme_record(setting, {"different-keys": left["different-keys"] + 0.02}, "linkage", returns="embeddings")
        for setting, left in WARPS.items()
    ]
    deep = {"domain": "template", "recognisers": DEEP}
    for setting, left in HASHES.items():
        found.append(scheme_record(setting, left, **deep))
        inverted = {"protected-original": 0.7}
        found.append(scheme_record(setting, inverted, "template-inversion", returns="templates", **deep))
    return found


def keyed_counts() -> dict[str, dict[str, dict[str, ScoreCounts]]]:
    """{setting: counts} behind the records of what was stolen."""
    return {
        **{setting: table_of(left, UNPROTECTED) for setting, left in {**WARPS, **BLURS}.items()},
        **{setting: table_of(left, DEEP) for setting, left in HASHES.items()},
    }


def file_keyed(folder: Path) -> Path:
    """Write the records and the counted scores onto a board."""
    for one in keyed_records():
        write_record(record_path(folder, one.protocol.id, one.setting, one.attack.setting), one)
    for setting, table in keyed_counts().items():
        write_counts(score_path(folder, PROTOCOL, setting, "direct-comparison"), table)
    return folder
