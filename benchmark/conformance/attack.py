"""What an attack is checked for: learning, declared output, determinism, batches, and files that nothing can read."""

from __future__ import annotations

import io
from functools import cached_property
from typing import Any, cast

import numpy as np
from PIL import Image

from benchmark.conformance.trial import COUNT, Check, Skipped, Unmet, joined, keys, same, samples, templates, unchanged
from benchmark.digest import generator
from benchmark.errors import unknown
from benchmark.interfaces import Evidence, Learned, Protected, Samples, Templates, TrainingPairs
from benchmark.jpeg2000 import encode
from benchmark.returned import Outcome
from benchmark.sandbox import SubmissionProcess
from benchmark.submission import AttackManifest, Submission, discover

#: What another protector may call as ours do, and mean something else by.
FOREIGN: dict[str, Any] = {
    "mode": "fast", "levels": 99, "layers": "many", "code_block": "large", "progression": "random", "style": -1,
    "segmentation_symbols": "some", "window_base": "", "offset": -5, "size": True, "quality": 1e9, "progressive": 3,
    "subsampling": "none", "restart": -1, "reversible": "no",
}  # fmt: skip


def attack_checks(process: SubmissionProcess) -> list[Check]:
    """The checks of an attack whose process has been configured, in order."""
    checks = []
    manifest = process.submission.attack
    trials = (
        [_Trial(process, kind) for kind in _kinds(manifest)]
        if manifest.protectors is None
        else [_Trial(process, name, of=_installed(name)) for name in manifest.protectors]
    )
    for trial in trials:
        kind = trial.name
        checks += [
            Check(f"{kind}: fit", trial.check_fit, vital=True),
            Check(f"{kind}: run", trial.check_run, vital=True),
            Check(f"{kind}: determinism", trial.check_determinism),
            Check(f"{kind}: batch size", trial.check_batches),
            Check(f"{kind}: restored elsewhere", trial.check_restored),
            Check(f"{kind}: unreadable input", trial.check_unreadable),
            Check(f"{kind}: embed", trial.check_embed),
            Check(f"{kind}: others' parameters", trial.check_foreign),
        ]
    return checks


def _kinds(manifest: AttackManifest) -> list[str]:
    """The domains that it meets, and for `codestream` the formats instead."""
    formats = [name for name in manifest.formats or ("jpeg2000", "jpeg") if name != "opaque"]
    return [kind for domain in manifest.domains for kind in (formats if domain == "codestream" else [domain])]


def _installed(name: str) -> Submission:
    """The protector of that id; raises InvalidInputError where there is none."""
    found = discover()
    if ("protector", name) not in found:
        raise unknown("protector", name, [id for kind, id in found if kind == "protector"])
    return found["protector", name]


class _Trial:
    """One attack on a handful of protected samples of one kind: jpeg2000, jpeg, sample or template.

    Where it names the protectors that it meets, on what one of them (`of`) makes of them.
    """

    def __init__(self, process: SubmissionProcess, name: str, of: Submission | None = None) -> None:
        self.process = process
        self.manifest = process.submission.attack
        self.name, self.of = name, of
        self.kind = name if of is None else of.protector.format or of.protector.domain

    def evidence(self, protected: Protected, algorithm: dict[str, Any] | None = None) -> Evidence:
        """What the threat model grants about protected samples; `algorithm`: instead of the stand-in."""
        grants, windows = self.manifest.threat_model, None
        if "window" in grants and isinstance(protected, list):
            windows = np.array([[len(item) // 4, len(item) // 2, len(item) // 4] for item in protected], np.int64)
        return Evidence(
            protected,
            windows,
            keys("one", len(protected)) if "key" in grants else None,
            algorithm or self.algorithm,
        )

    @property
    def algorithm(self) -> dict[str, Any] | None:
        """A stand-in: a coder with the default settings. Else the protector that it is tried on, with its own."""
        if "algorithm" not in self.manifest.threat_model:
            return None
        return self.known("stand-in", {}) if self.of is None else self.known(self.name, self.of.resolve({}))

    def known(self, protector: str, parameters: dict[str, Any]) -> dict[str, Any]:
        """What a run tells of an algorithm."""
        beside = {"template": {"dimension": self.originals.shape[1]}} if self.of_templates else {}
        return {"id": protector, "parameters": parameters, **beside}

    @property
    def of_templates(self) -> bool:
        """Whether it is handed templates, be they protected or those of protected samples."""
        return self.kind == "template" or (self.kind == "sample" and self.manifest.takes == "templates")

    @property
    def originals(self) -> Samples | Templates:
        """What it may learn from, in the form that it takes."""
        return templates() if self.of_templates else samples()

    @cached_property
    def protected(self) -> Protected:
        """Stand-ins: plain files, images or templates; else what the protector makes of them."""
        if self.of is not None:
            return self._protected_by(self.of)
        if self.kind == "jpeg2000":
            return [encode(sample) for sample in samples()]
        if self.kind == "jpeg":
            return [_jpeg(sample) for sample in samples()]
        return self.originals

    def _protected_by(self, of: Submission) -> Protected:
        """Under the keys that the attack holds, or would if it were told."""
        with SubmissionProcess(of, limits=self.process.limits) as protector:
            protector.configure(of.resolve({}))
            plain = self.originals if of.protector.domain == "template" else samples()
            prepared: Protected = plain
            if of.protector.prepare is not None:
                prepared = protector.prepare(samples())
            return protector.protect(prepared, keys("one", COUNT), generator=generator("conformance", "protect"))

    @cached_property
    def learned(self) -> Learned:
        return self.fit(self.evidence(self.protected))

    def fit(self, evidence: Evidence) -> Learned:
        identities = np.arange(COUNT) // 2 if "identities" in self.manifest.threat_model else None
        pairs = TrainingPairs(cast(Samples, self.originals), evidence, identities)
        return self.process.fit(pairs, generator=generator("conformance", "fit"))

    @cached_property
    def outcome(self) -> Outcome:
        return self.run(self.protected, "one")

    def run(self, protected: Protected, seed: str) -> Outcome:
        return self.process.run(self.evidence(protected), generator=generator("conformance", seed))

    def check_fit(self) -> str:
        if "pairs" not in self.manifest.threat_model:
            raise Skipped("its threat model has no `pairs`: it learns nothing")
        size = sum(array.nbytes for array in self.learned.values())
        unchanged(self.process, "fit")
        self.process.restore(self.learned)
        return f"{len(self.learned)} arrays, {size / (1 << 20):.1f} MiB"

    def check_run(self) -> str:
        outcome = self.outcome
        unchanged(self.process, "run")
        if outcome.failed.all():
            raise Unmet("run() returned None for every sample, though nothing is encrypted here")
        if self.manifest.returns == "protected" and not same(outcome.values, self.protected):
            raise Unmet("run() changed what was stolen, but the manifest says `returns: protected`")
        return f"{self.manifest.returns}: {outcome.values.dtype} {outcome.values.shape}"

    def check_determinism(self) -> str:
        if not same(self.outcome, self.run(self.protected, "one")):
            raise Unmet("run() gave two results for one input and generator; draw from `generator` alone")
        if self.manifest.deterministic and not same(self.outcome, self.run(self.protected, "two")):
            raise Unmet("run() depends on the generator, but the manifest says `deterministic: true`")
        return "equal under the same generator" + (" and under another" if self.manifest.deterministic else "")

    def check_batches(self) -> str:
        if not self.manifest.deterministic:
            raise Skipped("it draws from one generator for the whole batch")
        if not same(self.outcome, joined([self._alone(number) for number in range(COUNT)])):
            raise Unmet("run() of one sample differs from run() of the same sample in a batch")
        return "one by one as all at once"

    def _alone(self, number: int) -> Outcome:
        """The attack on one sample, with the same evidence about it as in the batch."""
        whole, one = self.evidence(self.protected), slice(number, number + 1)
        windows = None if whole.windows is None else whole.windows[one]
        held = None if whole.keys is None else whole.keys[one]
        part = Evidence(whole.protected[one], windows, held, whole.algorithm)
        return self.process.run(part, generator=generator("conformance", "one"))

    def check_restored(self) -> str:
        if "pairs" not in self.manifest.threat_model:
            raise Skipped("it learns nothing")
        before = self.outcome
        self.process.close()  # the next call starts a process anew and restores what was learned
        if not same(before, self.run(self.protected, "one")):
            raise Unmet("in a fresh process, after restore(), run() gives something else")
        return "equal in a fresh process"

    def check_unreadable(self) -> str:
        if not isinstance(self.protected, list):
            raise Skipped("only codestreams can be unreadable")
        damaged = [self.protected[0], bytes(range(256)) * 8, self.protected[1][:40]]
        outcome = self.run(damaged, "one")
        return f"{int(outcome.failed.sum())} of 3 reported as None, the others shown"

    def check_embed(self) -> str:
        if self.manifest.returns != "embeddings":
            raise Skipped(f"it returns {self.manifest.returns}")
        if self.of_templates:
            raise Skipped("what it makes of templates is compared with its like alone")
        prepared = self.protected if self.algorithm is not None else None
        embedded = self.process.embed(samples(), algorithm=self.algorithm, prepared=prepared)
        unchanged(self.process, "embed")
        if embedded.shape[1] != self.outcome.values.shape[1]:
            raise Unmet(f"embed() gives {embedded.shape[1]} dimensions, run() {self.outcome.values.shape[1]}")
        return f"{embedded.shape[1]} dimensions"

    def check_foreign(self) -> str:
        """Must stay the last one: what the attack learns here replaces what it had learned."""
        if self.algorithm is None:
            raise Skipped("its threat model has no `algorithm`")
        if self.of is not None:
            raise Skipped("it says which protectors it meets")
        foreign = self.known("another", FOREIGN)
        evidence = self.evidence(self.protected, foreign)
        if "pairs" in self.manifest.threat_model:
            self.process.restore(self.fit(evidence))
        outcome = self.process.run(evidence, generator=generator("conformance", "one"))
        if self.manifest.returns == "embeddings" and not self.of_templates:
            self.process.embed(samples(), algorithm=foreign, prepared=self.protected)
        if outcome.failed.all():
            raise Unmet("run() returned None for every sample of a protector whose parameters mean something else")
        return "another protector's mean nothing to it"


def _jpeg(sample: Samples) -> bytes:
    """A plain baseline JPEG file of one sample."""
    file = io.BytesIO()
    Image.fromarray(sample).save(file, "JPEG", quality=95)
    return file.getvalue()
