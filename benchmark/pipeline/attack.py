"""One batch of protected samples under one attack: learned, attacked, seen by the recognisers."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmark.digest import digest, generator
from benchmark.interfaces import Evidence, Samples, TrainingPairs
from benchmark.metrics.visual import visual_scores
from benchmark.pipeline.originals import Originals, content_key, embed, template_key
from benchmark.pipeline.protection import Protection
from benchmark.pipeline.workshop import Workshop
from benchmark.plan import Job
from benchmark.sandbox import SubmissionProcess
from benchmark.source import module_digest
from benchmark.store import Artefact


class Attacked:
    """A batch under a job: what its attack makes of the protected samples, and what recognisers make of that.

    `protection`: the batch as it is protected, where that is not by the protocol's one policy of keys.
    """

    def __init__(
        self, workshop: Workshop, job: Job, ids: tuple[str, ...], protection: Protection | None = None
    ) -> None:
        self.workshop = workshop
        self.job = job
        self.manifest = job.attack.submission.attack
        self.originals = Originals(workshop, ids)
        self.protection = protection or Protection(workshop, job.protector, self.originals)

    @cached_property
    def key(self) -> str:
        """Names what the attack returns."""
        learned = learned_key(self.workshop, self.job)
        return digest("attack", self.job.attack.digest, self.workshop.libraries, learned, self.protection.key)

    def complete(self, number: int) -> None:
        """Compute what scoring will ask of this batch; its number in the protocol says whether it is sampled."""
        protocol = self.workshop.protocol
        self.artefact()
        if self.manifest.returns == "images":
            for recogniser in self.workshop.assignment.unseen(self.job):
                if not self._embedded(recogniser):
                    self.templates(recogniser)
            if self.workshop.sampled(number, protocol.visual.samples):
                self.visual()
        if self.job.protector.submission.protector.reversible and self.workshop.sampled(
            number, protocol.recovery.samples
        ):
            self.protection.recovered()
        if number == 0 and self.job.protector.submission.protector.domain == "codestream":
            self.protection.compliance()

    def artefact(self) -> Artefact:
        """What came of it: failed (bool, N) and, where the attack returns embeddings, `templates` (float32, N x D).

        Images are too bulky to be kept for every attack on every setting: the header holds the digest of their content,
        under which their templates are filed, whichever attack makes them.
        """
        return self.workshop.stored("attacked", self.key, lambda: self._filed(self._returned))

    @property
    def content(self) -> str:
        """Names the images that the attack returns, by their pixels."""
        return str(self.artefact().header["content"])

    def images(self) -> tuple[Samples, npt.NDArray[np.bool_]]:
        """What the attack returns: uint8, N x H x W x 3, and failed (bool, N); attacked again where that was before."""
        returned = self._returned
        filed = self._filed(returned)
        if filed.header["content"] != self.content:  # a GPU's last bit: what was filed of the other images is no use
            self.workshop.store.put("attacked", self.key, filed)
        return returned.arrays["samples"], returned.arrays["failed"]

    @cached_property
    def _returned(self) -> Artefact:
        """What the attack returns (`samples` or `templates`), failed (bool, N), and its timing."""
        evidence = self.protection.evidence(self.manifest.threat_model)
        process = attacker(self.workshop, self.job)
        result = process.run(evidence, generator=generator("attack", self.job.attack.digest, self.protection.key))
        header = self.workshop.timing("attack", process, len(result.failed))
        here = self.originals.present
        failed = np.ones(len(here), bool)
        failed[here] = result.failed
        values = np.zeros((len(here), *result.values.shape[1:]), result.values.dtype)
        values[here] = result.values
        values[failed] = 0
        name = "samples" if self.manifest.returns == "images" else "templates"
        return Artefact({name: values, "failed": failed}, header)

    def _filed(self, returned: Artefact) -> Artefact:
        if self.manifest.returns == "embeddings":
            return returned
        content = content_key(returned.arrays["samples"], returned.arrays["failed"])
        return Artefact({"failed": returned.arrays["failed"]}, {**returned.header, "content": content})

    def templates(self, recogniser: str) -> Artefact:
        """Templates of what the attack returned (float32, N x D) and failed (bool, N)."""
        if self.manifest.returns == "embeddings":
            return self.artefact()

        def present() -> tuple[Samples, npt.NDArray[np.bool_]]:
            samples, failed = self.images()
            return np.ascontiguousarray(samples[~failed]), ~failed

        if not self._embedded(recogniser):
            self.images()  # before it is asked what they are called
        return embed(self.workshop, recogniser, self.content, present)

    def seen_key(self, recogniser: str) -> str:
        """Names what a recogniser makes of the images that the attack returns."""
        return template_key(self.workshop, recogniser, self.content)

    def _embedded(self, recogniser: str) -> bool:
        return self.workshop.store.has("templates", self.seen_key(recogniser))

    def visual(self) -> Artefact:
        """PSNR, SSIM and MS-SSIM (float64, one a compared sample) of attacked images against their originals."""

        def compute() -> Artefact:
            samples, failed = self.images()
            both = self.originals.present & ~failed
            start = time.process_time()
            scores = visual_scores(self.originals.pixels[both], samples[both]) if both.any() else {}
            self.workshop.count("visual", time.process_time() - start, int(both.sum()))
            return Artefact({**scores, "compared": both}, {})

        code = module_digest("benchmark.metrics.visual")
        key = digest("visual", code, self.originals.fingerprint.header["content"], self.content)
        return self.workshop.stored("visual", key, compute)


def learns(job: Job) -> bool:
    """Whether the job's attack learns from the attacker's split first."""
    return "pairs" in job.attack.submission.attack.threat_model


def learned_key(workshop: Workshop, job: Job) -> str | None:
    """Names what the attack has learned: its code, the protector's setting, the attacker's samples and keys."""
    if not learns(job):
        return None
    twins = [protection.key for protection in _attacker_protections(workshop, job)]
    return digest("learn", job.attack.digest, workshop.libraries, twins)


def learn(workshop: Workshop, job: Job) -> Artefact:
    """Let the attack learn from the attacker's originals and their twins under the attacker's own keys."""

    def compute() -> Artefact:
        manifest = job.attack.submission.attack
        protections = _attacker_protections(workshop, job)
        originals = [protection.originals for protection in protections]
        names = [name for batch in originals for name, here in zip(batch.ids, batch.present, strict=True) if here]
        identities = None
        if "identities" in manifest.threat_model:
            subjects = [workshop.dataset.subject(name) for name in names]
            identities = np.unique(subjects, return_inverse=True)[1].astype(np.int64)
        pairs = TrainingPairs(
            np.concatenate([batch.samples for batch in originals]),
            _join([protection.evidence(manifest.threat_model) for protection in protections]),
            identities,
        )
        process = workshop.process(job.attack)
        learned = process.fit(pairs, generator=generator("learn", job.attack.digest, job.protector.digest))
        return Artefact(learned, workshop.timing("learn", process, len(names)))

    key = learned_key(workshop, job)
    if key is None:
        raise ValueError(f"{job.attack.name} does not learn")
    return workshop.stored("learned", key, compute)


def attacker(workshop: Workshop, job: Job) -> SubmissionProcess:
    """The attack's process, with what it learned about this protector's setting restored."""
    key = learned_key(workshop, job)
    if key is None:
        return workshop.process(job.attack)
    learned = learn(workshop, job)
    process = workshop.process(job.attack)
    if workshop.restored.get(job.attack.name) != key:
        process.restore(dict(learned.arrays))
        workshop.restored[job.attack.name] = key
    return process


def _attacker_protections(workshop: Workshop, job: Job) -> list[Protection]:
    batches = [Originals(workshop, ids) for ids in workshop.assignment.attacker_batches()]
    policy = workshop.protocol.keys.policy or "sample"  # key scenarios have none: there each twin gets a key
    return [Protection(workshop, job.protector, batch, holder="attacker", policy=policy) for batch in batches]


def _join(parts: Sequence[Evidence]) -> Evidence:
    """The evidence about several batches as one."""
    items: list[Any] = [part.protected for part in parts]
    protected = [item for part in items for item in part] if isinstance(items[0], list) else np.concatenate(items)
    windows = [part.windows for part in parts if part.windows is not None]
    keys = [key for part in parts if part.keys is not None for key in part.keys]
    return Evidence(protected, np.concatenate(windows) if windows else None, keys or None, parts[0].algorithm)
