"""A run on a Dask cluster gives what local workers give."""

from __future__ import annotations

from pathlib import Path

import pytest
from test_run import place as place  # the fixture

from benchmark import runner
from benchmark.errors import InvalidInputError


def test_a_cluster_gives_the_same_record(place: Path) -> None:
    distributed = pytest.importorskip("distributed", reason="the extra `cluster` is not installed")
    order = runner.order("small")
    local = runner.execute(order, workers=1, board=place / "local")
    (place / "store").rename(place / "elsewhere")
    with distributed.LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=None) as cluster:
        report = runner.execute(order, workers=1, scheduler=cluster.scheduler_address, board=place / "cluster")
    assert [record.status for record in report.records] == ["ok"]
    assert report.records[0].scores == local.records[0].scores
    assert report.run.stages["attack"][1] == 40


def test_no_scheduler_is_one_line(place: Path) -> None:
    pytest.importorskip("distributed", reason="the extra `cluster` is not installed")
    with pytest.raises(InvalidInputError, match=r"no Dask scheduler answers at tcp://127\.0\.0\.1:9"):
        runner.execute(runner.order("small"), scheduler="tcp://127.0.0.1:9", board=place / "board")
