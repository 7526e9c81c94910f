"""One batch of an all-pairs job: its protected sets, and what its attack makes of them, as recognisers see it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property, lru_cache

import numpy as np

from benchmark.digest import generator
from benchmark.interfaces import Templates
from benchmark.pipeline.attack import Attacked, learned_key
from benchmark.pipeline.attacked_templates import AttackedTemplates, Exposed, protected_batch, takes_templates
from benchmark.pipeline.originals import Originals
from benchmark.pipeline.protected_images import ProtectedImages
from benchmark.pipeline.protected_templates import ProtectedTemplates
from benchmark.pipeline.views import View, view_of
from benchmark.pipeline.workshop import Workshop
from benchmark.plan import Job
from benchmark.protocol_schema import Scenario
from benchmark.recognisers.cosine import cosine, cosine_all
from benchmark.scenarios import POLICY, SetName, scenarios_of, sets_of
from benchmark.store import Artefact


class JobBatch:
    """Batch `number` of the protocol's samples under one job."""

    def __init__(self, workshop: Workshop, job: Job, number: int) -> None:
        self.workshop = workshop
        self.job = job
        self.batches = workshop.assignment.batches()
        self.ids = self.batches[number]
        self.originals = Originals(workshop, self.ids)

    @cached_property
    def protected(self) -> Mapping[SetName, ProtectedImages | ProtectedTemplates]:
        """The protected sets that the job's scenarios compare."""
        return {name: self._protected(name) for name in sets_of_job(self.workshop, self.job)}

    def _protected(self, name: SetName) -> ProtectedImages | ProtectedTemplates:
        stolen = {}
        if name == "stolen":
            impostors = impostors_of(self.workshop.assignment.ids)
            stolen = {"owners": self.ids, "shown": tuple(impostors[one] for one in self.ids)}
        return protected_batch(
            self.workshop, self.job, self.batches, self.ids, holder="owner", policy=POLICY[name],
            flipped=name == "flipped", **stolen,
        )  # fmt: skip

    @cached_property
    def attacked(self) -> Exposed:
        """What the attack makes of the one set that it meets; what was stolen itself where it makes nothing of it."""
        (protected,) = self.protected.values()
        if isinstance(protected, ProtectedTemplates) or takes_templates(self.job):
            return AttackedTemplates(self.workshop, self.job, protected)
        return AttackedImages(self.workshop, self.job, self.ids, protected)

    def exposed(self) -> Mapping[str, Exposed]:
        """{set: what is compared of it}."""
        kept = self.job.attack.submission.attack.returns == "protected"
        return {name: one if kept else self.attacked for name, one in self.protected.items()}

    def complete(self) -> None:
        """Compute what scoring will ask of this batch."""
        for exposed in self.exposed().values():
            for name in views_in(self.job):
                exposed.templates(name)
            if isinstance(exposed, ProtectedImages):
                exposed.forget()  # images of one set at a time


class AttackedImages(Attacked):
    """A batch of protected images under an attack that returns images, or embeddings of its own."""

    def template_key(self, recogniser: str) -> str:
        """Names the templates of what the attack returns."""
        return self.key if self.manifest.returns == "embeddings" else self.seen_key(recogniser)

    def header(self, recogniser: str) -> dict[str, float]:
        """Seconds and samples of attacking."""
        return dict(self.artefact().header)


def batches_of(workshop: Workshop, job: Job) -> tuple[JobBatch, ...]:
    """All batches of a job of the plan; the last job's are kept, since one recogniser after the other looks at them."""
    return _batches_of(workshop, [one.name for one in workshop.assignment.plan.jobs].index(job.name))


@lru_cache(maxsize=1)
def _batches_of(workshop: Workshop, number: int) -> tuple[JobBatch, ...]:
    job = workshop.assignment.plan.jobs[number]
    return tuple(JobBatch(workshop, job, batch) for batch in range(len(workshop.assignment.batches())))


def sets_of_job(workshop: Workshop, job: Job) -> tuple[SetName, ...]:
    """The protected sets that a job compares."""
    manifests = job.protector.submission.protector, job.attack.submission.attack
    return sets_of(scenarios_of_job(workshop, job), *manifests, workshop.protocol.metrics)


def scenarios_of_job(workshop: Workshop, job: Job) -> tuple[Scenario, ...]:
    """The scenarios in which a job is scored."""
    return scenarios_of(workshop.protocol, job.protector.submission.protector, job.attack.submission.attack)


def views_in(job: Job) -> tuple[str, ...]:
    """Through whose eyes a job is scored: recognisers, or the attack itself."""
    return job.recognisers or (job.attack.name,)


def comparator(workshop: Workshop, job: Job, name: str) -> View:
    """How a job's templates are compared: by the recogniser, by the scheme itself, or by cosine (embeddings)."""
    attack, protector = job.attack.submission.attack, job.protector.submission.protector
    if not job.recognisers:
        own = learned_key(workshop, job)
        return View(name, own or job.attack.digest, {}, cosine, cosine_all, _no_originals)
    view = view_of(workshop, name)
    if attack.returns == "embeddings":
        return View(name, view.digest, view.weights, cosine, cosine_all, view.originals)
    if attack.returns == "protected" and protector.domain == "template":
        process = workshop.process(job.protector)

        def compare(a: Templates, b: Templates) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
            return np.asarray(process.compare(a, b), np.float32)

        def compare_all(a: Templates, b: Templates) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
            return np.asarray(process.compare_all(a, b), np.float32)

        return View(name, view.digest, view.weights, compare, compare_all, view.originals)
    return view


def _no_originals(batch: Originals) -> Artefact:
    raise ValueError("embeddings are compared among themselves alone")


def impostors_of(ids: tuple[str, ...]) -> Mapping[str, str]:
    """{sample: one of another subject}, drawn by a generator that is seeded from the ids alone.

    >>> impostors_of(("a/1", "a/2", "b/1"))["a/1"]
    'b/1'
    """
    return _impostors(ids)


@lru_cache(maxsize=2)
def _impostors(ids: tuple[str, ...]) -> Mapping[str, str]:
    subjects = np.unique([name.rpartition("/")[0] for name in ids], return_inverse=True)[1]
    random = generator("stolen key", list(ids))
    drawn = random.integers(len(ids), size=len(ids))
    while (own := np.flatnonzero(subjects[drawn] == subjects)).size:
        drawn[own] = random.integers(len(ids), size=own.size)
    return {name: ids[other] for name, other in zip(ids, drawn.tolist(), strict=True)}
