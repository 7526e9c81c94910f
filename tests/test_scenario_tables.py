"""The pages of all-pairs protocols: their tables, and their place on the board's first page."""

from __future__ import annotations

from pathlib import Path

import pytest
from keyed_board import WARPS, keyed_records, scheme_record
from records import record
from test_leaderboard import board_of, row_of

from benchmark.leaderboard import check, regenerate, write, write_page
from benchmark.scenario_ranking import rank_scenarios
from benchmark.scenario_tables import eer_rows, metric_rows, overview, scenarios, seen_through

WEAK, BLUR = "block-warping@warp_8_4", "gaussian-blur@sigma-2"


@pytest.fixture(scope="module")
def board():
    return rank_scenarios("keyed", keyed_records())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    incomplete = scheme_record("block-remapping@half", {"same-key": 0.9, "different-keys": 0.3})
    return board_of(tmp_path, [*keyed_records(), incomplete, record("identity")])


def test_a_row_names_its_worst_case_and_what_it_keeps(board):
    line = next(line for line in overview(board) if line["setting"] == WEAK)
    assert line["worst case EER (%) ↑"].startswith("0.67 (")
    assert line["reached by"] == "unwarp, mobilefacenet-ms1m, protected-original"
    assert line["highest D_sys (%) ↓"] == "97.3 (floor 1.6)"
    assert line["revoked template matches (%) ↓"] == "30.0"
    assert line["stolen key accepted (%) ↓"] == "11.0"
    assert line["after inversion: EER (%) ↑"] == "0.67 (unwarp, 40.0 accepted)"
    assert line["EER, same key (%) ↓"] == "28.03 (+0.60, mblbp) / 0.77 (+0.14, mobilefacenet-ms1m)"
    assert line["protected (bytes/sample) ↓"] == "64"
    assert "notes" not in line  # no row has any


def test_methods_without_a_key_say_so_and_have_dashes_between_keys(board):
    line = next(line for line in overview(board) if line["setting"].startswith(BLUR))
    assert line["setting"] == f"{BLUR} (no key)"
    assert line["EER, key per subject (%) ↓"] == line["stolen key accepted (%) ↓"] == "–"


def test_tables_go_by_scenario_with_traditional_recognisers_first(board):
    assert seen_through(board)[:2] == ["lbp", "mblbp"]
    assert scenarios(board) == ["same-key", "key-per-subject", "different-keys", "stolen-key", "protected-original"]
    rows = eer_rows(board, "same-key")
    assert list(rows[0]) == ["setting", *seen_through(board)]  # one attack: no column for it
    assert [row["setting"] for row in rows][:3] == ["biohashing@m64", WEAK, "block-warping@warp_20_25"]
    assert (rows[0]["lbp"], rows[1]["lbp"]) == ("–", "33.12")
    assert {row["attack"] for row in eer_rows(board, "different-keys")} == {"direct-comparison", "linkage"}


def test_linkability_is_shown_where_data_bases_would_be_linked(board):
    rows = metric_rows(board, "d_sys")
    assert {(row["scenario"], row["setting"]) for row in rows} == {
        ("same-key", BLUR), ("different-keys", "biohashing@m64"), *(("different-keys", name) for name in WARPS),
    }  # fmt: skip
    assert rows[0]["mobilefacenet-ms1m"].endswith(", floor 1.6")
    assert metric_rows(board, "auc") == []


def test_the_first_page_has_them_in_a_section_of_their_own(folder):
    text = regenerate(folder)[folder / "README.md"]
    before, _, behind = text.partition("## Cancelable biometrics\n")
    assert "## demo" in before
    assert "keyed" not in before
    assert "4 ranked settings, 1 unranked" in behind
    assert row_of(behind, r"\| *1 \|")[1] == "block-warping@warp_20_25"
    assert "[keyed](keyed.md)" in behind


def test_other_pages_are_as_if_there_were_none(folder, tmp_path_factory):
    alone = board_of(tmp_path_factory.mktemp("alone"), [record("identity")])
    pages, without = regenerate(folder), regenerate(alone)
    assert pages[folder / "demo.md"] == without[alone / "demo.md"]
    section = pages[folder / "README.md"].index("## Cancelable biometrics")
    assert pages[folder / "README.md"][:section].strip() == without[alone / "README.md"].strip()


def test_a_page_lists_what_is_not_ranked_and_every_scenario(folder):
    text = regenerate(folder)[folder / "keyed.md"]
    assert "- block-remapping@half: direct-comparison: no result in key-per-subject" in text
    for scenario in ("same-key", "key-per-subject", "different-keys", "stolen-key", "protected-original"):
        assert f"## {scenario}: EER (%)\n" in text
    assert "None" not in text


def test_pages_are_written_checked_and_written_alone(folder):
    write(folder)
    assert check(folder) == []
    (folder / "keyed.md").write_text("by hand")
    assert check(folder) == [folder / "keyed.md"]
    write_page(folder, "keyed")
    assert check(folder) == []
