"""One finished all-pairs job -> its record and the counts behind it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmark import record as schema
from benchmark.all_pairs.measured import measured, unprotected
from benchmark.assembly import milliseconds, provenance, sample_flags
from benchmark.pipeline.all_pairs import JobBatch, batches_of, comparator, views_in
from benchmark.pipeline.workshop import Workshop
from benchmark.plan import Job
from benchmark.record import Baseline, Flag, Record, Value
from benchmark.score_sets.counts import UNPROTECTED, ScoreCounts, counts_digest
from benchmark.score_sets.measure import baseline_of
from benchmark.scores import score_path

#: A permutation test that comes out above this says that D_sys may well be chance.
SIGNIFICANCE = 0.05


def assemble(workshop: Workshop, job: Job) -> tuple[Record, dict[str, dict[str, ScoreCounts]]]:
    """The record of a job whose batches are all in the store, and its counts."""
    batches = batches_of(workshop, job)
    results: dict[str, dict[str, dict[str, Value]]] = {}
    replicates: dict[str, dict[str, tuple[float | None, ...]]] = {}
    counts: dict[str, dict[str, ScoreCounts]] = {}
    baseline: dict[str, Baseline] = {}
    recognisers: dict[str, schema.RecogniserRef] = {}
    flags = _flags_of_protector(job)
    for name in views_in(job):
        view = comparator(workshop, job, name)
        recognisers[name] = schema.RecogniserRef(digest=view.digest, weights=view.weights)
        if job.recognisers:
            plain = unprotected(workshop, name)
            baseline[name], more = baseline_of(plain, name)
            flags += more
            counts.setdefault(UNPROTECTED, {})[name] = plain.counts
        for scenario, one in measured(workshop, job, name).items():
            results.setdefault(scenario, {})[name] = one.metrics
            replicates.setdefault(scenario, {})[name] = one.replicates
            counts.setdefault(scenario, {})[name] = one.counts
            flags += [*one.flags, *_flags_of_linkability(one.metrics, f"{scenario}/{name}")]
    flags += sample_flags(workshop, [batch.originals for batch in batches])
    names = workshop.protocol.id, job.protector.name, job.attack.name
    record = Record(
        **provenance(workshop, job),
        status="ok",
        results=results,
        replicates=replicates,
        baseline=baseline,
        recognisers=recognisers,
        failures=_failures(job, batches),
        cost=_cost(job, batches),
        flags=tuple(dict.fromkeys(flags)),
        scores=schema.ScoreFile(digest=counts_digest(counts), file=score_path(Path(), *names).as_posix()),
    )
    return record, counts


def _flags_of_protector(job: Job) -> list[Flag]:
    if job.protector.submission.protector.keyed:
        return []
    message = "there is no key: everybody can do the same, nothing can be revoked, and all systems share one protection"
    return [Flag(id="keyless", where="protector", message=message)]


def _flags_of_linkability(metrics: dict[str, Value], where: str) -> list[Flag]:
    chance = metrics.get("d_sys_null")
    if chance is None or chance.value is None or chance.value <= SIGNIFICANCE:
        return []
    message = f"D_sys is not above what chance gives (permutation test: p = {chance.value:.3g}); see d_sys_floor"
    return [Flag(id="d-sys-near-floor", where=f"{where}/d_sys", message=message)]


def _failures(job: Job, batches: Sequence[JobBatch]) -> schema.Failures:
    absent = sum(int((~batch.originals.present).sum()) for batch in batches)
    if job.attack.submission.attack.returns == "protected":
        return schema.Failures(acquire=absent)
    view = views_in(job)[0]
    failed = sum(int(np.count_nonzero(batch.attacked.templates(view).arrays["failed"])) for batch in batches)
    return schema.Failures(acquire=absent, attack=failed - absent)


def _cost(job: Job, batches: Sequence[JobBatch]) -> schema.Cost:
    """Time of protecting and bytes before and after, in the record of what was stolen; else the time of the attack."""
    headers = [
        exposed.header(view) for batch in batches for exposed in batch.exposed().values() for view in views_in(job)
    ]
    if job.attack.submission.attack.returns != "protected":
        return schema.Cost(attack_ms=milliseconds(headers))
    found: dict[str, Any] = {"protect_ms": milliseconds(headers)}
    if "plain_bytes" in headers[0]:
        before, after = (float(np.mean([one[name] for one in headers])) for name in ("plain_bytes", "protected_bytes"))
    else:  # an image is as large after it as before
        before = after = float(np.prod(batches[0].originals.pixels.shape[1:]))
    return schema.Cost(**found, protected_bytes=after, plain_bytes=before, size_overhead=after / before - 1)
