"""Compliance on its way into a record: measured once for each protector's setting, whatever attacks it meets."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from benchmark import runner
from benchmark.compliance import DECODERS, MARKER_CODES, installed
from benchmark.datasets.pairs import Row, write_pairs
from benchmark.digest import digest_file


@pytest.fixture
def protocol(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A protocol of four drawn faces under three protectors."""
    monkeypatch.setenv("VEILBENCH_STORE", str(tmp_path / "store"))
    rows = [Row(1 + p, True, f"s{p:04d}/0", f"s{p:04d}/1") for p in range(2)]
    rows += [Row(1 + p, False, f"s{p:04d}/0", f"s{1 - p:04d}/1") for p in range(2)]
    write_pairs(tmp_path / "pairs.csv", rows)
    content = {
        "id": "tiny",
        "title": "Four drawn faces",
        "dataset": {"id": "synthetic"},
        "pairs": {"file": "pairs.csv", "sha256": digest_file(tmp_path / "pairs.csv")},
        "comparisons": ["protected-protected"],
        "keys": {"policy": "sample", "seed": "tests"},
        "protectors": [{"id": "identity"}, {"id": "aes-full"}, {"id": "jpeg2000-window"}],
        "attacks": [{"id": "direct-decode"}],
        "recognisers": ["lbp"],
        "metrics": ["eer"],
        "bootstrap": {"resamples": 20},
    }
    path = tmp_path / "tiny.yaml"
    path.write_text(yaml.safe_dump(content))
    return path


def test_records_of_compliant_streams_count_what_decoders_refuse(protocol: Path):
    order = runner.order(protocol)
    first = runner.execute(order, workers=1, board=protocol.parent)
    records = {record.setting: record for record in first.records}
    assert records["identity"].cost.compliance == records["aes-full"].cost.compliance == {}
    assert {record.status for record in first.records} == {"ok"}, [record.reason for record in first.records]
    found = records["jpeg2000-window"].cost.compliance
    assert set(found) == {*DECODERS["jpeg2000"], MARKER_CODES}
    for name, version in installed("jpeg2000").items():
        there = version is not None
        assert (found[name].version, found[name].streams, found[name].failures) == (version, 4 * there, 0)
    again = runner.execute(order, workers=1, board=protocol.parent)
    assert again.filed == ("unchanged",) * 3
    assert "comply" in first.run.stages
    assert "comply" not in again.run.stages  # filed in the store
