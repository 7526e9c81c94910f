"""Makes valid records and score sets for tests; every part can be replaced."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmark.datasets.pairs import Pairs
from benchmark.digest import digest
from benchmark.record import KEPT_REPLICATES, Record


def pair_list(count: int = 400, subjects: int = 60, folds: int = 10, seed: int = 0) -> Pairs:
    """Pairs of subjects with two samples each, genuine and impostor by turns."""
    random = np.random.default_rng(seed)
    genuine = np.arange(count) % 2 == 0
    a = random.integers(subjects, size=count)
    b = np.where(genuine, a, (a + 1 + random.integers(subjects - 1, size=count)) % subjects)
    return Pairs(
        a_index=2 * a,
        b_index=2 * b + 1,
        genuine=genuine,
        fold=np.arange(count) // 2 % folds + 1,
        ids=tuple(f"s{i // 2}/{i % 2}" for i in range(2 * subjects)),
        subjects=tuple(f"s{i // 2}" for i in range(2 * subjects)),
        digest=digest("pairs", count, subjects, seed),
    )


def scores_for(pairs: Pairs, d: float, seed: int = 1) -> np.ndarray:
    """Scores (float32) of two normals d apart."""
    return (np.random.default_rng(seed).normal(size=len(pairs)) + d * pairs.genuine).astype(np.float32)


def value(estimate: float | None, *, half: float = 0.01, n: int = 400) -> dict[str, Any]:
    ends = {} if estimate is None else {"low": max(estimate - half, 0.0), "high": estimate + half}
    return {"value": estimate, **ends, "n": n}


def replicates(eer: float, *, spread: float = 0.01, shift: float = 0.0) -> tuple[float, ...]:
    """Bootstrap EERs around a value; equal spreads move together, as those of one protocol do."""
    draws = np.random.default_rng(9).normal(size=KEPT_REPLICATES)
    return tuple(round(float(x), 5) for x in eer + shift + spread * draws)


def record(
    setting: str = "jpeg2000-window@a",
    attack: str = "direct-decode",
    *,
    eers: dict[str, dict[str, float]] | None = None,
    share: float | None = 0.04,
    success: float | None = 0.25,
    protocol: str = "demo",
    spread: float = 0.01,
    **changes: Any,
) -> Record:
    """A record of status ok with the given EERs: {comparison: {recogniser: EER}}."""
    eers = eers or {"protected-protected": {"lbp": 0.4, "net": 0.3}}
    names = sorted({name for by_recogniser in eers.values() for name in by_recogniser})
    content: dict[str, Any] = {
        "schema_version": 1,
        "status": "ok",
        "protocol": {"id": protocol, "digest": digest("protocol", protocol)},
        "dataset": {"id": "synthetic", "digest": digest("data"), "samples": 120, "failed": {}},
        "setting": setting,
        "protector": {
            "id": setting.partition("@")[0], "version": "1.0", "parameters": {"size": 4.0, "layers": 32},
            "source_digest": digest("protector"), "domain": "codestream", "reversible": True,
        },
        "attack": {
            "setting": attack, "id": attack.partition("@")[0], "version": "1.0", "parameters": {},
            "source_digest": digest("attack"), "returns": "images", "domains": ("codestream", "sample"),
            "threat_model": (),
        },
        "recognisers": {name: {"digest": digest(name), "weights": {}} for name in names},
        "results": {
            comparison: {
                name: {"eer": value(eer), "attack_success_rate": value(success)} for name, eer in by_recogniser.items()
            }
            for comparison, by_recogniser in eers.items()
        },
        "replicates": {
            comparison: {name: replicates(eer, spread=spread) for name, eer in by_recogniser.items()}
            for comparison, by_recogniser in eers.items()
        },
        "baseline": {
            name: {
                "eer": value(0.02), "threshold": 0.5, "fmr": 0.001, "impostors": 3000, "scores_digest": digest("base"),
            }
            for name in names
        },
        "visual": {"psnr": value(12.5)},
        "utility": {"recovered_exactly": value(1.0, half=0.0), "eer_after_recovery": {names[0]: value(0.02)}},
        "failures": {"acquire": 0, "attack": 0, "recover": 0},
        "cost": {
            "protect_ms": {"median": 0.12, "q1": 0.1, "q3": 0.15, "n": 9}, "encrypted_bytes": 900.0,
            "encrypted_share": share, "protected_bytes": 22_000.0, "plain_bytes": 22_000.0, "size_overhead": 0.0,
        },
        "flags": (),
        "scores": {"digest": digest("scores"), "file": f"scores/{protocol}/{setting}/{attack}.npz"},
        "resamples": 1000,
        "seeds": {"bootstrap": "bootstrap, protocol digest"},
        "environment": {
            "python": "3.11.9", "packages": {"numpy": "2.0"}, "openjpeg": "2.5.4", "cpu": "a processor",
            "os": "Linux x86_64", "git_commit": None,
        },
    }  # fmt: skip
    content.update(changes)
    return Record.model_validate(content)
