"""Builds the mated and non-mated scores of a scenario (ISO/IEC 30136) from the templates of its two sets of samples."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from benchmark.errors import InvalidInputError
from benchmark.interfaces import Scores, Templates
from benchmark.recognisers.all_pairs import CompareAll, Prepare, all_pairs

#: Templates (float32, N x D) and which of them are failures to process (bool, N), as a view gathers them.
Gathered: TypeAlias = tuple[Templates, npt.NDArray[np.bool_]]
Subjects: TypeAlias = npt.NDArray[np.integer[Any]]
#: uint16, or int32 where there are too many subjects for it.
Columns: TypeAlias = npt.NDArray[np.integer[Any]]
#: Scores (N) of N pairs of templates, row by row.
Compare: TypeAlias = Callable[[Templates, Templates], Scores]
#: Pairs of templates that are compared row by row at a time.
ROWS = 512


@dataclass(frozen=True, eq=False)
class ScoreSet:
    """All comparisons of one scenario: finite scores, higher = more alike."""

    #: float32, M: of one subject.
    mated: npt.NDArray[np.float32]
    #: M: whose; columns of the bootstrap weights.
    mated_subject: Columns
    #: float32, K: of two subjects.
    non_mated: npt.NDArray[np.float32]
    #: K each: whose; columns of the bootstrap weights. Sets of the same subjects share these arrays.
    non_mated_subjects: tuple[Columns, Columns]
    #: How many mated and non-mated comparisons have a failure to process: they hold the lowest score of the set.
    failed: tuple[int, int]


class RowScores(NamedTuple):
    """Scores of sample i of one set against sample i of another."""

    #: float32, N; -inf for a failure to process.
    scores: npt.NDArray[np.float32]
    #: N: the subject of either side.
    first: Columns
    second: Columns


def all_pairs_set(
    probes: Gathered,
    gallery: Gathered | None,
    subjects: Subjects,
    compare_all: CompareAll,
    *,
    threads: int = 1,
    tile: tuple[int, int] | None = None,
    prepare: Prepare | None = None,
) -> ScoreSet:
    """Every sample's probe against every later sample's gallery template (i < j), N samples of `subjects` (int, N).

    `gallery` None: the probes among themselves. `compare_all`, `threads`, `tile` and `prepare` as
    for `benchmark.recognisers.all_pairs`; for a process that answers one call at a time, one thread and large tiles.
    `compare_all` never meets the template of a failure to process. Memory: 4 bytes a comparison, and 4 for subjects,
    which sets share. Raises InvalidInputError where shapes do not fit, for scores that are not finite, and where no two
    samples are of one subject, or no two of two.

    >>> from benchmark.recognisers.cosine import cosine_all
    >>> probes = np.array([[1, 0], [2, 0], [0, 3]], np.float32), np.zeros(3, bool)
    >>> found = all_pairs_set(probes, None, np.array([0, 0, 1]), cosine_all)
    >>> found.mated.tolist(), found.non_mated.tolist(), found.non_mated_subjects[1].tolist()
    ([1.0], [0.0, 0.0], [1, 1])
    """
    mated_subject, non_mated_subjects = pair_subjects(subjects)
    a, b = _without_failures(probes), None if gallery is None else _without_failures(gallery)
    found = all_pairs(
        a, subjects, compare_all, gallery=b, failed=probes[1], gallery_failed=None if gallery is None else gallery[1],
        threads=threads, tile=tile, prepare=prepare,
    )  # fmt: skip
    failed = _fill_failures(found.genuine, found.impostor)
    return ScoreSet(found.genuine, mated_subject, found.impostor, non_mated_subjects, failed)


def row_scores(
    probes: Gathered, gallery: Gathered, subjects: Subjects, probe_subjects: Subjects, compare: Compare
) -> RowScores:
    """Probe i against gallery template i; `subjects` (int, N) of the gallery, `probe_subjects` of the probes.

    The same image under two keys (`probe_subjects` = `subjects`: revocation), or an impostor under the victim's key.
    """
    usable = np.flatnonzero(~(probes[1] | gallery[1]))
    scores = np.full(len(probes[0]), -np.inf, np.float32)
    for start in range(0, usable.size, ROWS):
        rows = usable[start : start + ROWS]
        scores[rows] = compare(probes[0][rows], gallery[0][rows])
    return RowScores(scores, np.asarray(probe_subjects, np.int32), np.asarray(subjects, np.int32))


def rows_set(
    mated: ScoreSet,
    probes: Gathered,
    gallery: Gathered,
    subjects: Subjects,
    probe_subjects: Subjects,
    compare: Compare,
) -> ScoreSet:
    """Stolen key: the mated comparisons of `mated`, against non-mated ones of probe i with gallery template i.

    `mated`: the set of the gallery's samples among themselves (key-per-subject). `subjects` (int, N) of the gallery,
    and `probe_subjects` of those who pose as them. Raises InvalidInputError where somebody poses as himself.
    """
    if (np.asarray(subjects) == np.asarray(probe_subjects)).any():
        raise InvalidInputError("an impostor under a stolen key must be another subject than the key's owner")
    rows = row_scores(probes, gallery, subjects, probe_subjects, compare)
    own, non_mated = mated.mated.copy(), rows.scores.copy()
    if mated.failed[0]:
        own[_failed_mated(gallery[1], subjects)] = -np.inf
    failed = _fill_failures(own, non_mated)
    if failed[0] != mated.failed[0]:
        raise InvalidInputError("the mated comparisons of a stolen-key set must be those of its gallery")
    return ScoreSet(own, mated.mated_subject, non_mated, (rows.first, rows.second), failed)


def pair_subjects(subjects: Subjects) -> tuple[Columns, tuple[Columns, Columns]]:
    """Whose every two of N samples are (read-only), in the order of `all_pairs`: mated, and both non-mated.

    The last ones are kept, so that the sets of one protocol share them.

    >>> pair_subjects(np.array([4, 4, 7]))
    (array([4], dtype=uint16), (array([4, 4], dtype=uint16), array([7, 7], dtype=uint16)))
    """
    few = subjects.min(initial=0) >= 0 and subjects.max(initial=0) <= np.iinfo(np.uint16).max
    return _pair_subjects(np.ascontiguousarray(subjects, np.uint16 if few else np.int32).tobytes(), few)


@lru_cache(maxsize=1)
def _pair_subjects(packed: bytes, few: bool) -> tuple[Columns, tuple[Columns, Columns]]:
    subjects: Columns = np.frombuffer(packed, np.uint16 if few else np.int32)
    each = np.unique(subjects, return_counts=True)[1]
    genuine = int((each * (each - 1) // 2).sum())
    mated = np.empty(genuine, subjects.dtype)
    first, second = (np.empty(subjects.size * (subjects.size - 1) // 2 - genuine, subjects.dtype) for _ in range(2))
    m = n = 0
    for place, own in enumerate(subjects):
        later = subjects[place + 1 :]
        others = later[later != own]
        mated[m : (m := m + later.size - others.size)] = own
        first[n : n + others.size] = own
        second[n : (n := n + others.size)] = others
    for array in (mated, first, second):
        array.flags.writeable = False
    return mated, (first, second)


def _without_failures(gathered: Gathered) -> Templates:
    """Templates in which those that failed are replaced by one that did not, so that every comparison is possible."""
    templates, failed = gathered
    if not failed.any() or failed.all():
        return templates
    return np.asarray(templates[np.where(failed, np.argmin(failed), np.arange(len(failed)))])


def _failed_mated(failed: npt.NDArray[np.bool_], subjects: Subjects) -> npt.NDArray[np.bool_]:
    """Which mated comparisons (in the order of `all_pairs`) have a failure to process."""
    parts = []
    for place, own in enumerate(subjects):
        same = np.flatnonzero(subjects[place + 1 :] == own) + place + 1
        parts.append(failed[same] | failed[place])
    return np.concatenate(parts)


def _fill_failures(mated: npt.NDArray[np.float32], non_mated: npt.NDArray[np.float32]) -> tuple[int, int]:
    """Give failures (-inf) the lowest score of both, in place (0 where nothing else is there); how many they were."""
    if not mated.size or not non_mated.size:
        raise InvalidInputError(
            f"a score set needs comparisons of one subject and of two; there are {mated.size:,} and {non_mated.size:,}"
        )
    both = mated, non_mated
    # Extremes tell of what is rare; each mask over thirty million scores takes ten times as long.
    least = [scores.min() for scores in both]
    if np.isnan(least).any() or np.isposinf([scores.max() for scores in both]).any():
        raise InvalidInputError("a comparison gave a score that is NaN or infinite")
    if not np.isneginf(least).any():
        return 0, 0
    masks = [np.isneginf(scores) for scores in both]
    lowest = min(scores.min(initial=np.float32(np.inf), where=~mask) for scores, mask in zip(both, masks, strict=True))
    for scores, mask in zip(both, masks, strict=True):
        scores[mask] = lowest if np.isfinite(lowest) else np.float32(0)
    return int(masks[0].sum()), int(masks[1].sum())
