"""What a protector is checked for: shapes, determinism, batches, keys, recovery, rendering, encrypted ranges."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from benchmark.conformance.formats import check_formats
from benchmark.conformance.keystream import check_keystream
from benchmark.conformance.ranges import check_ranges
from benchmark.conformance.settings import Setting, try_default, try_presets
from benchmark.conformance.trial import Check, Skipped, Unmet, joined, keys, same, samples, take, templates, unchanged
from benchmark.digest import generator
from benchmark.interfaces import Protected, Samples
from benchmark.render import render
from benchmark.sandbox import SubmissionProcess


def protector_checks(process: SubmissionProcess) -> list[Check]:
    """The checks of a protector whose process has been configured, in order."""
    trial = _Trial(process)
    return [
        Check("prepare", trial.check_prepare, vital=True),
        Check("protect", trial.check_protect, vital=True),
        Check("determinism", trial.check_determinism),
        Check("batch size", trial.check_batches),
        Check("key sensitivity", trial.check_keys),
        Check("recovery", trial.check_recovery),
        Check("render", trial.check_render),
        Check("presets", trial.check_presets),
        Check("format", lambda: check_formats(trial.manifest, trial.settings)),
        Check("encrypted ranges", trial.check_ranges),
        Check("keystream", lambda: check_keystream(trial.manifest, trial.settings)),
        Check("comparison", trial.check_compare),
    ]


class _Trial:
    """One protector on a handful of samples."""

    def __init__(self, process: SubmissionProcess) -> None:
        self.process = process
        self.manifest = process.submission.protector
        self.keys = keys("one")

    @cached_property
    def prepared(self) -> Protected:
        if self.manifest.domain == "template":
            return templates()
        return self.process.prepare(samples()) if self.manifest.prepare is not None else samples()

    @cached_property
    def protected(self) -> Protected:
        return self.protect(self.keys, "one")

    def protect(self, of: list[bytes], seed: str) -> Protected:
        return self.process.protect(self.prepared, of, generator=generator("conformance", seed))

    def nothing_done(self) -> bool:
        return same(self.protected, self.prepared)

    def check_prepare(self) -> str:
        if self.manifest.prepare is None:
            raise Skipped("the manifest has no `prepare`")
        batch = self.prepared
        unchanged(self.process, "prepare")
        if not same(batch, self.process.prepare(samples())):
            raise Unmet("prepare() gave two results for one input")
        alone = [self.process.prepare(samples()[number : number + 1]) for number in range(len(self.keys))]
        if not same(batch, joined(alone)):
            raise Unmet("prepare() depends on which samples are in the batch")
        return f"{len(self.keys)} samples"

    def check_protect(self) -> str:
        protected = self.protected
        unchanged(self.process, "protect")
        if isinstance(protected, list):
            return f"{len(protected)} codestreams, {sum(map(len, protected)) // len(protected)} bytes on average"
        return f"{protected.dtype} {protected.shape}"

    def check_determinism(self) -> str:
        if not same(self.protected, self.protect(self.keys, "one")):
            raise Unmet("protect() gave two results for one input, key and generator; draw from `generator` alone")
        if self.manifest.deterministic and not same(self.protected, self.protect(self.keys, "two")):
            raise Unmet("protect() depends on the generator, but the manifest says `deterministic: true`")
        return "equal under the same generator" + (" and under another" if self.manifest.deterministic else "")

    def check_batches(self) -> str:
        if not self.manifest.deterministic:
            raise Skipped("it draws from one generator for the whole batch")
        alone = [
            self.process.protect(take(self.prepared, number), [key], generator=generator("conformance", "one"))
            for number, key in enumerate(self.keys)
        ]
        if not same(self.protected, joined(alone)):
            raise Unmet("protect() of one sample differs from protect() of the same sample in a batch")
        if not set(self.manifest.keys) - {"sample"}:
            return "one by one as all at once"
        if not same(take(self.protect(self.keys[:1] * len(self.keys), "one"), 0), alone[0]):
            raise Unmet("protect() of one sample differs from protect() of it beside others under the same key")
        return "one by one as all at once, under keys of their own and under one"

    def check_keys(self) -> str:
        if self.nothing_done():
            raise Skipped("it hands its input through: no protection")
        others = self.protect(keys("two"), "one")
        if not self.manifest.keyed:
            if not same(self.protected, others):
                raise Unmet("protect() depends on the key, but the manifest says `keyed: false`")
            return "none: the manifest says `keyed: false`, and another key gives the same"
        equal = [number for number in range(len(self.keys)) if same(take(self.protected, number), take(others, number))]
        if equal:
            raise Unmet(f"protect() gave the same under two keys for {len(equal)} of {len(self.keys)} samples")
        return "another key, another result"

    def check_recovery(self) -> str:
        if not self.manifest.reversible:
            raise Skipped("the manifest says `reversible: false`")
        if self.manifest.domain == "template":
            raise Skipped("recovery is defined for samples")
        outcome = self.process.recover(self.protected, self.keys)
        unchanged(self.process, "recover")
        expected = self._recoverable()
        differing = outcome.failed | (outcome.values != expected).any(axis=(1, 2, 3))
        if differing.any():
            raise Unmet(f"recover() is not exact for {int(differing.sum())} of {len(differing)} samples")
        if not self.nothing_done():
            wrong = self.process.recover(self.protected, keys("two"))
            if (~wrong.failed & (wrong.values == expected).all(axis=(1, 2, 3))).any():
                raise Unmet("recover() gives the sample back under a wrong key")
        return "exact with the key" + (", as far as the prepared files go" if self.manifest.lossy else "")

    def _recoverable(self) -> Samples:
        """What recovery has to give back: the samples, or what the prepared files show where preparing loses some."""
        if not self.manifest.lossy:
            return samples()
        shown = [image for image in render(self.prepared) if image is not None]
        if len(shown) < len(self.keys):
            raise Unmet("a standard decoder does not show what prepare() gave, so recovery cannot be judged")
        return np.stack(shown)

    def check_render(self) -> str:
        if self.manifest.domain == "template":
            raise Skipped("templates are not shown")
        shown = self.process.render(self.protected)
        unchanged(self.process, "render")
        expected = render(self.protected)
        for number, image in enumerate(expected):
            agrees = shown.failed[number] if image is None else np.array_equal(shown.values[number], image)
            if not agrees:
                raise Unmet(f"render() of sample {number} is not what a standard decoder shows (benchmark.render)")
        return f"as a standard decoder; {int(shown.failed.sum())} of {len(shown.failed)} show nothing"

    @cached_property
    def settings(self) -> list[Setting]:
        """The default setting, and every preset once these have been tried."""
        return [try_default(self.process)]

    def check_presets(self) -> str:
        presets = try_presets(self.process)
        self.settings.extend(presets)
        return f"{len(presets)} tried"

    def check_ranges(self) -> str:
        if isinstance(self.protected, list):
            self.process.encrypted_ranges(self.protected)
            unchanged(self.process, "encrypted_ranges")
        return check_ranges(self.manifest, self.settings)

    def check_compare(self) -> str:
        if self.manifest.domain != "template":
            raise Skipped("only protected templates are compared by their protector")
        protected = np.asarray(self.protected, np.float32)
        itself = self.process.compare(protected, protected)
        unchanged(self.process, "compare")
        if itself.mean() <= self.process.compare(protected, np.roll(protected, 1, axis=0)).mean():
            raise Unmet("compare() finds templates no more like themselves than like others; higher is more alike")
        rows = np.stack([self.process.compare(protected, np.roll(protected, -by, 0)) for by in range(len(protected))])
        place = np.arange(len(protected))
        whole = self.process.compare_all(protected, protected)
        unchanged(self.process, "compare_all")
        if not np.allclose(whole[place, (place[:, None] + place) % len(place)], rows, rtol=1e-4, atol=1e-5):
            raise Unmet("compare_all() gives other scores than compare() does row by row")
        return "higher for equal templates"
