"""A submission in a process of its own: arrays go in, checked arrays come out, within limits.

The harness never imports a submission. It starts `benchmark.worker`, which confines itself (`benchmark.confinement`
says what that guards and what it does not), imports the submission and answers calls over pipes, as npz frames
without pickle. Each call has a time limit; what comes back is checked for counts, shapes, types, ranges and NaN. A
submission that raises, returns something else, dies or takes too long ends in SubmissionFailedError or
SubmissionTimeoutError with a reason for the record, and the harness goes on.

A submission could lie about the seconds that it measures; `Timing.round_trip` is the harness's own clock.
"""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from benchmark import locations, returned
from benchmark.child import Child
from benchmark.errors import InvalidInputError, SubmissionFailedError
from benchmark.interfaces import Codestreams, Evidence, Learned, Protected, Samples, Templates, TrainingPairs
from benchmark.npz import Arrays, encode_batch
from benchmark.protocol_schema import Limits
from benchmark.returned import Outcome
from benchmark.source import compiled_digest
from benchmark.submission import Submission

#: The largest reply: of `fit` (weights), and of any other call beside 16 times what was sent.
_MOST_LEARNED = 1 << 30
_MOST_OTHER = 64 << 20
#: The largest file that a submission may write in its own folder.
_MOST_FILE = 256 << 20
_GPU_DEVICES = ("/dev/nvidia0", "/dev/nvidiactl", "/dev/nvidia-uvm", "/dev/dri", "/dev/shm", "/proc/driver/nvidia")


class Timing(NamedTuple):
    """What the last call cost, in seconds."""

    #: As the submission's process measured it, without the way there and back.
    wall: float
    #: Processor time of that process, all its threads.
    cpu: float
    #: On the harness's clock, the way there and back included.
    round_trip: float
    #: How often this process had done such a call before; 0: it may have compiled something.
    calls_before: int


class SubmissionProcess:
    """One submission, ready to be called; a process that has ended is started anew by the next call.

    Use it as a context manager, or call `close`. Every call may raise SubmissionFailedError or SubmissionTimeoutError.
    Keys are 32 bytes each; `generator` is handed over in its present state (PCG64, as `benchmark.digest.generator`
    makes it) and does not move on this side.
    """

    def __init__(
        self,
        submission: Submission,
        *,
        limits: Limits | None = None,
        sample_shape: tuple[int, int, int] = (112, 112, 3),
        compiler_cache: Path | None = None,
        watch: bool = False,
    ) -> None:
        self.submission = submission
        self.limits = limits or Limits()
        self.sample_shape = sample_shape
        self.last_timing = Timing(0.0, 0.0, 0.0, 0)
        #: With `watch`: the arguments that the last call changed in place.
        self.changed: list[str] = []
        #: What confines the process, such as `landlock-7`; known once it runs.
        self.guards: tuple[str, ...] = ()
        self._watch = watch
        self._cache = compiler_cache or _compiler_cache(submission)
        self._child: Child | None = None
        self._calls: Counter[str] = Counter()
        self._parameters: Mapping[str, Any] | None = None
        self._learned: Learned | None = None

    def __enter__(self) -> SubmissionProcess:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the process; harmless when repeated."""
        if self._child is not None:
            self._child.end()
            self._child = None

    def configure(self, parameters: Mapping[str, Any]) -> None:
        """Construct the method with these parameters, all by keyword; what it had learned is gone."""
        self._parameters, self._learned = dict(parameters), None
        try:
            self._start() if self._ended() else self._construct()
        except SubmissionFailedError:
            self._parameters = None
            raise

    def prepare(self, samples: Samples) -> Samples | Codestreams:
        """Samples (uint8, N x H x W x 3) -> samples or codestreams, whichever the submission prepares."""
        reply, arrays = self._call("prepare", len(samples), encode_batch(samples, "samples"))
        kind, count, shape = reply["kind"], len(samples), self.sample_shape
        if kind == "bytes":
            return returned.codestreams("prepare", kind, arrays, count, shape)
        return returned.samples("prepare", kind, arrays, count, shape)

    def protect(self, prepared: Protected, keys: Sequence[bytes], *, generator: np.random.Generator) -> Protected:
        """N prepared samples and their keys -> N protected samples, as the manifest's domain says."""
        sent = {**encode_batch(prepared, "prepared"), "keys": _keys(keys, len(prepared))}
        reply, arrays = self._call("protect", len(prepared), sent, generator=generator)
        domain = self.submission.protector.domain
        return returned.protected("protect", reply["kind"], arrays, len(prepared), self.sample_shape, domain)

    def recover(self, protected: Protected, keys: Sequence[bytes]) -> Outcome:
        """N protected samples and their keys -> images, some of which may be missing."""
        sent = {**encode_batch(protected, "protected"), "keys": _keys(keys, len(protected))}
        return self._images("recover", len(protected), sent)

    def render(self, protected: Protected) -> Outcome:
        """What the submission says that a viewer without the key shows; the harness has its own `benchmark.render`."""
        return self._images("render", len(protected), encode_batch(protected, "protected"))

    def encrypted_ranges(self, protected: Codestreams) -> npt.NDArray[np.int64]:
        """N codestreams -> int64, N x 3: first encrypted byte, end (exclusive), bytes encrypted between them."""
        reply, arrays = self._call("encrypted_ranges", len(protected), encode_batch(protected, "protected"))
        return returned.ranges("encrypted_ranges", reply["kind"], arrays, protected)

    def compare(self, a: Templates, b: Templates) -> npt.NDArray[np.float64]:
        """Scores (float64, N) of N pairs of protected templates."""
        reply, arrays = self._call("compare", len(a), {"a": a, "b": b})
        return returned.scores("compare", reply["kind"], arrays, len(a))

    def compare_all(self, a: Templates, b: Templates) -> npt.NDArray[np.float32]:
        """Scores (float32, N x M) of every protected template of a (N) against every one of b (M).

        The time limit is that of N + M samples.
        """
        reply, arrays = self._call("compare_all", len(a) + len(b), {"a": a, "b": b})
        return returned.score_matrix("compare_all", reply["kind"], arrays, (len(a), len(b)))

    def fit(self, training: TrainingPairs, *, generator: np.random.Generator) -> Learned:
        """Let an attack learn; the named arrays that it returns are stored and handed to `restore`."""
        sent = {"originals": training.originals, **_evidence(training.evidence)}
        if training.identities is not None:
            sent["identities"] = training.identities
        header = {"algorithm": _plain(training.evidence)}
        reply, arrays = self._call("fit", len(training.originals), sent, header, generator=generator)
        return returned.learned("fit", reply["kind"], arrays, reply)

    def restore(self, learned: Learned) -> None:
        """Hand an attack what it learned."""
        self._learned = learned
        try:
            self._start() if self._ended() else self._restore(learned)
        except SubmissionFailedError:
            self._learned = None
            raise

    def run(self, evidence: Evidence, *, generator: np.random.Generator) -> Outcome:
        """Attack N protected samples -> images (some may be missing), templates or embeddings, as the manifest says."""
        count, header = len(evidence.protected), {"algorithm": _plain(evidence)}
        returns = self.submission.attack.returns
        if returns == "images" or (returns == "protected" and np.ndim(evidence.protected) == 4):
            return self._images("run", count, _evidence(evidence), header, generator=generator)
        reply, arrays = self._call("run", count, _evidence(evidence), header, generator=generator)
        return Outcome(returned.templates("run", reply["kind"], arrays, count), np.zeros(count, bool))

    def embed(
        self, samples: Samples, *, algorithm: Mapping[str, Any] | None = None, prepared: Protected | None = None
    ) -> Templates:
        """Templates (float32, N x D) of originals, by an attack that returns embeddings."""
        header = {"algorithm": None if algorithm is None else dict(algorithm)}
        sent = {"samples": samples} | ({} if prepared is None else encode_batch(prepared, "prepared"))
        reply, arrays = self._call("embed", len(samples), sent, header)
        return returned.templates("embed", reply["kind"], arrays, len(samples))

    def _images(self, call: str, count: int, arrays: Arrays, *head: Mapping[str, Any], **random: Any) -> Outcome:
        reply, results = self._call(call, count, arrays, *head, **random)
        return returned.images(call, reply["kind"], results, count, self.sample_shape)

    def _call(
        self,
        call: str,
        count: int,
        arrays: Arrays,
        header: Mapping[str, Any] | None = None,
        *,
        generator: np.random.Generator | None = None,
    ) -> tuple[dict[str, Any], Arrays]:
        """One call about `count` samples, in a process that is configured."""
        if self._ended():
            self._start()
        if self._parameters is None:
            raise ValueError(f"configure() comes before {call}()")
        head = {**(header or {}), "call": call, "watch": self._watch}
        if generator is not None:
            head["generator"] = generator.bit_generator.state
        reply, results = self._ask(head, arrays, self.limits.seconds_per_sample * max(count, 1))
        changed = reply.get("changed")
        self.changed = [str(name) for name in changed] if isinstance(changed, list) else []
        return {**reply, "kind": str(reply.get("kind"))}, results

    def _ended(self) -> bool:
        return self._child is None or not self._child.running

    def _start(self) -> None:
        """Start a process, confine it, import the submission, and bring it to where the last one was."""
        self.close()
        self._calls.clear()
        self._cache.mkdir(parents=True, exist_ok=True)
        child = self._child = Child(compiler_cache=self._cache)
        manifest, folder = self.submission.manifest, str(self.submission.folder)
        confined = {
            "call": "confine",
            "memory": int(self.limits.memory_gib * (1 << 30)),
            "file_size": _MOST_FILE,
            "read": [folder, str(locations.PACKAGE)],
            "write": [str(child.folder), str(self._cache)],
            "devices": _GPU_DEVICES if "gpu" in manifest.needs else (),
        }
        try:
            self.guards = tuple(self._ask(confined, {})[0]["guards"])  # answered before the submission is imported
            self._ask({"call": "open", "folder": folder, "entry": manifest.entry, "kind": manifest.kind}, {})
            if self._parameters is not None:
                self._construct()
            if self._learned is not None:
                self._restore(self._learned)
        except BaseException:
            self.close()
            raise

    def _construct(self) -> None:
        self._ask({"call": "configure", "parameters": self._parameters}, {})

    def _restore(self, learned: Learned) -> None:
        arrays = {f"learned.{place}": array for place, array in enumerate(learned.values())}
        self._ask({"call": "restore", "names": list(learned)}, arrays)

    def _ask(self, header: Mapping[str, Any], arrays: Arrays, seconds: float = 0.0) -> tuple[dict[str, Any], Arrays]:
        """Ask within a limit, to which the first call of each kind adds the time to start."""
        assert self._child is not None  # _start() has made it
        call = header["call"]
        before = self._calls[call]
        limit = seconds if seconds and before else seconds + self.limits.seconds_to_start
        sent = sum(array.nbytes for array in arrays.values())
        most = _MOST_LEARNED if call == "fit" else _MOST_OTHER + 16 * sent
        self._calls[call] += 1
        start = time.perf_counter()
        reply, results = self._child.ask(header, arrays, seconds=limit, most=most)
        self.last_timing = Timing(
            _seconds(reply.get("wall")), _seconds(reply.get("cpu")), time.perf_counter() - start, before
        )
        return reply, results


def _seconds(value: Any) -> float:
    """A duration that a submission's process claims."""
    return float(value) if isinstance(value, (int, float)) and 0 <= value < math.inf else 0.0


def _keys(keys: Sequence[bytes], count: int) -> npt.NDArray[np.uint8]:
    if len(keys) != count or any(len(key) != 32 for key in keys):
        raise InvalidInputError(f"{count} samples need {count} keys of 32 bytes each")
    return np.frombuffer(b"".join(keys), np.uint8).reshape(count, 32)


def _evidence(evidence: Evidence) -> Arrays:
    arrays = encode_batch(evidence.protected, "protected")
    if evidence.windows is not None:
        arrays["windows"] = evidence.windows
    if evidence.keys is not None:
        arrays["keys"] = _keys(evidence.keys, len(evidence.protected))
    return arrays


def _plain(evidence: Evidence) -> dict[str, Any] | None:
    return None if evidence.algorithm is None else dict(evidence.algorithm)


def _compiler_cache(submission: Submission) -> Path:
    """Where numba keeps what it compiled: one folder for our baselines, one for every other version of a submission.

    Compiled code is loaded without question, so no submission may write where another reads. And numba looks at a
    function's own file alone, not at those of the functions that it has compiled in: so another version of the loops
    gets another folder.
    """
    ours = locations.baselines_folder() in submission.folder.parents
    name = f"baselines-{compiled_digest()[:16]}" if ours else submission.source_digest[:16]
    return locations.compiled_root() / name
