"""How long jobs will take and how much room they need: from the times in filed records and a quick measurement here."""

from __future__ import annotations

import os
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median

import numpy as np
import numpy.typing as npt

from benchmark.datasets import open_dataset
from benchmark.digest import generator
from benchmark.metrics.visual import visual_scores
from benchmark.pipeline.workshop import Assignment
from benchmark.plan import Job
from benchmark.recognisers import load_recogniser
from benchmark.record import Quartiles, Record
from benchmark.scoring import Comparisons, score_metrics

#: Drawn faces that each recogniser is timed on.
TIMED = 8


@dataclass(frozen=True)
class Speeds:
    """What was measured on this machine, in CPU seconds on one core."""

    #: {recogniser: seconds a sample}.
    embed: Mapping[str, float]
    #: {recogniser: bytes of a template in the store}.
    template_bytes: Mapping[str, int]
    #: Seconds a sample for the visual metrics.
    visual: float


@dataclass(frozen=True)
class Estimate:
    """What a set of jobs will take."""

    #: CPU seconds, as if nothing were in the store.
    seconds: float = 0.0
    #: Bytes of artefacts in the store.
    size: float = 0.0
    #: Jobs whose protector or attack has no time in any record: that part of them is not counted.
    unknown: int = 0

    def __add__(self, other: Estimate) -> Estimate:
        return Estimate(self.seconds + other.seconds, self.size + other.size, self.unknown + other.unknown)


class Times:
    """Milliseconds a sample, from records: of the very setting and attack, else the median over their likes."""

    def __init__(self, records: Iterable[Record]) -> None:
        self._found: dict[tuple[str, ...], list[float]] = defaultdict(list)
        self._sizes: dict[tuple[str, ...], list[float]] = defaultdict(list)
        for record in records:
            cost, setting = record.cost, (record.protocol.id, record.setting)
            for stage, quartiles in (
                ("prepare", cost.prepare_ms),
                ("protect", cost.protect_ms),
                ("recover", cost.recover_ms),
            ):
                self._note((stage, *setting), quartiles)
                self._note((stage, record.protector.id), quartiles)
            self._note(("attack", *setting, record.attack.setting), cost.attack_ms)
            self._note(("attack", record.attack.setting), cost.attack_ms)
            self._sizes["protected", record.protector.id].append(cost.protected_bytes or 0.0)

    def _note(self, key: tuple[str, ...], quartiles: Quartiles | None) -> None:
        if quartiles is not None:
            self._found[key].append(quartiles.median)

    def of(self, *keys: tuple[str, ...]) -> float | None:
        """Seconds a sample under the first key that records know; None where they know none."""
        return next((median(self._found[key]) / 1000 for key in keys if key in self._found), None)

    def protected_bytes(self, protector: str) -> float:
        """Bytes of a protected sample; 0 where no record says."""
        return median(self._sizes.get(("protected", protector), [0.0]))


def measure(recognisers: Iterable[str], *, data: Path | None = None) -> Speeds:
    """Time each recogniser, and the visual metrics, on a few drawn faces (a few seconds in all).

    Raises InvalidInputError where a recogniser's weights are missing.
    """
    dataset = open_dataset("synthetic", {}, None)
    faces = dataset.load(tuple(f"s{number:04d}/0" for number in range(TIMED))).samples
    embed, sizes = {}, {}
    for name in recognisers:
        method = load_recogniser(name, data=data)
        templates = method.embed(faces)  # the first call compiles, and shows how large they are
        embed[name] = _seconds(partial(method.embed, faces)) / TIMED
        sizes[name] = _stored_bytes(templates)
    visual = _seconds(lambda: visual_scores(faces, faces[::-1])) / TIMED
    return Speeds(embed, sizes, visual)


def estimate(assignment: Assignment, times: Times, speeds: Speeds) -> Estimate:
    """What the jobs of an assignment will take, from pixels to records, with nothing in the store."""
    plan, samples = assignment.plan, len(assignment.ids)
    score = _score_seconds(assignment)
    found = Estimate(sum(speeds.embed[name] * samples for name in assignment.recognisers()), samples * 112 * 112 * 3)
    for setting in {job.protector.name: job for job in plan.jobs}.values():
        found += _protection(assignment, setting, times)
    for job in plan.jobs:
        attack = job.attack.name
        seconds = times.of(("attack", plan.protocol.id, job.protector.name, attack), ("attack", attack))
        images = job.attack.submission.attack.returns == "images"
        eyes = assignment.unseen(job)
        each = (seconds or 0.0) + sum(speeds.embed[name] for name in eyes)
        total = each * samples + (speeds.visual * _portion(samples, plan.protocol.visual.samples) if images else 0.0)
        recovered = images and plan.protocol.recovery.samples is None
        views = (len(plan.protocol.comparisons) + recovered) * (len(eyes) if images else 1)
        size = samples * sum(speeds.template_bytes[name] for name in eyes)
        found += Estimate(total + views * score, size, int(seconds is None))
    return found


def _protection(assignment: Assignment, job: Job, times: Times) -> Estimate:
    """Preparing, protecting and recovering under one setting, which all of its jobs share."""
    protocol, samples = assignment.plan.protocol, len(assignment.ids)
    manifest = job.protector.submission.protector
    portion = {
        "prepare": samples if manifest.prepare is not None else 0,
        "protect": samples,
        "recover": _portion(samples, protocol.recovery.samples) if manifest.reversible else 0,
    }
    seconds = 0.0
    for stage, count in portion.items():
        seconds += count * (times.of((stage, protocol.id, job.protector.name), (stage, manifest.id)) or 0.0)
    kept = 2 if manifest.prepare is not None else 1  # what was prepared is kept beside what was protected
    return Estimate(seconds, kept * samples * times.protected_bytes(manifest.id))


def _score_seconds(assignment: Assignment) -> float:
    """CPU seconds for the metrics of one comparison through one recogniser, with all resamples."""
    protocol = assignment.plan.protocol
    resamples = protocol.bootstrap.resamples
    comparisons = Comparisons.of(assignment.pairs, protocol.digest, resamples=resamples)
    scores = generator("estimate").normal(size=len(assignment.pairs)) + comparisons.genuine
    return _seconds(lambda: score_metrics(scores, comparisons, threshold=2.0, metrics=protocol.metrics))


def _portion(samples: int, limit: int | None) -> int:
    return samples if limit is None else min(samples, limit)


def _stored_bytes(templates: npt.NDArray[np.float32]) -> int:
    """Bytes of one template in the store, which files small whole numbers as bytes."""
    whole = bool(np.all((templates >= 0) & (templates <= 255) & (templates == np.rint(templates))))
    return int(templates.shape[1]) * (1 if whole else 4)


def _seconds(work: Callable[[], object]) -> float:
    """CPU seconds of this process, whatever else the machine does."""
    start = time.process_time()
    work()
    return time.process_time() - start


def spoken(seconds: float) -> str:
    """A time as people say it.

    >>> spoken(12), spoken(700), spoken(9000)
    ('under a minute', 'about 12 min', 'about 2 h 30 min')
    """
    minutes = round(seconds / 60)
    if seconds < 60:
        return "under a minute"
    return f"about {minutes} min" if minutes < 60 else f"about {minutes // 60} h {minutes % 60:02d} min"


def cores(workers: int) -> int:
    """How many cores so many worker processes keep busy here."""
    return min(workers, os.cpu_count() or 1)
