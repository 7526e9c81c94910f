"""Speed and memory of score sets of thirty million comparisons, their metrics, template protectors and their inversion.

Run: OMP_NUM_THREADS=1 python perf/template_protection.py
Prints CPU seconds of this machine and the peak memory of the process; nothing is asserted. Templates are made up: all
pairs of 7,701 of 4,281 subjects, as many as LFW's View 2 has, most of them with one sample.
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
from benchmark.interfaces import Evidence, TrainingPairs
from benchmark.metrics.statistics import subject_weights
from benchmark.recognisers.cosine import cosine_all
from benchmark.score_sets.build import ScoreSet, all_pairs_set, pair_subjects
from benchmark.score_sets.measure import measure
from benchmark.submission import load_submission
from benchmark.template_schemes.reflections import orthonormal

SAMPLES, SUBJECTS, RESAMPLES = 7701, 4281, 1000
#: Each with the presets whose comparisons differ.
PROTECTORS = {
    "biohashing": ["m128"],
    "iom-hashing": ["grp"],
    "polyprotect": [None],
    "mlp-hash": ["one-hidden"],
    "random-projection": ["orthonormal-128"],
    "bloom-filter": ["h4w8", "h6w32"],
}
TEMPLATES, DIMENSION, BLOCK = 256, 512, 2000
#: Settings of the protocols that attacks undo, and how many templates.
INVERSIONS = {
    "biohashing": ["m64", "m128"],
    "iom-hashing": ["grp", "urp"],
    "polyprotect": ["overlap0", "overlap4"],
    "mlp-hash": ["one-hidden"],
    "random-projection": ["orthonormal-64", "orthonormal-128"],
    "bloom-filter": ["h4w8"],
}
INVERTED = 60


def timed(what: str, work: Callable[[], Any]) -> float:
    """CPU seconds of one call."""
    start = time.process_time()
    work()
    took = time.process_time() - start
    print(f"{what:55} {took:8.3f} s CPU, {peak():6.0f} MiB at most so far")
    return took


def peak() -> float:
    """Most memory (MiB) that the process has held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def subjects() -> np.ndarray:
    """Everybody has a sample; the others are spread as unevenly as on the Web."""
    random = np.random.default_rng(0)
    more = (SUBJECTS * random.beta(0.35, 2.5, SAMPLES - SUBJECTS)).astype(np.int32)
    return np.sort(np.concatenate((np.arange(SUBJECTS, dtype=np.int32), random.permutation(SUBJECTS)[more])))


def score_sets() -> None:
    subject, random = subjects(), np.random.default_rng(1)
    people = random.normal(size=(SUBJECTS, DIMENSION)).astype(np.float32)
    templates = people[subject] + 1.2 * random.normal(size=(SAMPLES, DIMENSION)).astype(np.float32)
    probes = (templates, np.zeros(SAMPLES, bool))
    weights = subject_weights(SUBJECTS, generator=random, resamples=RESAMPLES)
    few = all_pairs_set((templates[:300], probes[1][:300]), None, subject[:300] // 2, cosine_all)
    measure(few, weights[:2], thresholds={"mated": 0.5})  # compiled
    print(f"numbers of resamples {weights.shape}; {peak():.0f} MiB at most so far")
    held: list[ScoreSet] = []
    timed("whose every comparison is, once for all sets", lambda: pair_subjects(subject))
    total = timed("one set against itself", lambda: held.append(all_pairs_set(probes, None, subject, cosine_all)))
    one = held[0]
    print(f"{one.mated.size:,} mated and {one.non_mated.size:,} non-mated scores")
    total += timed(f"all metrics, {RESAMPLES:,} resamples", lambda: measure(one, weights, thresholds={"mated": 0.5}))
    print(f"together {total:.2f} s CPU\n")
    timed("two sets against each other", lambda: all_pairs_set(probes, probes, subject, cosine_all))
    print()


def protectors() -> None:
    sys.path.append(str(Path(__file__).resolve().parents[1] / "tests"))
    from loaded_baselines import load_baseline

    x = np.random.default_rng(3).normal(size=(BLOCK, DIMENSION)).astype(np.float32)
    one = [derive_key(bytes(32), "system")] * BLOCK
    many = [derive_key(bytes(32), "subject", str(number)) for number in range(TEMPLATES)]
    random = np.random.default_rng(4)
    for name, preset in ((name, preset) for name, presets in PROTECTORS.items() for preset in presets):
        method = load_baseline(f"protectors/{name}", preset)
        some = method.protect(x[:2], one[:2], generator=random)
        method.compare_all(some, some)
        title = name if preset is None else f"{name}@{preset}"
        for keys, count, what in ((one, TEMPLATES, "one key"), (many, 16, "a key each")):
            start = time.process_time()
            method.protect(x[:count], keys[:count], generator=random)
            took = 1e3 * (time.process_time() - start) / count
            print(f"{title + ', ' + what:55} {took:8.3f} ms CPU a template of {DIMENSION} numbers")
        block = method.protect(x, one, generator=random)
        start = time.process_time()
        method.compare_all(block, block)
        took = time.process_time() - start
        print(f"{f'{title}, {BLOCK:,} x {BLOCK:,} comparisons':55} {took:8.3f} s CPU")


def inversions() -> None:
    """A key for each template, as protocols have it: what the key's matrices cost is part of it."""
    sys.path.append(str(Path(__file__).resolve().parents[1] / "tests"))
    from loaded_baselines import BASELINES, load_baseline

    random = np.random.default_rng(5)
    for dimension in (128, 256):
        # A spectrum that decays, in no direction of the axes.
        x = random.normal(size=(500 + INVERTED, dimension)) / np.sqrt(1 + np.arange(dimension))
        x = x @ orthonormal(dimension, dimension, random)
        x = (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)
        attack = load_baseline("attacks/template-inversion")
        attack.restore(attack.fit(TrainingPairs(x[:500], Evidence(x[:500])), generator=random))
        keys = [derive_key(bytes(32), "sample", str(number)) for number in range(INVERTED)]
        for name, preset in ((name, preset) for name, presets in INVERSIONS.items() for preset in presets):
            parameters = load_submission(BASELINES / "protectors" / name).resolve({}, preset)
            method = load_baseline(f"protectors/{name}", preset)
            method.protect(x[-2:], keys[-2:], generator=random)  # compiled
            start = time.process_time()
            hidden = method.protect(x[500:], keys, generator=random)
            protected = 1e3 * (time.process_time() - start) / INVERTED
            evidence = Evidence(hidden, keys=keys, algorithm={"id": name, "parameters": parameters})
            attack.run(Evidence(hidden[-2:], keys=keys[-2:], algorithm=evidence.algorithm), generator=random)
            start = time.process_time()
            attack.run(evidence, generator=random)
            took = 1e3 * (time.process_time() - start) / INVERTED
            title = f"{name}@{preset}, {dimension} numbers, a key each"
            print(f"{title:55} {protected:8.3f} ms CPU to protect, {took:6.2f} to invert")


if __name__ == "__main__":
    score_sets()
    protectors()
    inversions()
