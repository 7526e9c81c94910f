"""One batch of samples under one protector's setting: prepared, protected, recovered."""

from __future__ import annotations

import time
from functools import cached_property
from typing import Any

import numpy as np

from benchmark.compliance import check, format_of, installed
from benchmark.digest import digest, generator
from benchmark.errors import SubmissionFailedError
from benchmark.interfaces import Codestreams, Evidence, Protected
from benchmark.npz import decode_batch, encode_batch
from benchmark.pipeline.originals import Originals, embed
from benchmark.pipeline.workshop import Workshop
from benchmark.plan import Setting
from benchmark.render import render
from benchmark.source import module_digest
from benchmark.store import Artefact
from benchmark.submission import KeyPolicy

#: How many protected samples other decoders are given, of the protocol's first batch.
DECODED = 64


def granted_algorithm(setting: Setting, threat_model: tuple[str, ...]) -> dict[str, Any] | None:
    """The protector's id and parameters, where the threat model grants them."""
    if "algorithm" not in threat_model:
        return None
    return {"id": setting.submission.manifest.id, "parameters": dict(setting.parameters)}


def check_format(files: Codestreams, declared: str | None) -> None:
    """Raise SubmissionFailedError where a file is of another format than the manifest says: it chooses the attacks.

    Ciphertext may begin like a JPEG file by chance (once in 2^24), but then no decoder shows anything of it.

    >>> check_format([b"ciphertext", bytes.fromhex("FFD8FFE0")], "opaque")
    >>> check_format([b"ciphertext"], "jpeg")
    Traceback (most recent call last):
    benchmark.errors.SubmissionFailedError: protected file 0 is opaque, the manifest says `format: jpeg`
    """
    for number, item in enumerate(files):
        found = format_of(item) or "opaque"
        if found != declared and not (declared == "opaque" and render([item])[0] is None):
            raise SubmissionFailedError(f"protected file {number} is {found}, the manifest says `format: {declared}`")


class Protection:
    """A batch under a setting, with the owner's keys or, for what an attack learns from, the attacker's own.

    `policy`: which samples share a key; that of the protocol where it is not named. Raises ValueError where that has
    none, for in key scenarios every set of keys has its own.
    """

    def __init__(
        self,
        workshop: Workshop,
        setting: Setting,
        originals: Originals,
        *,
        holder: str = "owner",
        policy: KeyPolicy | None = None,
    ) -> None:
        self.workshop = workshop
        self.setting = setting
        self.originals = originals
        self.holder = holder
        known = policy or workshop.protocol.keys.policy
        if known is None:
            raise ValueError(f"{workshop.protocol.id} has no policy of keys")
        self.policy: KeyPolicy = known

    @cached_property
    def prepared_key(self) -> str:
        """Names what needs no key; shared by all settings that agree in the parameters it depends on."""
        depends = self.setting.submission.protector.prepare
        if depends is None:
            return self.originals.key
        parameters = {name: self.setting.parameters[name] for name in depends}
        code = self.setting.submission.source_digest, self.workshop.libraries
        return digest("prepare", code, parameters, self.originals.key)

    @cached_property
    def key(self) -> str:
        """Names the protected batch."""
        keys = [self.holder, self.policy, self.workshop.master_digest]
        return digest("protect", self.setting.digest, self.workshop.libraries, keys, self.prepared_key)

    @cached_property
    def recovered_key(self) -> str:
        """Names what the key holder gets back."""
        return digest("recover", self.key)

    def keys(self) -> list[bytes]:
        """One 32-byte key for each sample that is present, by the policy."""
        ids = [name for name, here in zip(self.originals.ids, self.originals.present, strict=True) if here]
        return self.workshop.sample_keys(ids, holder=self.holder, policy=self.policy)

    def prepared(self) -> Protected:
        """What needs no key, of the samples that are present."""
        if self.setting.submission.protector.prepare is None:
            return self.originals.samples

        def compute() -> Artefact:
            samples, process = self.originals.samples, self.workshop.process(self.setting)
            prepared = process.prepare(samples)
            return Artefact(encode_batch(prepared), self.workshop.timing("prepare", process, len(samples)))

        artefact = self.workshop.stored("prepared", self.prepared_key, compute)
        return decode_batch(artefact.arrays)

    @cached_property
    def artefact(self) -> Artefact:
        """The protected batch; in the codestream domain with encrypted `ranges` (int64, M x 3) and plain sizes."""

        def compute() -> Artefact:
            prepared, keys = self.prepared(), self.keys()
            process = self.workshop.process(self.setting)
            random = generator("protect", self.setting.digest, self.prepared_key)
            protected = process.protect(prepared, keys, generator=random)
            header = self.workshop.timing("protect", process, len(keys))
            arrays = dict(encode_batch(protected))
            if isinstance(protected, list):
                check_format(protected, self.setting.submission.protector.format)
                arrays["ranges"] = process.encrypted_ranges(protected)
                arrays["protected_bytes"] = np.array([len(item) for item in protected], np.int64)
                if isinstance(prepared, list):
                    arrays["plain_bytes"] = np.array([len(item) for item in prepared], np.int64)
            return Artefact(arrays, header)

        return self.workshop.stored("protected", self.key, compute)

    def protected(self) -> Protected:
        """The protected samples as the contracts speak of them."""
        return decode_batch(self.artefact.arrays)

    def evidence(self, threat_model: tuple[str, ...]) -> Evidence:
        """What a threat model lets an attack hold of this batch, and nothing more."""
        return Evidence(
            protected=self.protected(),
            windows=self.artefact.arrays.get("ranges") if "window" in threat_model else None,
            keys=self.keys() if "key" in threat_model else None,
            algorithm=granted_algorithm(self.setting, threat_model),
        )

    def compliance(self) -> Artefact:
        """What other decoders make of the first DECODED samples, in the header: {decoder: [version, tried, refused]}.

        Empty for protected samples that are no JPEG or JPEG 2000 streams.
        """
        protected = self.protected()
        streams = protected[:DECODED] if isinstance(protected, list) else []
        kind = next((found for found in map(format_of, streams) if found), None)

        def compute() -> Artefact:
            start = time.process_time()
            verdicts = check(streams, shape=self.originals.pixels.shape[1:3], process=self.workshop.decoders)
            # Without the decoders' own seconds, which are known when their process ends, after the last setting.
            self.workshop.count("comply", time.process_time() - start, len(streams))
            return Artefact({}, {name: verdict[:3] for name, verdict in verdicts.items()})

        versions = installed(kind) if kind else {}
        key = digest("compliance", module_digest("benchmark.compliance.check"), versions, DECODED, self.key)
        return self.workshop.stored("compliance", key, compute)

    def recovered(self) -> Artefact:
        """What the key holder gets back: exact, failed (bool, N); `samples` too where not everything is exact."""

        def compute() -> Artefact:
            process = self.workshop.process(self.setting)
            result = process.recover(self.protected(), self.keys())
            header = self.workshop.timing("recover", process, len(result.failed))
            here, originals = self.originals.present, self.originals.pixels
            samples, failed = np.zeros_like(originals), np.ones(len(here), bool)
            samples[here], failed[here] = result.values, result.failed
            exact = ~failed & (samples == originals).all(axis=(1, 2, 3))
            arrays = {"exact": exact, "failed": failed}
            if not exact[here].all():
                arrays["samples"] = samples
            return Artefact(arrays, header)

        return self.workshop.stored("recovery", self.recovered_key, compute)

    def recovered_templates(self, recogniser: str) -> Artefact:
        """Templates after recovery: those of the originals where everything is exact."""
        recovered = self.recovered()
        if "samples" not in recovered.arrays:
            return self.originals.templates(recogniser)
        present = ~np.asarray(recovered.arrays["failed"], bool)
        return embed(
            self.workshop, recogniser, self.recovered_key, lambda: (recovered.arrays["samples"][present], present)
        )
