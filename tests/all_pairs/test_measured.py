"""Whole score sets are compared in a view's quickest way, from so many comparisons on that it pays."""

from __future__ import annotations

import numpy as np
import pytest

from benchmark.all_pairs import measured
from benchmark.all_pairs.measured import score_set_of
from benchmark.pipeline.views import View
from benchmark.recognisers.cosine import cosine, cosine_all
from benchmark.recognisers.many import CompareMany

TEMPLATES = np.random.default_rng(6).normal(size=(12, 8)).astype(np.float32)
SUBJECTS = np.repeat(np.arange(6, dtype=np.int32), 2)


@pytest.mark.parametrize(("many", "quick", "called"), [(67, True, []), (66, True, [1]), (66, False, [])])
def test_many_comparisons_go_the_quick_way(monkeypatch: pytest.MonkeyPatch, many: int, quick: bool, called) -> None:
    calls = []

    def prepare(templates):
        calls.append(1)
        return templates

    monkeypatch.setattr(measured, "MANY", many)
    quicker = CompareMany(prepare, cosine_all) if quick else None
    view = View("v", "0", {}, cosine, cosine_all, lambda batch: batch, quicker)
    gathered = TEMPLATES, np.zeros(12, bool)
    found = score_set_of(view, gathered, None, SUBJECTS, tile=(4, 4))
    expected = score_set_of(View("v", "0", {}, cosine, cosine_all, lambda batch: batch), gathered, None, SUBJECTS)
    assert calls == called
    np.testing.assert_allclose(found.mated, expected.mated, rtol=1e-6)
    np.testing.assert_allclose(found.non_mated, expected.non_mated, rtol=1e-5, atol=1e-6)
