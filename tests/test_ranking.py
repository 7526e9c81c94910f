from __future__ import annotations

import numpy as np
import pytest
from records import record, replicates, value

from benchmark.digest import digest
from benchmark.ranking import CurrentDigests, pareto_front, rank, stale_reasons, tie_groups
from benchmark.record import Record, Value


def one(setting: str, eer: float, **changes) -> Record:
    return record(setting, eers={"protected-protected": {"net": eer}}, **changes)


def names(rows):
    return [row.setting for row in rows]


def test_the_worst_case_counts_never_the_average():
    strong_on_average = record("a", eers={"protected-protected": {"lbp": 0.5, "net": 0.2}})
    even = record("b", eers={"protected-protected": {"lbp": 0.3, "net": 0.3}})
    board = rank("demo", [strong_on_average, even])
    assert names(board.ranked) == ["b", "a"]
    assert (board.ranked[1].worst.recogniser, board.ranked[1].worst.eer) == ("net", 0.2)


def test_the_worst_case_runs_over_attacks_and_comparisons_too():
    weak = record("a", "weak", eers={"protected-protected": {"net": 0.4}, "protected-original": {"net": 0.35}})
    strong = record("a", "strong", eers={"protected-protected": {"net": 0.3}, "protected-original": {"net": 0.1}})
    row = rank("demo", [weak, strong]).ranked[0]
    assert (row.worst.attack, row.worst.comparison, row.worst.eer) == ("strong", "protected-original", 0.1)
    np.testing.assert_allclose(row.worst_replicates, replicates(0.1))


def test_the_success_rate_shown_is_the_highest():
    rows = rank("demo", [one("a", 0.3, success=0.2), one("b", 0.2, success=None)])
    assert [row.success.value if row.success else None for row in rows.ranked] == [0.2, None]
    cells = record("a", "other", eers={"protected-protected": {"net": 0.3}}, success=0.9)
    assert rank("demo", [one("a", 0.3, success=0.2), cells]).ranked[0].success.value == 0.9


def test_a_success_rate_that_impostors_share_does_not_count():
    eers = {"protected-original": {"net": 0.3}, "protected-protected": {"net": 0.4}}
    where = "protected-protected/net/attack_success_rate"
    alike = {"id": "impostors-accepted", "where": where, "message": "alike"}
    found = record("a", eers=eers, success=0.2, flags=(alike,))
    [row] = rank("demo", [found]).ranked
    assert [cell.threshold_holds for cell in row.cells] == [True, False]
    everywhere = (alike, {**alike, "where": where.replace("protected-protected", "protected-original")})
    assert rank("demo", [record("a", eers=eers, flags=everywhere)]).ranked[0].success is None


def test_ties_are_found_by_paired_resamples_not_by_overlapping_intervals():
    """0.30 and 0.29 have widely overlapping intervals, but every resample says the same: paired, they differ."""
    far = rank("demo", [one("a", 0.30, spread=0.05), one("b", 0.29, spread=0.05)])
    assert [row.rank for row in far.ranked] == [1, 2]
    random = np.random.default_rng(0)
    noisy = {"protected-protected": {"net": tuple(np.round(0.29 + 0.05 * random.normal(size=200), 5))}}
    tied = rank("demo", [one("a", 0.30, spread=0.05), one("b", 0.29, replicates=noisy)])
    assert [row.rank for row in tied.ranked] == [1, 1]


def test_tie_groups_compare_with_their_first_row_so_ties_do_not_chain():
    random = np.random.default_rng(0)
    a, b, c = (np.array(center + 0.01 * random.normal(size=400)) for center in (0.50, 0.48, 0.46))
    assert tie_groups([a, b, c]) == [1, 1, 3]
    assert tie_groups([b, c]) == [1, 1]
    assert tie_groups([]) == []


def test_constant_equal_rows_are_tied_and_rows_without_replicates_stand_alone():
    half = np.full(200, 0.5)
    assert tie_groups([half, half, np.full(200, 0.4)]) == [1, 1, 3]
    assert tie_groups([half, np.array([]), half]) == [1, 2, 3]


def test_pareto_front():
    points = [(0.5, 1.0), (0.5, 0.9), (0.4, 0.2), (0.4, 0.2), (0.3, 0.3), (0.1, 0.0), (0.6, None)]
    assert pareto_front(points) == [False, True, True, True, False, True, False]


def test_a_missing_attack_recogniser_or_comparison_keeps_a_row_off_the_ranking():
    full = {"protected-protected": {"lbp": 0.4, "net": 0.3}, "protected-original": {"lbp": 0.4, "net": 0.3}}
    less = {"protected-protected": {"lbp": 0.4, "net": 0.3}, "protected-original": {"lbp": 0.4}}
    board = rank("demo", [record("a", eers=full), record("b", eers=less), record("a", "other", eers=full)])
    assert names(board.ranked) == ["a"]
    assert board.unranked[0].missing == (
        "direct-decode: no result for net, protected-original",
        "other was not run",
    )


@pytest.mark.parametrize("status", ["failed", "timeout", "incomplete"])
def test_a_row_that_did_not_end_well_is_not_ranked_and_says_why(status):
    broken = one("b", 0.5, status=status, reason="out of memory", results={}, replicates={})
    board = rank("demo", [one("a", 0.3), broken])
    assert names(board.ranked) == ["a"]
    assert board.unranked[0].missing == (f"direct-decode: {status} (out of memory)",)
    assert board.unranked[0].cells == ()


def test_ok_without_results_is_not_ranked():
    board = rank("demo", [one("a", 0.3, results={}, replicates={})])
    assert board.unranked[0].missing == ("direct-decode: no results",)


@pytest.mark.parametrize("metrics", [{"auc": value(0.6)}, {"eer": value(None)}])
def test_a_result_without_an_eer_is_not_ranked(metrics):
    board = rank("demo", [one("a", 0.3, results={"protected-protected": {"net": metrics}})])
    assert board.ranked == ()
    assert board.unranked[0].missing[0] == "direct-decode: no result for net, protected-protected"


def test_an_attack_is_asked_only_of_the_domains_that_it_applies_to():
    template = one("t", 0.3)
    template = template.model_copy(update={"protector": template.protector.model_copy(update={"domain": "template"})})
    first = one("t", 0.3)
    own = first.attack.model_copy(update={"setting": "direct", "id": "direct", "domains": ("template",)})
    board = rank("demo", [one("a", 0.4), template.model_copy(update={"attack": own})])
    assert names(board.ranked) == ["a", "t"]


def test_an_attack_is_asked_only_of_the_formats_that_it_applies_to():
    def of(setting, file_format, made):
        return made.model_copy(
            update={"protector": made.protector.model_copy(update={"format": file_format}), "setting": setting}
        )

    conceal = record("p", "conceal")
    conceal = conceal.model_copy(update={"attack": conceal.attack.model_copy(update={"formats": ("jpeg2000",)})})
    made = [of("a", "jpeg2000", record()), of("b", "opaque", record()), of("a", "jpeg2000", conceal)]
    assert rank("demo", made).unranked == ()
    lacking = rank("demo", [*made, of("c", "jpeg2000", record())]).unranked
    assert [(row.setting, row.missing) for row in lacking] == [("c", ("conceal was not run",))]


def test_an_attack_that_returns_embeddings_is_its_own_recogniser():
    images = record("a", eers={"protected-protected": {"lbp": 0.4, "net": 0.3}})
    own = record("a", "embedder", eers={"protected-protected": {"embedder": 0.2}})
    own = own.model_copy(update={"attack": own.attack.model_copy(update={"returns": "embeddings"})})
    board = rank("demo", [images, own])
    assert board.unranked == ()
    assert board.ranked[0].worst.recogniser == "embedder"


def test_stale_rows_are_named_by_what_changed():
    made = record()
    same = CurrentDigests(
        protocols={"demo": digest("protocol", "demo")},
        protectors={"jpeg2000-window": digest("protector")},
        attacks={"direct-decode": digest("attack")},
        recognisers={"lbp": digest("lbp"), "net": digest("net")},
        datasets={"demo": digest("data")},
    )
    assert stale_reasons(made, same) == []
    assert stale_reasons(made, None) == []
    changed = CurrentDigests(protocols={"demo": "0"}, attacks={}, recognisers={"lbp": digest("lbp"), "net": "0"})
    assert stale_reasons(made, changed) == [
        "protocol demo has changed",
        "attack direct-decode is not here",
        "recogniser net has changed",
    ]
    assert stale_reasons(made, CurrentDigests(datasets={"demo": "0"})) == ["data set synthetic was not the protocol's"]
    assert stale_reasons(made, CurrentDigests(datasets={"another": "0"})) == []
    own = ("demo", made.setting)
    assert stale_reasons(made, CurrentDigests(settings={own: made.protector.parameters})) == []
    assert stale_reasons(made, CurrentDigests(settings={own: {"offset": 99}})) == [
        f"the protocol's setting {made.setting} has changed"
    ]
    row = rank("demo", [made], changed).ranked[0]
    assert (row.rank, row.stale) == (1, tuple(stale_reasons(made, changed)))


def test_attacks_that_the_protocol_lists_and_nobody_has_run_are_named():
    listed = CurrentDigests(listed_attacks={"demo": ["direct-decode", "erase"], "other": ["guess"]})
    assert rank("demo", [record()], listed).outstanding == ("erase",)
    assert rank("demo", [record(), record("a", "erase")], listed).outstanding == ()
    assert rank("demo", [record()]).outstanding == ()


def test_the_order_of_the_records_does_not_matter():
    made = [one(name, eer) for name, eer in [("a", 0.3), ("b", 0.3), ("c", 0.4), ("d", 0.1)]]
    forward, backward = rank("demo", made), rank("demo", made[::-1])
    assert [(row.setting, row.rank) for row in forward.ranked] == [(row.setting, row.rank) for row in backward.ranked]
    assert [(row.setting, row.rank) for row in forward.ranked] == [("c", 1), ("a", 2), ("b", 2), ("d", 4)]


def test_an_eer_that_is_null_is_no_cell():
    made = record("a", results={"protected-protected": {"net": {"eer": Value(value=None, n=0)}}}, replicates={})
    assert rank("demo", [made]).rows[0].cells == ()


def test_a_further_recogniser_is_asked_of_its_attacks_alone():
    more = {"protected-protected": {"lbp": 0.4, "net": 0.3, "mblbp": 0.1}}
    current = CurrentDigests(further_recognisers={"demo": {"direct-decode": ["mblbp"], "other": []}})
    board = rank("demo", [record("a", eers=more), record("a", "other"), record("b"), record("b", "other")], current)
    assert names(board.ranked) == ["a"]
    assert board.ranked[0].worst.recogniser == "mblbp"
    assert board.unranked[0].missing == ("direct-decode: not seen through mblbp",)
    assert board.further == {"direct-decode": ("mblbp",)}


def test_a_further_recogniser_that_no_record_has_yet_makes_every_row_incomplete():
    current = CurrentDigests(further_recognisers={"demo": {"direct-decode": ["mblbp", "fv-sift"]}})
    board = rank("demo", [record("a")], current)
    assert board.ranked == ()
    assert board.unranked[0].missing == ("direct-decode: not seen through fv-sift, mblbp",)
