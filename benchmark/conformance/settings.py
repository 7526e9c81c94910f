"""What a protector makes of a few samples under several keys, in its default setting and in every preset."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from benchmark.conformance.trial import COUNT, Skipped, Unmet, keys, same, samples, take, templates
from benchmark.digest import generator
from benchmark.errors import SubmissionFailedError
from benchmark.interfaces import Protected
from benchmark.sandbox import SubmissionProcess

#: Samples that each preset is tried on, under as many keys of their own.
PRESET_COUNT = 2
#: Seconds for all presets together; 168 of ours take a quarter of a minute.
PRESET_SECONDS = 600.0
#: Name of the setting without a preset.
DEFAULT = "default"


class Batch(NamedTuple):
    """The samples of one setting under one choice of keys."""

    #: Which keys, in words.
    label: str
    protected: Protected
    #: int64, N x 3, of codestreams; else None.
    ranges: npt.NDArray[np.int64] | None


class Setting(NamedTuple):
    """What came of one setting."""

    name: str
    prepared: Protected
    batches: tuple[Batch, ...]


def try_default(process: SubmissionProcess) -> Setting:
    """COUNT samples under three keys each and, where samples may share one, under one key for all."""
    return _tried(process, DEFAULT, COUNT, ("one", "two", "three"))


def try_presets(process: SubmissionProcess) -> list[Setting]:
    """Every preset on PRESET_COUNT samples under two keys each; Unmet names one that fails, Skipped says it has none.

    Afterwards the process is in the default setting again.
    """
    presets = process.submission.manifest.presets
    if not presets:
        raise Skipped("it has none")
    found: list[Setting] = []
    until = time.perf_counter() + PRESET_SECONDS
    try:
        for preset in presets:
            if time.perf_counter() > until:
                raise Unmet(f"only {len(found)} of {len(presets)} presets in {PRESET_SECONDS:g} s; have fewer of them")
            try:
                process.configure(process.submission.resolve({}, preset))
                found.append(_tried(process, preset, PRESET_COUNT, ("one", "two")))
                _check_keys(found[-1], keyed=process.submission.protector.keyed)
            except SubmissionFailedError as error:
                raise Unmet(f"{preset}: {error.reason}") from None
    finally:
        process.configure(process.submission.resolve({}))
    return found


def _check_keys(setting: Setting, *, keyed: bool) -> None:
    """Raise Unmet where a sample is the same under two keys; a window may be so short that nothing is encrypted.

    Of what is declared `keyed: false`, where a sample is not the same.
    """
    one, two = (batch.protected for batch in setting.batches[:2])
    if not keyed:
        if not same(one, two):
            raise Unmet(f"{setting.name}: protect() depends on the key, but the manifest says `keyed: false`")
        return
    for number in range(len(one)):
        item, plain = take(one, number), take(setting.prepared, number)
        if same(item, take(two, number)) and not same(item, plain):
            raise Unmet(f"{setting.name}: protect() gave the same under two keys for sample {number}")


def _tried(process: SubmissionProcess, name: str, count: int, names: Sequence[str]) -> Setting:
    manifest = process.submission.protector
    given = {f"under key {one}": keys(one, count) for one in names}
    if set(manifest.keys) - {"sample"}:
        given["under one key for all"] = keys("one", 1) * count
    prepared: Protected = templates(count) if manifest.domain == "template" else samples(count)
    if manifest.domain != "template" and manifest.prepare is not None:
        prepared = process.prepare(samples(count))
    batches = []
    for label, held in given.items():
        protected = process.protect(prepared, held, generator=generator("conformance", "settings"))
        ranges = process.encrypted_ranges(protected) if isinstance(protected, list) else None
        batches.append(Batch(label, protected, ranges))
    return Setting(name, prepared, tuple(batches))
