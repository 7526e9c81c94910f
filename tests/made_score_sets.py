"""Makes score sets of normal scores for tests: all pairs of a few samples of each person."""

from __future__ import annotations

import numpy as np

from benchmark.metrics.statistics import subject_weights
from benchmark.score_sets.build import ScoreSet, pair_subjects

PEOPLE, EACH = 70, 4
SUBJECTS = np.repeat(np.arange(PEOPLE), EACH)
WEIGHTS = subject_weights(PEOPLE, generator=np.random.default_rng(1), resamples=50)


def score_set(shift: float = 1.5, seed: int = 0, failed: tuple[int, int] = (0, 0)) -> ScoreSet:
    """Mated scores `shift` standard deviations above the non-mated ones."""
    random = np.random.default_rng(seed)
    mated_subject, non_mated_subjects = pair_subjects(SUBJECTS)
    mated = random.normal(shift, size=mated_subject.size).astype(np.float32)
    non_mated = random.normal(size=non_mated_subjects[0].size).astype(np.float32)
    return ScoreSet(mated, mated_subject, non_mated, non_mated_subjects, failed)
