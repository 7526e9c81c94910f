"""What a run says of its time when it ends."""

from __future__ import annotations

from benchmark.engine import Run
from benchmark.progress import timings


def test_a_run_that_only_scored_says_what_that_took() -> None:
    assert "from the store (3.2 s CPU for these, 2.0 s wall with 2 workers)" in timings(
        Run(stages={"score": [3.2, 10]}, wall=2.0, workers=2)
    )


def test_other_runs_list_their_stages() -> None:
    found = timings(Run(stages={"score": [1.0, 10], "protect": [2.0, 4]}, wall=2.0, workers=2))
    assert found.splitlines()[2].split() == ["protect", "2", "4", "500"]
    assert found.endswith("3.0 s CPU in stages, 2.0 s wall with 2 workers")
