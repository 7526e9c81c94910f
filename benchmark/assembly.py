"""Scores of one finished job -> its record: metrics, baseline, utility, cost, flags, provenance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmark import record as schema
from benchmark.compliance import Verdict, refusals
from benchmark.digest import digest
from benchmark.environment import environment
from benchmark.metrics import cost
from benchmark.pipeline.attack import Attacked
from benchmark.pipeline.originals import Originals
from benchmark.pipeline.views import Gathered, View, template_batches, view_of, views_of
from benchmark.pipeline.workshop import Workshop
from benchmark.plan import Job
from benchmark.record import RECOVERED, Baseline, Flag, Record, Value
from benchmark.scores import score_path, scores_digest
from benchmark.scoring import Comparisons, sample_mean, score_baseline, score_metrics
from benchmark.standing import Standing, read_standing
from benchmark.store import Artefact

Scores = dict[str, dict[str, npt.NDArray[np.float32]]]
VISUAL = ("psnr", "ssim", "ms_ssim")


def assemble(workshop: Workshop, job: Job) -> tuple[Record, Scores]:
    """The record of a job whose batches are all in the store, and the scores behind it."""
    batches = [Attacked(workshop, job, ids) for ids in workshop.assignment.batches()]
    scored = _Scored(workshop, job, batches)
    visual = _visual(workshop, batches)
    standing = _standing(workshop, job, batches, visual)
    kept = () if standing is None else workshop.assignment.standing[job.name]
    for view in views_of(workshop, job):
        if standing is not None and view.name in kept:
            scored.keep(standing, view)
        else:
            scored.add(view)
    flags = [
        *scored.flags,
        *sample_flags(workshop, [batch.originals for batch in batches]),
        *_refusal_flags(job, batches),
    ]
    names = workshop.protocol.id, job.protector.name, job.attack.name
    file = score_path(Path(), *names).as_posix()
    record = Record(
        **provenance(workshop, job),
        status="ok",
        results=scored.results,
        replicates=scored.replicates,
        baseline=scored.baseline,
        recognisers=scored.recognisers,
        visual=visual,
        utility=_utility(workshop, job, batches, scored),
        failures=_failures(workshop, job, batches),
        # What was timed when all of a protocol's settings were is worth more than one time of another day.
        cost=_cost(workshop, job, batches) if standing is None else standing.record.cost,
        flags=tuple(dict.fromkeys(flags)),
        scores=schema.ScoreFile(digest=scores_digest(scored.scores), file=file),
    )
    return record, scored.scores


def assemble_failure(workshop: Workshop, job: Job, status: Any, reason: str) -> Record:
    """The record of a job that could not be finished."""
    return Record(**provenance(workshop, job), status=status, reason=reason, recognisers={})


def prepare_baseline(workshop: Workshop) -> None:
    """Compute what unprotected data gives, for every recogniser that sees a job, before the first one needs it."""
    for name in workshop.assignment.recognisers():
        baseline(workshop, view_of(workshop, name))


class _Scored:
    """The score sets of one job, view by view."""

    def __init__(self, workshop: Workshop, job: Job, batches: Sequence[Attacked]) -> None:
        self.workshop, self.job, self.batches = workshop, job, batches
        self.comparisons = comparisons(workshop)
        self.results: dict[str, dict[str, dict[str, Value]]] = {}
        self.replicates: dict[str, dict[str, tuple[float | None, ...]]] = {}
        self.baseline: dict[str, Baseline] = {}
        self.recognisers: dict[str, schema.RecogniserRef] = {}
        self.scores: Scores = {}
        self.flags: list[Flag] = []
        self.recovered_eer: dict[str, Value] = {}

    def add(self, view: View) -> None:
        """Score every comparison of the protocol as this view sees it."""
        pairs, protocol = self.workshop.assignment.pairs, self.workshop.protocol
        found, flags = baseline(self.workshop, view)
        self.baseline[view.name] = found
        self.flags += flags
        self.recognisers[view.name] = schema.RecogniserRef(digest=view.digest, weights=view.weights)
        attacked = view.gather(template_batches(self.batches, view))
        originals = view.gather(view.originals(batch.originals) for batch in self.batches)
        galleries = {"protected-protected": attacked, "protected-original": originals}
        for comparison in protocol.comparisons:
            scores = view.scores(attacked, galleries[comparison], pairs.a_index, pairs.b_index)
            where = f"{comparison}/{view.name}"
            scored = score_metrics(
                scores, self.comparisons, threshold=found.threshold, metrics=protocol.metrics, where=where
            )
            self.results.setdefault(comparison, {})[view.name] = scored.metrics
            self.replicates.setdefault(comparison, {})[view.name] = scored.replicates
            self.scores.setdefault(comparison, {})[view.name] = scores
            self.flags += scored.flags
        if self._recovers_everything():
            self._add_recovered(view)

    def keep(self, standing: Standing, view: View) -> None:
        """Take over what a filed record tells of this view."""
        record, name = standing.record, view.name
        self.baseline[name] = record.baseline[name]
        self.recognisers[name] = record.recognisers[name]
        self.flags += standing.flags(name)
        for comparison in self.workshop.protocol.comparisons:
            self.results.setdefault(comparison, {})[name] = record.results[comparison][name]
            self.replicates.setdefault(comparison, {})[name] = record.replicates[comparison][name]
        if name in record.utility.eer_after_recovery:
            self.recovered_eer[name] = record.utility.eer_after_recovery[name]
        for compared, by_view in standing.scores.items():  # `recovered` is among them
            if name in by_view:
                self.scores.setdefault(compared, {})[name] = by_view[name]

    def _recovers_everything(self) -> bool:
        manifest = self.job.protector.submission.protector
        whole = self.workshop.protocol.recovery.samples is None
        return manifest.reversible and whole and self.job.attack.submission.attack.returns == "images"

    def _add_recovered(self, view: View) -> None:
        pairs = self.workshop.assignment.pairs
        recovered = view.gather(batch.protection.recovered_templates(view.name) for batch in self.batches)
        scores = view.scores(recovered, recovered, pairs.a_index, pairs.b_index)
        found = self.baseline[view.name]
        if digest(scores) == found.scores_digest:  # what came back scores as the originals do
            self.recovered_eer[view.name] = found.eer
        else:
            scored = score_metrics(scores, self.comparisons, metrics=("eer",), where=f"{RECOVERED}/{view.name}")
            self.recovered_eer[view.name] = scored.metrics["eer"]
        self.scores.setdefault(RECOVERED, {})[view.name] = scores


@lru_cache(maxsize=1)
def comparisons(workshop: Workshop) -> Comparisons:
    """The protocol's pairs with their bootstrap resamples, made once per process."""
    protocol = workshop.protocol
    return Comparisons.of(workshop.assignment.pairs, protocol.digest, resamples=protocol.bootstrap.resamples)


def baseline(workshop: Workshop, view: View) -> tuple[Baseline, tuple[Flag, ...]]:
    """What unprotected data of the protocol gives through one view: scored once, measured once a process."""
    batches = [Originals(workshop, ids) for ids in workshop.assignment.batches()]
    pairs = workshop.assignment.pairs

    def compute() -> Artefact:
        gathered: Gathered = view.gather(view.originals(batch) for batch in batches)
        scores = view.scores(gathered, gathered, pairs.a_index, pairs.b_index)
        subjects = comparisons(workshop).sample_subject
        return Artefact({"scores": scores, "strangers": view.strangers(gathered, subjects)}, {})

    key = digest("baseline", view.digest, pairs.digest, [batch.key for batch in batches])
    known, name = _baselines(workshop), (view.name, key)
    if name not in known:
        arrays = workshop.stored("baseline", key, compute).arrays
        known[name] = score_baseline(
            arrays["scores"], comparisons(workshop), where=view.name, impostors=arrays["strangers"]
        )
    return known[name]


@lru_cache(maxsize=1)
def _baselines(workshop: Workshop) -> dict[tuple[str, str], tuple[Baseline, tuple[Flag, ...]]]:
    """The baselines that this process has measured, by their view's name and the key of their scores."""
    return {}


def provenance(workshop: Workshop, job: Job) -> dict[str, Any]:
    """Everything in a record that stands before its job is run."""
    protocol, protector, attack = workshop.protocol, job.protector.submission, job.attack.submission
    prints = [Originals(workshop, ids).fingerprint.header for ids in workshop.assignment.batches()]
    return {
        "protocol": schema.ProtocolRef(id=protocol.id, digest=protocol.digest),
        "dataset": schema.DatasetRef(
            id=protocol.dataset.id,
            digest=digest("dataset", [one["pixels"] for one in prints]),
            samples=len(workshop.assignment.ids),
            failed={name: _anywhere(workshop, reason) for one in prints for name, reason in one["reasons"].items()},
        ),
        "setting": job.protector.name,
        "protector": schema.ProtectorRef(
            id=protector.manifest.id,
            version=protector.manifest.version,
            parameters=dict(job.protector.parameters),
            source_digest=protector.source_digest,
            domain=protector.protector.domain,
            format=protector.protector.format,
            reversible=protector.protector.reversible,
        ),
        "attack": schema.AttackRef(
            setting=job.attack.name,
            id=attack.manifest.id,
            version=attack.manifest.version,
            parameters=dict(job.attack.parameters),
            source_digest=attack.source_digest,
            returns=attack.attack.returns,
            domains=attack.attack.domains,
            formats=attack.attack.formats,
            protectors=attack.attack.protectors,
            threat_model=attack.attack.threat_model,
            disclosure=attack.attack.disclosure,
        ),
        "resamples": protocol.bootstrap.resamples,
        "seeds": {
            "bootstrap": f"bootstrap/{protocol.digest}",
            "keys": protocol.keys.seed or "a secret file",
            "protect": "protect/<setting digest>/<batch digest>",
            "attack": "attack/<attack digest>/<batch digest>",
            **({"impostors": "stolen key/<sample ids>"} if protocol.all_pairs else {}),
        },
        "environment": schema.Environment(**environment()),
    }


def _anywhere(workshop: Workshop, reason: str) -> str:
    """Why a sample failed, without where this machine keeps its data: equal runs give equal records."""
    return reason.replace(f"{workshop.assignment.data}/", "")


def _visual(workshop: Workshop, batches: Sequence[Attacked]) -> dict[str, Value]:
    """Visual metrics over the sampled batches; empty where the attack returns no images."""
    wanted = [name for name in VISUAL if name in workshop.protocol.metrics]
    sampled = [
        (number, batch.visual().arrays)
        for number, batch in enumerate(batches)
        if batch.manifest.returns == "images" and workshop.sampled(number, workshop.protocol.visual.samples)
    ]
    if not sampled or not wanted:
        return {}
    places = np.concatenate([workshop.positions(number)[arrays["compared"]] for number, arrays in sampled])
    empty = np.zeros(0)
    return {
        name: sample_mean(
            np.concatenate([arrays.get(name, empty) for _, arrays in sampled]), places, comparisons(workshop)
        )
        for name in wanted
    }


def _utility(workshop: Workshop, job: Job, batches: Sequence[Attacked], scored: _Scored) -> schema.Utility:
    if not job.protector.submission.protector.reversible:
        return schema.Utility()
    sampled = [
        (number, batch.protection.recovered().arrays["exact"], batch.originals.fingerprint.arrays["failed"])
        for number, batch in enumerate(batches)
        if workshop.sampled(number, workshop.protocol.recovery.samples)
    ]
    exact = np.concatenate([exact[~absent] for _, exact, absent in sampled])
    places = np.concatenate([workshop.positions(number)[~absent] for number, _, absent in sampled])
    return schema.Utility(
        recovered_exactly=sample_mean(exact.astype(float), places, comparisons(workshop)),
        eer_after_recovery=scored.recovered_eer,
    )


def _standing(
    workshop: Workshop, job: Job, batches: Sequence[Attacked], visual: Mapping[str, Value]
) -> Standing | None:
    """The job's filed record, where views are to be taken from it and what was attacked anew bears it out."""
    assignment = workshop.assignment
    if assignment.board is None or job.name not in assignment.standing:
        return None
    found = read_standing(assignment.board, workshop.protocol.id, job.protector.name, job.attack.name)
    return found if found is not None and found.agrees(_failures(workshop, job, batches), visual) else None


def _failures(workshop: Workshop, job: Job, batches: Sequence[Attacked]) -> schema.Failures:
    attack_failures = sum(int(batch.artefact().arrays["failed"].sum()) for batch in batches)
    absent = sum(int(batch.originals.fingerprint.arrays["failed"].sum()) for batch in batches)
    recover = 0
    if job.protector.submission.protector.reversible:
        for number, batch in enumerate(batches):
            if workshop.sampled(number, workshop.protocol.recovery.samples):
                there = ~batch.originals.fingerprint.arrays["failed"]
                recover += int(batch.protection.recovered().arrays["failed"][there].sum())
    return schema.Failures(acquire=absent, attack=attack_failures - absent, recover=recover)


def _cost(workshop: Workshop, job: Job, batches: Sequence[Attacked]) -> schema.Cost:
    store = workshop.store
    protected = [batch.protection.artefact for batch in batches]
    found: dict[str, Any] = {"protect_ms": _milliseconds(protected)}
    if job.protector.submission.protector.prepare is not None:
        found["prepare_ms"] = _milliseconds([store.get("prepared", b.protection.prepared_key) for b in batches])
    if job.protector.submission.protector.reversible:
        found["recover_ms"] = _milliseconds([store.get("recovery", b.protection.recovered_key) for b in batches])
    found["attack_ms"] = _milliseconds([store.get("attacked", batch.key) for batch in batches])
    if job.protector.submission.protector.domain == "codestream":
        encrypted = np.concatenate([artefact.arrays["ranges"][:, 2] for artefact in protected])
        sizes = np.concatenate([artefact.arrays["protected_bytes"] for artefact in protected])
        verdicts = batches[0].protection.compliance().header
        parts = ("version", "streams", "failures")
        found |= {
            "compliance": {name: dict(zip(parts, verdict, strict=True)) for name, verdict in verdicts.items()},
            "encrypted_bytes": float(encrypted.mean()),
            "protected_bytes": float(sizes.mean()),
            "encrypted_share": cost.encrypted_share(encrypted, sizes),
        }
        if "plain_bytes" in protected[0].arrays:
            plain = np.concatenate([artefact.arrays["plain_bytes"] for artefact in protected])
            found |= {"plain_bytes": float(plain.mean()), "size_overhead": cost.size_overhead(sizes, plain)}
    return schema.Cost(**found)


def _milliseconds(artefacts: Sequence[Artefact | None]) -> schema.Quartiles | None:
    return milliseconds([artefact.header for artefact in artefacts if artefact is not None])


def milliseconds(timings: Sequence[Mapping[str, Any]]) -> schema.Quartiles | None:
    """Milliseconds a sample, batch by batch; the first call of a process, which may compile, is left out."""
    headers = [header for header in timings if header.get("samples")]
    warm = [header for header in headers if header["warm"]] or headers
    found = cost.quartiles([1000 * header["seconds"] / header["samples"] for header in warm])
    return None if found is None else schema.Quartiles(**found._asdict())


def sample_flags(workshop: Workshop, batches: Sequence[Originals]) -> list[Flag]:
    """One where samples could not be read."""
    flags = []
    absent = sum(int(batch.fingerprint.arrays["failed"].sum()) for batch in batches)
    if absent:
        total = len(workshop.assignment.ids)
        message = f"{absent} of {total} samples are missing or damaged; they count as non-matches"
        flags.append(Flag(id="dataset-failures", where="dataset", message=message))
    return flags


def _refusal_flags(job: Job, batches: Sequence[Attacked]) -> list[Flag]:
    """One for each decoder that refuses files which claim to be compliant."""
    if job.protector.submission.protector.domain != "codestream":
        return []
    verdicts = {name: Verdict(*verdict) for name, verdict in batches[0].protection.compliance().header.items()}
    return [Flag(id="refused-by-decoder", where="compliance", message=message) for message in refusals(verdicts)]
