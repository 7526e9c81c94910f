"""What one worker process holds while it works on a plan: store, data, recognisers, submission processes, clocks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmark.compliance.process import DecodingProcess
from benchmark.crypto import derive_key
from benchmark.datasets import Dataset, open_dataset
from benchmark.datasets.pairs import Pairs
from benchmark.datasets.sample_list import SampleList
from benchmark.digest import digest
from benchmark.errors import InvalidInputError
from benchmark.interfaces import Recogniser
from benchmark.plan import CHUNK, Job, Plan, Setting
from benchmark.recognisers import load_recogniser, recogniser_digest
from benchmark.sandbox import SubmissionProcess
from benchmark.source import module_digest
from benchmark.store import Artefact, Store
from benchmark.submission import KeyPolicy


@dataclass(frozen=True)
class Assignment:
    """What a worker process is given: plain data, the same for every worker of a run."""

    plan: Plan
    #: The pairs of a list, or samples every two of which are compared.
    compared: Pairs | SampleList
    master: bytes = field(repr=False)
    store: Path
    data: Path | None = None
    attacker_ids: tuple[str, ...] = ()
    #: {job's name: recognisers whose results stand in its record under `board`}: these are not computed again.
    standing: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    board: Path | None = None

    @property
    def pairs(self) -> Pairs:
        """The pair list; raises InvalidInputError where every two samples are compared instead."""
        if isinstance(self.compared, Pairs):
            return self.compared
        raise InvalidInputError(f"{self.plan.protocol.id} has no pair list: it compares every two of its samples")

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of the samples that are compared."""
        return self.compared.ids

    def unseen(self, job: Job) -> tuple[str, ...]:
        """The recognisers that have yet to see a job."""
        return tuple(name for name in job.recognisers if name not in self.standing.get(job.name, ()))

    def recognisers(self) -> tuple[str, ...]:
        """Those that have yet to see any of the jobs, in the protocol's order."""
        return tuple(name for name in self.plan.recognisers if any(name in self.unseen(job) for job in self.plan.jobs))

    def batches(self) -> list[tuple[str, ...]]:
        """The protocol's sample ids in batches, in order of first appearance, so that a prefix shares its batches."""
        return _batches(self.ids)

    def attacker_batches(self) -> list[tuple[str, ...]]:
        """The attacker's sample ids in batches."""
        return _batches(self.attacker_ids)


def _batches(ids: Sequence[str]) -> list[tuple[str, ...]]:
    return [tuple(ids[start : start + CHUNK]) for start in range(0, len(ids), CHUNK)]


class Workshop:
    """Opens each costly thing once per process and counts the CPU seconds of each stage."""

    def __init__(self, assignment: Assignment) -> None:
        self.assignment = assignment
        self.protocol = assignment.plan.protocol
        self.store = Store(assignment.store)
        self.master_digest = digest("master key", assignment.master)
        #: {stage: [CPU seconds, samples]} since the last `take_counts`.
        self._counts: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])
        self._processes: dict[tuple[str, str], SubmissionProcess] = {}
        self._recognisers: dict[str, Recogniser] = {}
        self._configured: dict[tuple[str, str], str] = {}
        self._fingerprints: dict[tuple[str, ...], list[str]] = {}
        #: Other people's decoders, in one process for all settings: it takes long to start, and does when first asked.
        self.decoders = DecodingProcess()
        #: {attack's name: key of what its process was last told to restore}
        self.restored: dict[str, str] = {}
        #: {(job's name, recogniser): key of what the job's attack learns about the recogniser's templates}
        self.learned_keys: dict[tuple[str, str], str] = {}

    @cached_property
    def dataset(self) -> Dataset:
        chosen = self.protocol.dataset
        return open_dataset(chosen.id, chosen.parameters, self.assignment.data)

    @cached_property
    def reading(self) -> tuple[str, str, str]:
        """Names the code that reads samples: its digest, and the versions of what decodes for it."""
        return module_digest(type(self.dataset).__module__), version("pillow"), version("numpy")

    @cached_property
    def libraries(self) -> dict[str, str]:
        """Versions of the libraries whose output depends on their version."""
        from benchmark.environment import codec_versions

        return codec_versions()

    def stored(self, kind: str, key: str, compute: Callable[[], Artefact]) -> Artefact:
        """The artefact from the store, or computed and filed."""
        artefact = self.store.get(kind, key)
        if artefact is None:
            artefact = compute()
            self.store.put(kind, key, artefact)
        return artefact

    def fingerprint(self, ids: tuple[str, ...]) -> list[str]:
        """The content identity of each sample, read once per run."""
        if ids not in self._fingerprints:
            self._fingerprints[ids] = self.dataset.fingerprint(ids)
        return self._fingerprints[ids]

    def sampled(self, number: int, limit: int | None) -> bool:
        """Whether batch `number` belongs to the first `limit` samples (None: all)."""
        return limit is None or number * CHUNK < limit

    def positions(self, number: int) -> npt.NDArray[np.int64]:
        """Where the samples of batch `number` stand in the pair list's ids (int64)."""
        return np.arange(number * CHUNK, min((number + 1) * CHUNK, len(self.assignment.ids)))

    def recogniser(self, name: str) -> Recogniser:
        if name not in self._recognisers:
            self._recognisers[name] = load_recogniser(name, data=self.assignment.data)
        return self._recognisers[name]

    def recogniser_digest(self, name: str) -> str:
        return recogniser_digest(name, data=self.assignment.data)

    def sample_keys(self, ids: Sequence[str], *, holder: str, policy: KeyPolicy, flipped: bool = False) -> list[bytes]:
        """One 32-byte key for each sample, derived from the master key by a policy, for one holder.

        With `flipped`, one of each key's 256 bits is another, whose place is drawn from the key's name.
        """
        if policy == "sample":
            labels = list(ids)
        elif policy == "subject":
            labels = [self.dataset.subject(name) for name in ids]
        else:
            labels = [""] * len(ids)
        derive = lru_cache(maxsize=None)(lambda label: derive_key(self.assignment.master, holder, policy, label))
        keys = [derive(label) for label in labels]
        return [one_bit_off(key, label) for key, label in zip(keys, labels, strict=True)] if flipped else keys

    def process(self, setting: Setting) -> SubmissionProcess:
        """The submission's own process, set to this setting's parameters."""
        manifest = setting.submission.manifest
        name = manifest.kind, manifest.id
        if name not in self._processes:
            self._processes[name] = SubmissionProcess(setting.submission, limits=self.protocol.limits)
        process = self._processes[name]
        if self._configured.get(name) != setting.digest:
            self._configured.pop(name, None)
            process.configure(setting.parameters)
            self.restored.pop(setting.name, None)
            self._configured[name] = setting.digest
        return process

    def timing(self, stage: str, process: SubmissionProcess, samples: int) -> dict[str, Any]:
        """The header of an artefact made by a submission; its CPU seconds also go to the stage's count."""
        timing = process.last_timing
        self.count(stage, timing.cpu, samples)
        return {"seconds": timing.wall, "samples": samples, "warm": timing.calls_before > 0}

    def count(self, stage: str, cpu_seconds: float, samples: int) -> None:
        self._counts[stage][0] += cpu_seconds
        self._counts[stage][1] += samples

    def take_counts(self) -> dict[str, tuple[float, int]]:
        """{stage: (CPU seconds, samples)} since the last call."""
        counts = {stage: (seconds, int(samples)) for stage, (seconds, samples) in self._counts.items()}
        self._counts.clear()
        return counts

    def close(self) -> None:
        """End the submissions' processes, and that of the decoders."""
        self.decoders.close()
        for process in self._processes.values():
            process.close()
        self._processes.clear()
        self._configured.clear()


def one_bit_off(key: bytes, name: str) -> bytes:
    """A key with one bit flipped, whose place is drawn from a name.

    >>> int.from_bytes(one_bit_off(bytes(32), "a"), "big").bit_count()
    1
    """
    place = int(digest("one bit off", name), 16) % (8 * len(key))
    return (int.from_bytes(key, "big") ^ 1 << place).to_bytes(len(key), "big")
