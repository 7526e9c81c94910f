"""One batch of templates under an attack that takes them: protected ones, or a recogniser's of protected images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, cast

import numpy as np

from benchmark.digest import digest, generator
from benchmark.interfaces import Evidence, Samples, TrainingPairs
from benchmark.pipeline.originals import Originals, template_key
from benchmark.pipeline.protected_images import ProtectedImages
from benchmark.pipeline.protected_templates import ProtectedTemplates, template_evidence, unit_length
from benchmark.pipeline.workshop import Workshop
from benchmark.plan import Job
from benchmark.sandbox import SubmissionProcess
from benchmark.store import Artefact
from benchmark.submission import KeyPolicy


class Exposed(Protocol):
    """One batch of what a thief holds, or makes of it, as each recogniser sees it."""

    def template_key(self, recogniser: str) -> str:
        """Names the templates."""

    def templates(self, recogniser: str) -> Artefact:
        """Templates (float32, N x D) and failed (bool, N)."""

    def header(self, recogniser: str) -> dict[str, Any]:
        """Seconds and samples, and what else its making has to tell."""


class AttackedTemplates:
    """What an attack makes of one batch."""

    def __init__(self, workshop: Workshop, job: Job, protected: ProtectedImages | ProtectedTemplates) -> None:
        self.workshop = workshop
        self.job = job
        self.protected = protected

    def template_key(self, recogniser: str) -> str:
        """Names what the attack returns."""
        learned = learned_templates_key(self.workshop, self.job, recogniser)
        source = self.protected.template_key(recogniser)
        return digest("attack templates", self.job.attack.digest, self.workshop.libraries, learned, source)

    def templates(self, recogniser: str) -> Artefact:
        """What the attack returns (float32, N x D) and failed (bool, N)."""
        key = self.template_key(recogniser)

        def compute() -> Artefact:
            failed = np.asarray(self.protected.templates(recogniser).arrays["failed"], bool)
            evidence = evidence_of(self.workshop, self.job, self.protected, recogniser)
            process = attacker_of(self.workshop, self.job, recogniser)
            result = process.run(evidence, generator=generator("attack", self.job.attack.digest, key))
            templates = np.zeros((len(failed), result.values.shape[1]), np.float32)
            templates[~failed] = result.values
            header = self.workshop.timing("attack", process, len(result.values))
            return Artefact({"templates": templates, "failed": failed}, header)

        return self.workshop.stored("templates", key, compute)

    def header(self, recogniser: str) -> dict[str, Any]:
        """Seconds and samples of attacking."""
        return dict(self.templates(recogniser).header)


def takes_templates(job: Job) -> bool:
    """Whether the job's attack is handed templates, and so is run for each recogniser."""
    apart = job.protector.submission.protector.domain == "template"
    return apart or job.attack.submission.attack.takes == "templates"


def evidence_of(
    workshop: Workshop, job: Job, protected: ProtectedImages | ProtectedTemplates, recogniser: str
) -> Evidence:
    """What the attack's threat model lets it hold of the templates that are there."""
    grants = job.attack.submission.attack.threat_model
    if isinstance(protected, ProtectedTemplates):
        return protected.evidence(recogniser, grants)
    seen = protected.templates(recogniser).arrays
    here = ~np.asarray(seen["failed"], bool)
    return template_evidence(
        seen["templates"][here],
        protected.keys() if "key" in grants else None,
        job.protector,
        grants,
        dimension=workshop.recogniser(recogniser).dimension,
    )


def protected_batch(
    workshop: Workshop, job: Job, batches: Sequence[tuple[str, ...]], ids: tuple[str, ...], *, holder: str,
    policy: KeyPolicy, flipped: bool = False, owners: tuple[str, ...] | None = None,
    shown: tuple[str, ...] | None = None,
) -> ProtectedImages | ProtectedTemplates:  # fmt: skip
    """The batch `ids` (or `shown` in its place, under the keys of `owners`) under the job's protector.

    With `flipped`, under these keys with one bit of each flipped.
    """
    if job.protector.submission.protector.domain == "template":
        return ProtectedTemplates(
            workshop, job.protector, batches, shown or ids, holder=holder, policy=policy, flipped=flipped, owners=owners
        )
    originals = Originals(workshop, shown or ids)
    return ProtectedImages(
        workshop, job.protector, originals, holder=holder, policy=policy, flipped=flipped, owners=owners
    )


def learned_templates_key(workshop: Workshop, job: Job, recogniser: str) -> str | None:
    """Names what the attack has learned about a recogniser's templates; None where it learns nothing."""
    if "pairs" not in job.attack.submission.attack.threat_model:
        return None
    known = workshop.learned_keys
    if (place := (job.name, recogniser)) not in known:  # every batch asks, and the answer reads all of the attacker's
        twins = [twin.template_key(recogniser) for _, twin in _twins(workshop, job)]
        originals = [_original_key(workshop, batch, recogniser) for batch, _ in _twins(workshop, job)]
        known[place] = digest("learn templates", job.attack.digest, workshop.libraries, originals, twins)
    return known[place]


def learn_templates(workshop: Workshop, job: Job, recogniser: str) -> Artefact:
    """Let the attack learn from the templates of the attacker's originals and their twins under the attacker's keys."""
    key = learned_templates_key(workshop, job, recogniser)
    if key is None:
        raise ValueError(f"{job.attack.name} does not learn")

    def compute() -> Artefact:
        manifest, twins = job.attack.submission.attack, list(_twins(workshop, job))
        parts = [evidence_of(workshop, job, twin, recogniser) for _, twin in twins]
        plain = [Originals(workshop, ids).templates(recogniser).arrays for ids, _ in twins]
        here = [~np.asarray(part["failed"], bool) for part in plain]
        names = [name for (ids, _), there in zip(twins, here, strict=True) for name in np.array(ids)[there]]
        identities = None
        if "identities" in manifest.threat_model:
            subjects = [workshop.dataset.subject(str(name)) for name in names]
            identities = np.unique(subjects, return_inverse=True)[1].astype(np.int64)
        originals = np.concatenate([part["templates"][there] for part, there in zip(plain, here, strict=True)])
        if isinstance(twins[0][1], ProtectedTemplates):  # what was protected there
            originals = unit_length(originals)
        held = Evidence(
            np.concatenate([np.asarray(part.protected) for part in parts]),
            keys=[key for part in parts for key in part.keys or ()] or None,
            algorithm=parts[0].algorithm,
        )
        process = workshop.process(job.attack)
        pairs = TrainingPairs(cast(Samples, originals), held, identities)
        learned = process.fit(pairs, generator=generator("learn", job.attack.digest, job.protector.digest, recogniser))
        return Artefact(learned, workshop.timing("learn", process, len(names)))

    return workshop.stored("learned", key, compute)


def attacker_of(workshop: Workshop, job: Job, recogniser: str) -> SubmissionProcess:
    """The attack's process, with what it learned about a recogniser's templates restored."""
    key = learned_templates_key(workshop, job, recogniser)
    if key is None:
        return workshop.process(job.attack)
    learned = learn_templates(workshop, job, recogniser)
    process = workshop.process(job.attack)
    if workshop.restored.get(job.attack.name) != key:
        process.restore(dict(learned.arrays))
        workshop.restored[job.attack.name] = key
    return process


def _twins(workshop: Workshop, job: Job) -> list[tuple[tuple[str, ...], ProtectedImages | ProtectedTemplates]]:
    """The attacker's samples, batch by batch, with their protected twins under keys of his own."""
    batches = workshop.assignment.attacker_batches()
    return [(ids, protected_batch(workshop, job, batches, ids, holder="attacker", policy="sample")) for ids in batches]


def _original_key(workshop: Workshop, ids: tuple[str, ...], recogniser: str) -> str:
    return template_key(workshop, recogniser, str(Originals(workshop, ids).fingerprint.header["content"]))
