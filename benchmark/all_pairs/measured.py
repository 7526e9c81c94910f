"""What one recogniser says of one job in every key scenario; measured once, filed in the store."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmark.digest import digest, generator
from benchmark.metrics.statistics import subject_weights
from benchmark.pipeline.all_pairs import batches_of, comparator, impostors_of, scenarios_of_job
from benchmark.pipeline.originals import Originals
from benchmark.pipeline.views import Gathered, View, view_of
from benchmark.pipeline.workshop import Workshop
from benchmark.plan import Job
from benchmark.protocol_schema import Scenario
from benchmark.recognisers.many import MANY, MANY_TILE
from benchmark.record import Flag, Value
from benchmark.scenarios import KEYLESS, SETS
from benchmark.score_sets.build import RowScores, ScoreSet, all_pairs_set, row_scores, rows_set
from benchmark.score_sets.counts import UNPROTECTED, ScoreCounts
from benchmark.score_sets.measure import Measured, measure
from benchmark.score_sets.thresholds import STOLEN_KEY, threshold_source
from benchmark.source import module_digest
from benchmark.store import Artefact

#: Templates of either side that go to a scheme's own comparator at once: its process answers one call at a time.
TILE = (512, 2048)


def unprotected(workshop: Workshop, recogniser: str) -> Measured:
    """All comparisons of unprotected samples: their EER, and the threshold of FMR 0.1 %."""
    view = view_of(workshop, recogniser)
    batches = [Originals(workshop, ids) for ids in workshop.assignment.batches()]

    def compute() -> dict[str, Measured]:
        originals = view.gather(view.originals(batch) for batch in batches)
        score_set = score_set_of(view, originals, None, subjects(workshop))
        return {UNPROTECTED: measure(score_set, weights(workshop), metrics=("eer",), where=f"baseline/{recogniser}")}

    names = view.digest, [batch.key for batch in batches]
    return _filed(workshop, _key(workshop, UNPROTECTED, names), compute)[UNPROTECTED]


def measured(workshop: Workshop, job: Job, name: str) -> dict[str, Measured]:
    """{scenario: what a job's comparisons say as `name` sees them}, `name` a recogniser or the attack itself."""
    scoring = _Scoring(workshop, job, name)
    return _filed(workshop, scoring.key(), scoring.measure)


def subjects(workshop: Workshop) -> npt.NDArray[np.int32]:
    """The subject of each sample (int32, N): a column of `weights`."""
    return np.unique(workshop.assignment.compared.subjects, return_inverse=True)[1].astype(np.int32)


def score_set_of(
    view: View,
    probes: Gathered,
    gallery: Gathered | None,
    subjects: npt.NDArray[np.int32],
    *,
    tile: tuple[int, int] | None = None,
) -> ScoreSet:
    """All pairs of N samples as `all_pairs_set` compares them, in a view's quickest way for so many; no bit differs."""
    many = view.compare_many
    if many is not None and len(subjects) * (len(subjects) - 1) // 2 >= MANY:
        return all_pairs_set(probes, gallery, subjects, many.compare_all, tile=MANY_TILE, prepare=many.prepare)
    return all_pairs_set(probes, gallery, subjects, view.compare_all, tile=tile)


@lru_cache(maxsize=1)
def weights(workshop: Workshop) -> npt.NDArray[np.int32]:
    """How often each subject is drawn in each resample (int32, R x S): the same for every record of a protocol."""
    protocol = workshop.protocol
    count = int(subjects(workshop).max()) + 1
    return subject_weights(
        count, generator=generator("bootstrap", protocol.digest), resamples=protocol.bootstrap.resamples
    )


class _Scoring:
    """One job through one pair of eyes, scenario by scenario."""

    def __init__(self, workshop: Workshop, job: Job, name: str) -> None:
        self.workshop, self.job, self.name = workshop, job, name
        self.scenarios = scenarios_of_job(workshop, job)
        keyed = job.protector.submission.protector.keyed
        self.sets = SETS if keyed else KEYLESS
        self.batches = batches_of(workshop, job)
        self.view: View = comparator(workshop, job, name)
        self.subjects = subjects(workshop)
        self.own: ScoreSet | None = None

    def key(self) -> str:
        """Names every input of the comparisons, and what compares them."""
        exposed = [batch.exposed() for batch in self.batches]
        templates = {name: [one[name].template_key(self.name) for one in exposed] for name in exposed[0]}
        scheme = self.job.protector.digest if self._by_scheme else None
        originals = [batch.originals.key for batch in self.batches]
        returns = self.job.attack.submission.attack.returns
        return _key(self.workshop, list(self.scenarios), [self.view.digest, scheme, returns, templates, originals])

    @property
    def _by_scheme(self) -> bool:
        apart = self.job.protector.submission.protector.domain == "template"
        return apart and self.job.attack.submission.attack.returns == "protected"

    def measure(self) -> dict[str, Measured]:
        """{scenario: measured}, in the order in which thresholds are needed."""
        found: dict[str, Measured] = {}
        for scenario in self.scenarios:
            found[scenario] = self._measure(scenario, {name: one.threshold for name, one in found.items()})
        self.own = None
        return found

    def _measure(self, scenario: Scenario, thresholds: Mapping[str, float | None]) -> Measured:
        """One scenario; `thresholds`: those of FMR 0.1 % of the scenarios before it."""
        accept = self._thresholds(scenario, thresholds)
        if scenario == "stolen-key":
            score_set = self._stolen()
        elif scenario == "protected-original":
            score_set = self._among(self.sets[scenario][0], self._originals())
        elif scenario == "key-per-subject":
            score_set = self._own()
        else:
            score_set = self._among(self.sets[scenario][0], None)
        rows = {}
        if "revoked" in accept:
            rows["revoked"] = self._row_scores("subject", "sample")
        if "flipped" in accept:
            rows["flipped"] = self._row_scores("sample", "flipped")
        return measure(
            score_set,
            weights(self.workshop),
            metrics=self.workshop.protocol.metrics,
            thresholds=accept,
            rows=rows,
            where=f"{scenario}/{self.name}",
        )

    def _thresholds(self, scenario: Scenario, known: Mapping[str, float | None]) -> dict[str, float | None]:
        """What counts as accepted in a scenario, for `measure`; `known`: thresholds of the scenarios before it."""
        accept: dict[str, float | None] = {}
        kept = self.job.attack.submission.attack.returns == "protected"
        kind = "non_mated" if scenario == STOLEN_KEY else "mated"
        source = threshold_source(scenario, self.job.protector.submission.protector.domain)
        if source == UNPROTECTED and (kept or scenario == "protected-original"):
            accept[kind] = unprotected(self.workshop, self.name).threshold
        elif source is not None and source in known:
            accept[kind] = known[source]
        if scenario == "different-keys" and "key-per-subject" in known:
            metrics = self.workshop.protocol.metrics
            kinds = {"revoked": "revoked_match_rate", "flipped": "key_sensitivity"}
            accept |= {kind: known["key-per-subject"] for kind, metric in kinds.items() if metric in metrics}
        return accept

    def _row_scores(self, probes: str, gallery: str) -> RowScores:
        """Each sample in one protected set against itself in another."""
        both = self._gathered(probes), self._gathered(gallery)
        return row_scores(*both, self.subjects, self.subjects, self.view.compare)

    def _gathered(self, name: str) -> Gathered:
        return self.view.gather(batch.exposed()[name].templates(self.name) for batch in self.batches)

    def _originals(self) -> Gathered:
        return self.view.gather(self.view.originals(batch.originals) for batch in self.batches)

    def _among(self, name: str, gallery: Gathered | None) -> ScoreSet:
        tile = TILE if self._by_scheme else None
        return score_set_of(self.view, self._gathered(name), gallery, self.subjects, tile=tile)

    def _own(self) -> ScoreSet:
        """Everybody under a key of their own; kept, for a stolen key is held against it."""
        if self.own is None:
            self.own = self._among("subject", None)
        return self.own

    def _stolen(self) -> ScoreSet:
        """Impostor s(i) under the key of sample i's subject against sample i."""
        ids = self.workshop.assignment.ids
        place = {name: number for number, name in enumerate(ids)}
        posing = impostors_of(ids)
        impostors = np.array([place[posing[name]] for name in ids])
        gathered = self._gathered("stolen"), self._gathered("subject")
        return rows_set(self._own(), *gathered, self.subjects, self.subjects[impostors], self.view.compare)


def _key(workshop: Workshop, *parts: Any) -> str:
    code = module_digest("benchmark.score_sets.measure")
    compared = workshop.assignment.compared.digest
    return digest("measured", code, workshop.protocol.digest, compared, *parts)


def _filed(workshop: Workshop, key: str, compute: Any) -> dict[str, Measured]:
    artefact = workshop.stored("measured", key, lambda: _packed(compute()))
    return {name: _unpacked(name, artefact) for name in artefact.header}


def _packed(found: Mapping[str, Measured]) -> Artefact:
    arrays: dict[str, npt.NDArray[Any]] = {}
    header = {}
    for name, one in found.items():
        replicates = np.array([np.nan if value is None else value for value in one.replicates])
        arrays |= {f"{name}.{part}": values for part, values in one.counts._asdict().items()}
        arrays[f"{name}.replicates"] = replicates
        header[name] = {
            "metrics": {metric: value.model_dump() for metric, value in one.metrics.items()},
            "flags": [flag.model_dump() for flag in one.flags],
            "threshold": one.threshold,
            "fmr": one.fmr,
        }
    return Artefact(arrays, header)


def _unpacked(name: str, artefact: Artefact) -> Measured:
    header, arrays = artefact.header[name], artefact.arrays
    return Measured(
        metrics={metric: Value(**value) for metric, value in header["metrics"].items()},
        replicates=tuple(None if np.isnan(value) else float(value) for value in arrays[f"{name}.replicates"]),
        flags=tuple(Flag(**flag) for flag in header["flags"]),
        counts=ScoreCounts(*(arrays[f"{name}.{part}"] for part in ScoreCounts._fields)),
        threshold=header["threshold"],
        fmr=header["fmr"],
    )
