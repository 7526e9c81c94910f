"""One batch of a recogniser's templates under a setting of the domain template, and one set of keys."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from benchmark.digest import digest, generator
from benchmark.interfaces import Evidence, Protected, Templates
from benchmark.metrics.cost import template_bytes
from benchmark.pipeline.originals import Originals, template_key
from benchmark.pipeline.protection import granted_algorithm
from benchmark.pipeline.workshop import Workshop
from benchmark.plan import Setting
from benchmark.store import Artefact
from benchmark.submission import KeyPolicy


class ProtectedTemplates:
    """The templates of the samples `ids` under the keys of `owners` (default: their own); `flipped`: one bit off."""

    def __init__(
        self,
        workshop: Workshop,
        setting: Setting,
        batches: Sequence[tuple[str, ...]],
        ids: tuple[str, ...],
        *,
        holder: str = "owner",
        policy: KeyPolicy,
        flipped: bool = False,
        owners: tuple[str, ...] | None = None,
    ) -> None:
        self.workshop = workshop
        self.setting = setting
        #: All samples, among which those of `ids` are.
        self.batches = tuple(batches)
        self.ids = ids
        self.holder, self.policy, self.flipped, self.owners = holder, policy, flipped, owners or ids

    def template_key(self, recogniser: str) -> str:
        """Names the protected templates."""
        originals = gathered_key(self.workshop, recogniser, self.batches)
        keys = [self.holder, self.policy, self.workshop.master_digest, list(self.owners)]
        named = digest(
            "protect unit templates", self.setting.digest, self.workshop.libraries, keys, list(self.ids), originals
        )
        return digest("under flipped keys", named) if self.flipped else named

    def originals(self, recogniser: str) -> tuple[Templates, Any]:
        """Unprotected templates (float32, N x D, of unit length) and failed (bool, N)."""
        templates, failed, places = gathered_originals(self.workshop, recogniser, self.batches)
        rows = [places[name] for name in self.ids]
        return templates[rows], failed[rows]

    def keys(self, failed: Any) -> list[bytes]:
        """One 32-byte key for each template that is there."""
        held = [name for name, missing in zip(self.owners, failed, strict=True) if not missing]
        return self.workshop.sample_keys(held, holder=self.holder, policy=self.policy, flipped=self.flipped)

    def templates(self, recogniser: str) -> Artefact:
        """Protected templates (float32, N x L; zeros where failed) and failed (bool, N); header: timing and sizes."""
        key = self.template_key(recogniser)

        def compute() -> Artefact:
            plain, failed = self.originals(recogniser)
            keys, process = self.keys(failed), self.workshop.process(self.setting)
            random = generator("protect", self.setting.digest, key)
            protected = process.protect(np.ascontiguousarray(plain[~failed]), keys, generator=random)
            values = np.asarray(protected, np.float32)
            templates = np.zeros((len(failed), values.shape[1]), np.float32)
            templates[~failed] = values
            sizes = {"protected_bytes": template_bytes(values), "plain_bytes": template_bytes(plain[~failed])}
            header = {**self.workshop.timing("protect", process, len(keys)), **sizes}
            return Artefact({"templates": templates, "failed": failed}, header)

        return self.workshop.stored("protected", key, compute)

    def header(self, recogniser: str) -> dict[str, float]:
        """Seconds and samples of protecting, bytes of a template before and after."""
        return dict(self.templates(recogniser).header)

    def evidence(self, recogniser: str, threat_model: tuple[str, ...]) -> Evidence:
        """What a threat model lets an attack hold of the templates that are there."""
        arrays = self.templates(recogniser).arrays
        failed = np.asarray(arrays["failed"], bool)
        return template_evidence(
            arrays["templates"][~failed],
            self.keys(failed) if "key" in threat_model else None,
            self.setting,
            threat_model,
            dimension=self.workshop.recogniser(recogniser).dimension,
        )


def template_evidence(
    held: Protected, keys: Sequence[bytes] | None, setting: Setting, threat_model: tuple[str, ...], *, dimension: int
) -> Evidence:
    """Evidence about templates: beside an algorithm that is known stands the dimension of the recogniser's own."""
    known = granted_algorithm(setting, threat_model)
    return Evidence(
        protected=held, keys=keys, algorithm=None if known is None else {**known, "template": {"dimension": dimension}}
    )


@lru_cache(maxsize=32)
def gathered_key(workshop: Workshop, recogniser: str, batches: tuple[tuple[str, ...], ...]) -> str:
    """Names the unprotected templates of all batches together."""
    contents = [str(Originals(workshop, ids).fingerprint.header["content"]) for ids in batches]
    return digest("gathered", [template_key(workshop, recogniser, content) for content in contents])


@lru_cache(maxsize=8)
def gathered_originals(
    workshop: Workshop, recogniser: str, batches: tuple[tuple[str, ...], ...]
) -> tuple[Templates, Any, dict[str, int]]:
    """Unprotected templates (float32, N x D, length 1) and failed (bool, N) of all batches; each sample's place."""
    parts = [Originals(workshop, ids).templates(recogniser).arrays for ids in batches]
    templates = unit_length(np.concatenate([part["templates"] for part in parts]))
    failed = np.concatenate([np.asarray(part["failed"], bool) for part in parts])
    return templates, failed, {name: place for place, name in enumerate(name for ids in batches for name in ids)}


def unit_length(templates: Templates) -> Templates:
    """Templates (float32, N x D) scaled to length 1, as the schemes' papers take them; zeros stay.

    Their own comparison by cosine is the same. Raw ones are up to twenty times as long, which PolyProtect raises to the
    fifth power.

    >>> unit_length(np.array([[3, 4], [0, 0]], np.float32)).tolist()
    [[0.6000000238418579, 0.800000011920929], [0.0, 0.0]]
    """
    length = np.linalg.norm(templates, axis=1, keepdims=True)
    return np.asarray(templates / np.where(length > 0, length, 1), np.float32)
