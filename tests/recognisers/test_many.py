"""Quicker ways for millions of comparisons: who has one, and that its scores are the recogniser's own."""

from __future__ import annotations

import numpy as np
import pytest

from benchmark.recognisers import load_recogniser
from benchmark.recognisers.all_pairs import all_pairs
from benchmark.recognisers.many import MANY_TILE, compare_many


@pytest.mark.parametrize("id", ["lbp", "mblbp"])
def test_all_pairs_score_the_same(id: str) -> None:
    recogniser = load_recogniser(id)
    templates = np.random.default_rng(5).poisson(2.0, (300, recogniser.dimension)).astype(np.float32)
    subjects = np.arange(300) // 2
    many = compare_many(recogniser)
    assert many is not None
    found = all_pairs(templates, subjects, many.compare_all, threads=2, tile=MANY_TILE, prepare=many.prepare)
    expected = all_pairs(templates, subjects, recogniser.compare_all)
    assert np.array_equal(found.genuine, expected.genuine)
    assert np.array_equal(found.impostor, expected.impostor)


def test_a_recogniser_that_compares_otherwise_has_none() -> None:
    lbp = type(load_recogniser("lbp"))

    class Halved(lbp):
        def compare_all(self, a, b):
            return super().compare_all(a, b) / 2

    assert compare_many(Halved(digest="0")) is None
