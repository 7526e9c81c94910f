"""Score sets against the whole matrix of scores."""

from __future__ import annotations

import numpy as np
import pytest

from benchmark.errors import InvalidInputError
from benchmark.recognisers.cosine import cosine, cosine_all
from benchmark.score_sets.build import all_pairs_set, pair_subjects, row_scores, rows_set

RANDOM = np.random.default_rng(0)
N = 90
SUBJECTS = RANDOM.integers(30, size=N)
FIRST, SECOND = np.triu_indices(N, 1)
SAME = SUBJECTS[FIRST] == SUBJECTS[SECOND]
ALL = np.zeros(N, bool)


def gathered(seed: int, failed: np.ndarray = ALL):
    templates = np.random.default_rng(seed).normal(size=(N, 16)).astype(np.float32)
    templates[failed] = 0
    return templates, failed


@pytest.mark.parametrize("tile", [None, (7, 11)])
def test_all_pairs_of_two_sets(tile) -> None:
    probes, gallery = gathered(1), gathered(2)
    found = all_pairs_set(probes, gallery, SUBJECTS, cosine_all, tile=tile)
    whole = cosine(probes[0][FIRST], gallery[0][SECOND])
    assert found.mated.dtype == found.non_mated.dtype == np.float32
    assert found.mated == pytest.approx(whole[SAME], abs=1e-6)
    assert found.non_mated == pytest.approx(whole[~SAME], abs=1e-6)
    assert np.array_equal(found.mated_subject, SUBJECTS[FIRST][SAME])
    assert np.array_equal(found.non_mated_subjects[0], SUBJECTS[FIRST][~SAME])
    assert np.array_equal(found.non_mated_subjects[1], SUBJECTS[SECOND][~SAME])
    assert found.failed == (0, 0)


def test_sets_of_the_same_subjects_share_their_arrays() -> None:
    one, other = (all_pairs_set(gathered(seed), None, SUBJECTS, cosine_all) for seed in (1, 2))
    assert one.mated_subject is other.mated_subject
    assert one.non_mated_subjects[1] is other.non_mated_subjects[1]
    assert not one.mated_subject.flags.writeable
    assert pair_subjects(SUBJECTS + 1)[0][0] == one.mated_subject[0] + 1


def test_failures_score_lowest_and_never_reach_the_comparator() -> None:
    failed_a, failed_b = np.arange(N) % 9 == 0, np.arange(N) % 7 == 0

    def compare_all(a, b):
        assert a.any(axis=1).all()
        assert b.any(axis=1).all()
        return cosine_all(a, b)

    found = all_pairs_set(gathered(1, failed_a), gathered(2, failed_b), SUBJECTS, compare_all)
    bad = failed_a[FIRST] | failed_b[SECOND]
    whole = cosine(gathered(1)[0][FIRST], gathered(2)[0][SECOND])
    assert found.failed == ((bad & SAME).sum(), (bad & ~SAME).sum())
    whole[bad] = whole[~bad].min()
    assert found.mated == pytest.approx(whole[SAME], abs=1e-6)
    assert found.non_mated == pytest.approx(whole[~SAME], abs=1e-6)


def test_where_everything_failed_scores_are_constant() -> None:
    found = all_pairs_set(gathered(1, ~ALL), None, SUBJECTS, cosine_all)
    assert found.failed == (SAME.sum(), (~SAME).sum())
    assert not found.mated.any()
    assert not found.non_mated.any()


def test_a_stolen_key_replaces_the_non_mated_comparisons() -> None:
    failed = np.arange(N) % 9 == 0
    own, stolen = gathered(1, failed), gathered(3)
    thieves = SUBJECTS + 1
    mated = all_pairs_set(own, None, SUBJECTS, cosine_all)
    found = rows_set(mated, stolen, own, SUBJECTS, thieves, cosine)
    rows = cosine(stolen[0], own[0])
    usable = cosine(own[0][FIRST[SAME]], own[0][SECOND[SAME]])[~(failed[FIRST] | failed[SECOND])[SAME]]
    rows[failed] = min(rows[~failed].min(), usable.min())
    assert found.non_mated == pytest.approx(rows, abs=1e-6)
    bad = (failed[FIRST] | failed[SECOND])[SAME]
    assert found.mated[bad] == pytest.approx(rows[failed][0], abs=1e-6)
    assert np.array_equal(found.mated[~bad], mated.mated[~bad])
    assert found.failed == (mated.failed[0], failed.sum())
    assert np.array_equal(found.non_mated_subjects[0], thieves)
    assert np.array_equal(found.non_mated_subjects[1], SUBJECTS)
    with pytest.raises(InvalidInputError, match="another subject"):
        rows_set(mated, stolen, own, SUBJECTS, SUBJECTS, cosine)


def test_rows_of_a_failure_are_minus_infinity() -> None:
    failed = np.arange(N) < 3
    found = row_scores(gathered(1), gathered(2, failed), SUBJECTS, SUBJECTS, cosine)
    assert np.isneginf(found.scores).tolist() == failed.tolist()
    assert found.scores[3:] == pytest.approx(cosine(gathered(1)[0], gathered(2)[0])[3:])


@pytest.mark.parametrize(("subjects", "message"), [(np.arange(N), "0 and 4,005"), (np.zeros(N, int), "4,005 and 0")])
def test_one_kind_of_comparison_alone_is_refused(subjects, message) -> None:
    with pytest.raises(InvalidInputError, match=message):
        all_pairs_set(gathered(1), None, subjects, cosine_all)


def test_a_score_that_is_no_number_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="NaN or infinite"):
        all_pairs_set(gathered(1), None, SUBJECTS, lambda a, b: cosine_all(a, b) * np.float32("nan"))
