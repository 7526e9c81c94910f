"""Compliance on its way into a record: measured once for each protector's setting, whatever attacks it meets."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from made_submissions import WINDOW, WINDOW_CODE, replaced, write_submission

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


def test_files_of_another_format_than_declared_fail_the_job_and_refused_ones_are_flagged(
    protocol: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """A setting may have parameters that no preset has, so the run looks too, not only `veilbench validate`."""
    monkeypatch.chdir(tmp_path)
    write_submission(tmp_path / "submissions", "undercover", WINDOW_CODE, WINDOW, format="opaque")
    marked = "return item[:-60] + bytes([255, 147 + key[0] % 64]) * 4 + item[-52:]"
    code = replaced(WINDOW_CODE, "return encrypt(item, key=key, **self.window)", marked)
    code = replaced(code, "encode(sample, layers=6)", "encode(sample, layers=1, levels=0)")
    code = replaced(code, "return encrypted_ranges(item, **self.window)", "return len(item) - 60, len(item) - 52, 8")
    write_submission(tmp_path / "submissions", "marked", code, WINDOW, reversible=False)
    content = yaml.safe_load(protocol.read_text())
    content["protectors"] = [{"id": "identity"}, {"id": "undercover"}, {"id": "marked"}]
    protocol.write_text(yaml.safe_dump(content))
    report = runner.execute(runner.order(protocol), workers=1, board=tmp_path)
    records = {record.setting: record for record in report.records}
    assert records["undercover"].status == "failed"
    assert records["undercover"].reason == "protected file 0 is jpeg2000, the manifest says `format: opaque`"
    assert records["marked"].status == "ok", records["marked"].reason
    flags = [flag for flag in records["marked"].flags if flag.id == "refused-by-decoder"]
    assert any("marker-codes ISO/IEC 15444-1 refuses 4 of 4 files" in flag.message for flag in flags)
    assert not any(flag.id == "refused-by-decoder" for flag in records["identity"].flags)
