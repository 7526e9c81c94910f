"""Through whose eyes a job is scored: a recogniser, or an attack that returns embeddings of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from benchmark.digest import digest
from benchmark.interfaces import Templates
from benchmark.pipeline.attack import Attacked, attacker, learned_key
from benchmark.pipeline.originals import Originals
from benchmark.pipeline.protection import Protection, granted_algorithm
from benchmark.pipeline.workshop import Workshop
from benchmark.plan import Job
from benchmark.recognisers.cosine import cosine, cosine_all
from benchmark.recognisers.many import CompareMany, compare_many
from benchmark.store import Artefact

#: Pairs compared at once: their templates then take tens of megabytes, not hundreds.
BLOCK = 512
#: The threshold of FMR 0.1 % rests on all impostor comparisons among this many unprotected samples (about 500,000).
STRANGERS = 1024

Gathered = tuple[Templates, npt.NDArray[np.bool_]]


@dataclass(frozen=True)
class View:
    """A way to compare templates, and where the originals' templates come from."""

    name: str
    digest: str
    weights: dict[str, str]
    compare: Callable[[Templates, Templates], npt.NDArray[np.float32]]
    compare_all: Callable[[Templates, Templates], npt.NDArray[np.float32]]
    originals: Callable[[Originals], Artefact]
    #: As `compare_all`, to the bit, in less time for `MANY` comparisons and more; None where there is no such way.
    compare_many: CompareMany | None = None

    def gather(self, artefacts: Iterable[Artefact]) -> Gathered:
        """Templates (float32, N x D) and failed (bool, N) of all batches."""
        parts = [artefact.arrays for artefact in artefacts]
        failed = np.concatenate([np.asarray(part["failed"], bool) for part in parts])
        return np.concatenate([part["templates"] for part in parts]), failed

    def scores(
        self, probes: Gathered, gallery: Gathered, a: npt.NDArray[np.int64], b: npt.NDArray[np.int64]
    ) -> npt.NDArray[np.float32]:
        """Scores (float32, P) of probe a[i] against gallery b[i]; -inf where either is a failure to process."""
        found = np.full(len(a), -np.inf, np.float32)
        usable = np.flatnonzero(~probes[1][a] & ~gallery[1][b])
        for start in range(0, len(usable), BLOCK):
            rows = usable[start : start + BLOCK]
            found[rows] = self.compare(probes[0][a[rows]], gallery[0][b[rows]])
        return found

    def strangers(self, gathered: Gathered, subjects: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
        """Scores of every two samples of different subjects among the first STRANGERS samples that are present."""
        rows = np.flatnonzero(~gathered[1])[:STRANGERS]
        templates = gathered[0][rows]
        different = np.triu(subjects[rows][:, None] != subjects[rows][None, :])
        scores: npt.NDArray[np.float32] = self.compare_all(templates, templates)[different]
        return scores


def view_of(workshop: Workshop, recogniser: str) -> View:
    """The view through a recogniser."""
    method = workshop.recogniser(recogniser)
    return View(
        recogniser, method.digest, dict(method.weights), method.compare, method.compare_all,
        lambda originals: originals.templates(recogniser), compare_many(method),
    )  # fmt: skip


def views_of(workshop: Workshop, job: Job) -> list[View]:
    """The views of a job: the recognisers that see it, or the attack itself where it returns embeddings."""
    if job.attack.submission.attack.returns == "images":
        return [view_of(workshop, name) for name in job.recognisers]
    algorithm = granted_algorithm(job.protector, job.attack.submission.attack.threat_model)
    own = digest("embed by", job.attack.digest, learned_key(workshop, job), algorithm and job.protector.digest)

    def originals(batch: Originals) -> Artefact:
        def compute() -> Artefact:
            process, present = attacker(workshop, job), batch.present
            known = algorithm is not None and job.protector.submission.protector.prepare is not None
            prepared = Protection(workshop, job.protector, batch).prepared() if known else None
            embedded = process.embed(batch.samples, algorithm=algorithm, prepared=prepared)
            templates = np.zeros((len(present), embedded.shape[1]), np.float32)
            templates[present] = embedded
            return Artefact({"templates": templates, "failed": ~present}, {})

        return workshop.stored("templates", digest(own, batch.key), compute)

    return [View(job.attack.name, own, {}, cosine, cosine_all, originals)]


def template_batches(attacked: Iterable[Attacked], view: View) -> Iterable[Artefact]:
    """The templates of what an attack returned, batch by batch, as one view sees them."""
    return (batch.templates(view.name) for batch in attacked)
