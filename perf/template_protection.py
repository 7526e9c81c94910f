"""Speed and memory of the template protection metrics on ten million scores, and of the template-domain protectors.

Run: OMP_NUM_THREADS=1 python perf/template_protection.py
Prints CPU seconds of this machine and the peak memory of the process; nothing is asserted. The scores are made up: all
pairs of 4,500 templates of 1,500 subjects, three of each.
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmark.crypto import derive_key
from benchmark.metrics.protection_intervals import protection_bootstrap
from benchmark.metrics.statistics import interval, subject_weights
from benchmark.metrics.template_protection import local_linkability, maximal_linkability, permutation_null
from benchmark.metrics.weighted_histograms import eer_of_many

SUBJECTS, EACH, RESAMPLES = 1500, 3, 1000
PROTECTORS = ["biohashing", "iom-hashing", "polyprotect", "mlp-hash", "random-projection", "bloom-filter"]
TEMPLATES, DIMENSION = 256, 512


def timed(what: str, work: Callable[[], Any]) -> float:
    """CPU seconds of one call."""
    start = time.process_time()
    work()
    took = time.process_time() - start
    print(f"{what:55} {took:8.3f} s CPU")
    return took


def score_sets() -> tuple[Any, ...]:
    """Mated scores with their subject, non-mated ones with both, in the order of the upper triangle."""
    random = np.random.default_rng(0)
    subject = np.repeat(np.arange(SUBJECTS, dtype=np.int32), EACH)
    first, second = (subject[index] for index in np.triu_indices(subject.size, 1))
    same = first == second
    mated = random.normal(0.6, 0.15, same.sum()).astype(np.float32)
    non_mated = random.standard_normal((~same).sum(), dtype=np.float32) * np.float32(0.1)
    return mated, first[same], non_mated, (first[~same], second[~same])


def metrics() -> None:
    mated, subject, non_mated, pairs = score_sets()
    weights = subject_weights(SUBJECTS, generator=np.random.default_rng(1), resamples=RESAMPLES)
    few = (mated[:100], subject[:100], non_mated[:100], tuple(one[:100] for one in pairs))
    protection_bootstrap(*few, weights[:2])  # compiled
    eer_of_many(mated[:2], non_mated[:2])
    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{mated.size:,} mated and {non_mated.size:,} non-mated scores; {held:.0f} MiB at most so far")
    random = np.random.default_rng(2)
    total = timed("EER", lambda: eer_of_many(mated, non_mated))
    total += timed("D(s) and D_sys", lambda: local_linkability(mated, non_mated))
    total += timed("null, 1,000 permutations", lambda: permutation_null(mated, non_mated, generator=random))
    total += timed("maximal linkability", lambda: maximal_linkability(mated, non_mated))

    def intervals() -> None:
        found = protection_bootstrap(mated, subject, non_mated, pairs, weights)
        print({name: tuple(round(x, 5) for x in interval(values)) for name, values in found.items()})

    total += timed(f"intervals of the three, {RESAMPLES:,} resamples", intervals)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"together {total:.2f} s CPU, peak {peak:.0f} MiB\n")


def protectors() -> None:
    sys.path.append(str(Path(__file__).resolve().parents[1] / "tests"))
    from loaded_baselines import load_baseline

    x = np.random.default_rng(3).normal(size=(TEMPLATES, DIMENSION)).astype(np.float32)
    one = [derive_key(bytes(32), "system")] * TEMPLATES
    many = [derive_key(bytes(32), "subject", str(number)) for number in range(TEMPLATES)]
    random = np.random.default_rng(4)
    for name in PROTECTORS:
        method = load_baseline(f"protectors/{name}")
        method.protect(x[:2], one[:2], generator=random)
        for keys, count, what in ((one, TEMPLATES, "one key"), (many, 16, "a key each")):
            start = time.process_time()
            method.protect(x[:count], keys[:count], generator=random)
            took = 1e3 * (time.process_time() - start) / count
            print(f"{name + ', ' + what:55} {took:8.3f} ms CPU a template of {DIMENSION} numbers")


if __name__ == "__main__":
    metrics()
    protectors()
