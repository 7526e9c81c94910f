"""How long all-pairs jobs will take: samples protected once a set of keys, every two compared once a scenario."""

from __future__ import annotations

import time

import numpy as np

from benchmark.digest import generator
from benchmark.estimate import Estimate, Speeds, Times
from benchmark.metrics.statistics import subject_weights
from benchmark.pipeline.all_pairs import views_in
from benchmark.pipeline.attacked_templates import takes_templates
from benchmark.pipeline.workshop import Assignment
from benchmark.plan import Job
from benchmark.recognisers.cosine import cosine_all
from benchmark.scenarios import scenarios_of, sets_of
from benchmark.score_sets.build import all_pairs_set
from benchmark.score_sets.measure import measure

#: Samples whose comparisons are timed: twice, since much of the time does not grow with their number.
_TIMED = 512, 2048


def estimate_scenarios(assignment: Assignment, times: Times, speeds: Speeds) -> Estimate:
    """What the jobs of an assignment will take, from pixels to records, with nothing in the store."""
    samples, eyes = len(assignment.ids), assignment.recognisers()
    score = _score_seconds(assignment)
    size = samples * (112 * 112 * 3 + sum(speeds.template_bytes[name] for name in eyes))
    found = Estimate(sum(speeds.embed[name] * samples + score for name in eyes), size)
    for job in assignment.plan.jobs:
        found += _job(assignment, job, times, speeds, score)
    return found


def _job(assignment: Assignment, job: Job, times: Times, speeds: Speeds, score: float) -> Estimate:
    protocol, samples = assignment.plan.protocol, len(assignment.ids)
    protector, attack = job.protector.submission.protector, job.attack.submission.attack
    scenarios = scenarios_of(protocol, protector, attack)
    sets = sets_of(scenarios, protector, attack, protocol.metrics)
    apart = protector.domain == "template"
    views = len(views_in(job))
    protect = times.of(("protect", protocol.id, job.protector.name), ("protect", protector.id)) or 0.0
    seconds = len(sets) * samples * protect * (views if apart else 1) + views * len(scenarios) * score
    if attack.returns != "protected":
        known = times.of(("attack", protocol.id, job.protector.name, job.attack.name), ("attack", job.attack.name))
        seconds += samples * (known or 0.0) * (views if takes_templates(job) else 1)
    else:
        known = 0.0
    if not apart and (attack.returns in ("protected", "images") or attack.takes == "templates"):
        seconds += len(sets) * samples * sum(speeds.embed[name] for name in job.recognisers)
    size = len(sets) * samples * sum(speeds.template_bytes[name] for name in job.recognisers)
    return Estimate(seconds, size, int(known is None))


def _score_seconds(assignment: Assignment) -> float:
    """CPU seconds to compare every two samples by cosine and to measure that, from fewer samples."""
    few, many = (min(count, len(assignment.ids)) for count in _TIMED)
    _timed(assignment, few)  # whatever is loaded or compiled at first
    seconds, more = _timed(assignment, few), _timed(assignment, many)
    if few == many:
        return more
    pairs, further = (count * (count - 1) / 2 for count in (few, many))
    slope = max(more - seconds, 0) / (further - pairs)
    return more + slope * max(len(assignment.compared) - further, 0)


def _timed(assignment: Assignment, count: int) -> float:
    """CPU seconds for every two of `count` made-up templates."""
    protocol = assignment.plan.protocol
    subjects = np.unique(assignment.compared.subjects[:count], return_inverse=True)[1]
    if not 1 < subjects.max() + 1 < count:
        subjects = np.arange(count) // 2
    random = generator("estimate")
    templates = random.normal(size=(count, 128)).astype(np.float32), np.zeros(count, bool)
    weights = subject_weights(int(subjects.max()) + 1, generator=random, resamples=protocol.bootstrap.resamples)
    start = time.process_time()
    measure(all_pairs_set(templates, None, subjects, cosine_all), weights, metrics=protocol.metrics)
    return time.process_time() - start
