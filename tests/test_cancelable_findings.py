"""The page on warping says what records say, is not written against them, and counts folds rightly."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import numpy as np
import pytest
from keyed_board import WARPS, keyed_records, scheme_record, unwarped

from benchmark.cancelable import source_positions, vertex_offsets
from benchmark.record import Record, record_path, write_record

ROOT = Path(__file__).resolve().parents[1]
SETTINGS = {"warp_8_4": (8, 4), "warp_16_6": (16, 6), "warp_20_25": (20, 25)}


@pytest.fixture
def findings(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    for name in ("write_cancelable", "folding"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    import write_cancelable

    return write_cancelable


def records() -> list[Record]:
    """Three warps with their inverse and a linker, and a block re-mapping, undone with and without its key."""
    found = []
    for number, (name, (block_size, max_offset)) in enumerate(SETTINGS.items()):
        left = {scenario: share - 0.335 * number for scenario, share in WARPS["block-warping@warp_8_4"].items()}
        setting = f"block-warping@{name}"
        linked = scheme_record(
            setting, {"different-keys": left["different-keys"] + 0.02}, "linkage", returns="embeddings"
        )
        plain = scheme_record(setting, left)
        for one, share in ((plain, 0.75), (linked, 0.6)):
            for metrics in one.results["different-keys"].values():
                missed = {"value": share, "low": share - 0.02, "high": share + 0.03}
                metrics["fnmr_at_fmr_0.001"] = metrics["eer"].model_copy(update=missed)
        for one in (plain, unwarped(setting, 0.99), linked):
            protector = one.protector.model_copy(
                update={"parameters": {"block_size": block_size, "max_offset": float(max_offset)}}
            )
            found.append(one.model_copy(update={"protector": protector}))
    remap = "block-remapping@remap_16_25"
    found.append(scheme_record(remap, WARPS["block-warping@warp_20_25"]))
    for attack in ("remap-invert", "key-guess"):
        inverted = scheme_record(remap, {"protected-original": 0.8}, attack, returns="images")
        only = inverted.attack.model_copy(update={"protectors": ("block-remapping",)})
        found.append(inverted.model_copy(update={"attack": only}))
    return found


@pytest.fixture
def board(tmp_path: Path, findings, monkeypatch) -> Path:
    """Records of made-up numbers, and quick counts of few meshes."""
    monkeypatch.setattr("folding.MESHES", 30)
    for one in records():
        write_record(record_path(tmp_path, one.protocol.id, one.setting, one.attack.setting), one)
    return tmp_path


def section(text: str, title: str) -> str:
    return text.partition(f"## {title}")[2].partition("\n## ")[0]


def test_the_committed_page_is_what_the_records_make_it(findings):
    assert findings.PAGE.read_text(encoding="utf-8") == findings.page()


def test_every_claim_has_a_verdict_that_follows_from_the_records(findings, board):
    text = findings.page(board, "keyed")
    # 95 % intervals are a point wide on either side here: 0.97 of the distance is within them, 0.64 is not.
    assert "In 4 of 12 cases" in section(text, "Claim: warped samples still tell people apart")
    apart = section(text, "Claim: under different keys")
    assert "**Does not hold.** In 0 of 12 cases" in apart
    assert "floor 1.6" in apart
    assert apart.count("| LBP ") == 4  # as they are, linked, accepted as linked, D_sys
    assert "40.0 (37.0 to 42.0)" in apart
    assert "in 0 of 12 cases its EER is that of the table above. In 0 it is higher" in apart
    assert "plain comparison accepts 25.0 to 25.0 % at its own" in apart
    assert "an EER of\n  23 to 26 %" in section(text, "In short")
    assert "**Does not hold.**" in section(text, "Claim: a stolen sample is revoked by another key")
    worse = section(text, "Claim: every protection indicator")
    assert re.search(r"\| EER, different-keys +\| +4 of 4 ", worse)
    assert re.search(r"\| attack success rate, protected-original +\| +0 of 4 ", worse)  # the same for all of them
    assert section(text, "Block re-mapping").count("remap_16_25") == 3
    assert "None" not in text
    assert "nan" not in text


def test_schemes_on_templates_are_told_of_where_they_have_been_run(findings, board):
    assert "Protecting templates" not in findings.page(board, "keyed")
    for one in keyed_records():
        if one.protector.domain == "template":
            write_record(record_path(board, "keyed", one.setting, one.attack.setting), one)
    told = section(findings.page(board, "keyed"), "Protecting templates instead")
    assert "all else is through MS1M" in told
    assert "not seen through LBP and MB-LBP, which compare histograms" in told
    assert "over all 2 recognisers that have a part (of an unprotected one:\n512)" in told
    assert re.search(r"\| biohashing@m64 +\| +64 \|", told)
    line = next(line for line in told.splitlines() if line.startswith("| biohashing@m64") and " 64 |" not in line)
    assert re.findall(r" (\d+\.\d) \(", line) == ["30.0", "11.0", "40.0"]  # revoked, stolen key, inverted
    assert "what 0 of 1 settings give back" in told
    with pytest.raises(SystemExit, match="no records of nowhere"):
        findings.page(board, "nowhere")


def test_figures_that_have_been_drawn_are_shown(findings, board):
    assert "![" not in findings.page(board, "keyed")
    (board / "plots").mkdir()
    (board / "plots" / "keyed.summary-block-warping.svg").touch()
    assert f"](../{board.name}/plots/keyed.summary-block-warping.svg)" in findings.page(board, "keyed")


def test_numbers_come_with_their_intervals(findings, board):
    rows = section(findings.page(board, "keyed"), "Claim: a warped sample does not match its original")
    line = next(line for line in rows.splitlines() if line.startswith("| LBP"))
    expected = findings.Findings(board, "keyed").value("block-warping@warp_8_4", "protected-original", "lbp")
    shown = f"{100 * expected.value:.2f} ({100 * expected.low:.2f} to {100 * expected.high:.2f})"
    assert shown in line


def test_the_gap_between_kinds_is_paired_over_resamples(findings, board):
    """All replicates of the factory move together, so that differences do not vary at all."""
    f = findings.Findings(board, "keyed")
    points, low, high = f.gap("block-warping@warp_8_4", "different-keys")
    kinds = [
        [f.percent("block-warping@warp_8_4", "different-keys", name) for name in f.kind(k)]
        for k in ("traditional", "deep")
    ]
    assert points == pytest.approx(np.mean(kinds[0]) - np.mean(kinds[1]))
    assert low == pytest.approx(points, abs=0.01)
    assert high == pytest.approx(points, abs=0.01)


def test_a_sentence_that_the_records_do_not_bear_out_stops_the_page(findings, board, tmp_path, monkeypatch):
    claims = tmp_path / "claims.md"
    claims.with_suffix(".md.j2").write_text(
        "{{ require(f.percent('block-warping@warp_8_4', DIFFERENT, 'lbp') > 60, 'LBP is lost') }}"
    )
    monkeypatch.setattr(findings, "PAGE", claims)
    with pytest.raises(SystemExit, match="no longer true: LBP is lost"):
        findings.page(board, "keyed")
    claims.with_suffix(".md.j2").write_text(
        "{{ f.percent('block-warping@warp_8_4', ORIGINAL, 'lbp', 'eer', 'no-such') }}"
    )
    with pytest.raises(SystemExit, match="no record of no-such"):
        findings.page(board, "keyed")


def test_still_and_slightly_moved_meshes_do_not_fold(findings):
    """Offsets up to a quarter of a block cannot fold a mesh."""
    from folding import folding

    assert folding(16, 0.0) == (0, 0, 0)
    assert folding(16, 4.0)[:2] == (0, 0)


def test_half_a_block_folds_a_little_and_beyond_that_pixels_are_lost(findings):
    from folding import folding

    few, many = folding(8, 4.0), folding(20, 25.0)
    assert few.meshes > 0.9
    assert 0 < few.area < 0.005
    assert few.lost < 1e-5
    assert many.meshes == 1
    assert 0.03 < many.lost < 0.05


def test_unseen_pixels_are_those_that_no_interpolation_reaches(findings):
    """Held against what the warp itself does to one bright pixel at a time."""
    from folding import unseen

    from benchmark.cancelable import warp

    shape = 28, 28
    offsets = vertex_offsets([bytes(32)], shape=shape, block_size=7, max_offset=14.0)
    positions = source_positions(offsets, shape=shape, block_size=7)
    lost = unseen(*positions[0])
    assert 0 < lost.sum() < lost.size
    shown = np.zeros(shape, bool)
    for row in range(shape[0]):
        for column in range(shape[1]):
            sample = np.zeros((1, *shape, 3), np.uint8)
            sample[0, row, column] = 255
            shown[row, column] = warp(sample, positions).any()
    assert not (shown & lost).any()
    # cv2.remap rounds positions to 1/32 pixel, so that weights below that are nothing to it.
    assert ((~shown) & (~lost)).mean() < 0.03


def test_turned_over_is_where_a_mirrored_map_is(findings):
    from folding import turned_over

    x, y = np.meshgrid(np.arange(6.0, dtype=np.float32), np.arange(5.0, dtype=np.float32))
    positions = np.stack([np.stack([x, y]), np.stack([x[:, ::-1], y])])
    assert turned_over(positions).tolist() == [np.zeros((4, 5), bool).tolist(), np.ones((4, 5), bool).tolist()]
