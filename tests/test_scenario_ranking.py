"""The board of an all-pairs protocol: what decides, what is shown beside it, who is ranked."""

from __future__ import annotations

from statistics import NormalDist

import pytest
from keyed_board import BLURS, DEEP, UNPROTECTED, WARPS, keyed_records, scheme_record
from records import record

from benchmark.digest import digest
from benchmark.ranking import Board, CurrentDigests
from benchmark.record import Record
from benchmark.scenario_ranking import ScenarioRow, is_all_pairs, rank_scenarios, rows_of

WEAK, STRONG = "block-warping@warp_8_4", "block-warping@warp_20_25"
BLUR, HASH = "gaussian-blur@sigma-2", "biohashing@m64"


def row(board: Board, setting: str) -> ScenarioRow:
    return next(one for one in rows_of(board) if one.setting == setting)


def eer(recogniser: str, left: float) -> float:
    return NormalDist().cdf(-left * UNPROTECTED[recogniser] / 2)


@pytest.fixture(scope="module")
def board() -> Board:
    return rank_scenarios("keyed", keyed_records())


def test_only_protection_decides_through_the_best_recogniser(board):
    worst = row(board, STRONG).worst
    assert (worst.attack, worst.recogniser, worst.comparison) == ("unwarp", "mobilefacenet-ms1m", "protected-original")
    assert worst.eer == pytest.approx(eer("mobilefacenet-ms1m", 0.6), rel=1e-5)
    # Same key, a key per subject and a stolen key give lower EERs, and decide nothing.
    assert min(cell.eer for cell in row(board, STRONG).cells) < worst.eer
    assert {cell.comparison for cell in row(board, STRONG).deciding} == {"different-keys", "protected-original"}


def test_between_keys_a_linker_counts_as_an_attack_too():
    left = {"same-key": 1.0, "different-keys": 0.1, "protected-original": 0.1}
    linked = scheme_record(WEAK, {"different-keys": 0.5}, "linkage", returns="embeddings")
    [only] = rank_scenarios("keyed", [scheme_record(WEAK, left), linked]).ranked
    assert (only.worst.attack, only.worst.comparison) == ("linkage", "different-keys")


def test_without_a_key_the_same_samples_link_data_bases(board):
    blur = row(board, BLUR)
    assert blur.unkeyed
    assert (blur.worst.comparison, blur.worst.eer) == (
        "same-key",
        pytest.approx(eer("mobilefacenet-ms1m", 0.95), rel=1e-5),
    )
    assert blur.linked_in == "same-key"
    assert not row(board, WEAK).unkeyed
    assert blur.rank is not None  # neither a linker between keys nor the inverse of another scheme is asked of it


def test_what_is_kept_is_measured_against_unprotected_data(board):
    rises = row(board, STRONG).rises("same-key")
    expected = {name: eer(name, 0.7) - eer(name, 1.0) for name in UNPROTECTED}
    assert [cell.recogniser for _, cell in rises] == sorted(expected, key=expected.get, reverse=True)
    assert {cell.recogniser: rise for rise, cell in rises} == pytest.approx(expected, abs=1e-5)
    assert row(board, STRONG).greatest_rise == pytest.approx(max(expected.values()), abs=1e-5)


def test_inversion_is_what_attacks_give_back(board):
    assert {cell.attack for cell in row(board, WEAK).inversion} == {"unwarp"}
    assert {cell.attack for cell in row(board, HASH).inversion} == {"template-inversion"}
    assert row(board, WEAK).highest("d_sys", "different-keys")[0].recogniser == "mobilefacenet-ms1m"
    assert row(board, BLUR).highest("revoked_match_rate", "different-keys") is None


def test_templates_are_asked_of_the_recognisers_that_see_templates_alone(board):
    assert row(board, HASH).rank is not None
    assert {cell.recogniser for cell in row(board, HASH).cells} == set(DEEP)


def test_ranks_are_tie_groups_from_the_most_secure_down(board):
    assert [(one.setting, one.rank) for one in board.ranked] == [(STRONG, 1), (HASH, 2), (BLUR, 3), (WEAK, 4)]
    again = [*keyed_records()]
    twin = "block-warping@twin"
    again += [Record.model_validate(one.model_dump() | {"setting": twin}) for one in again if one.setting == STRONG]
    assert [one.rank for one in rank_scenarios("keyed", again).ranked] == [1, 1, 3, 4, 5]


def test_rows_that_lack_something_are_not_ranked():
    complete = keyed_records()
    lacking = [one for one in complete if not (one.setting == WEAK and one.attack.setting == "unwarp")]
    found = rank_scenarios("keyed", lacking)
    assert [(one.setting, one.missing) for one in found.unranked] == [(WEAK, ("unwarp was not run",))]

    failed = [scheme_record(WEAK, WARPS[WEAK], status="failed", reason="raised", results={}, replicates={})]
    failed += [one for one in complete if (one.setting, one.attack.setting) != (WEAK, "direct-comparison")]
    assert rank_scenarios("keyed", failed).unranked[0].missing == ("direct-comparison: failed (raised)",)

    half = scheme_record(WEAK, {**WARPS[WEAK]}, recognisers=["lbp", "mobilefacenet-ms1m"])
    short = {name: left for name, left in WARPS[WEAK].items() if name != "stolen-key"}
    others = [one for one in complete if (one.setting, one.attack.setting) != (WEAK, "direct-comparison")]
    missing = rank_scenarios("keyed", [*others, half]).unranked[0].missing
    assert "direct-comparison: no result for mblbp, different-keys" in missing
    missing = rank_scenarios("keyed", [*others, scheme_record(WEAK, short)]).unranked[0].missing
    assert missing == ("direct-comparison: no result in stolen-key",)


def test_a_row_without_any_deciding_result_is_not_ranked():
    [only] = rank_scenarios("keyed", [scheme_record(WEAK, {"same-key": 0.9, "key-per-subject": 0.9})]).unranked
    assert only.missing == ("no result in different-keys or protected-original",)


def test_what_has_changed_since_makes_a_row_stale():
    eyes = {name: digest(name) for name in UNPROTECTED}
    found = rank_scenarios("keyed", keyed_records(), CurrentDigests(recognisers={**eyes, "lbp": digest("another")}))
    assert row(found, WEAK).stale == ("recogniser lbp has changed",)
    assert row(found, HASH).stale == ()  # it sees no lbp
    listed = CurrentDigests(listed_attacks={"keyed": ("unwarp", "remap-invert")})
    assert rank_scenarios("keyed", keyed_records(), listed).outstanding == ("remap-invert",)


def test_records_say_by_themselves_which_kind_of_protocol_they_are_of():
    assert is_all_pairs(keyed_records())
    assert is_all_pairs([scheme_record(BLUR, BLURS[BLUR], status="failed", results={}, replicates={})])
    assert not is_all_pairs([record(eers={"protected-original": {"lbp": 0.3}}), record()])
