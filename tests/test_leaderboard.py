from __future__ import annotations

import gc
import random
import re
import shutil
from pathlib import Path

import pytest
from records import record

from benchmark.errors import InvalidInputError
from benchmark.leaderboard import MARK, CurrentDigests, check, read_records, regenerate, write, write_after_run
from benchmark.metrics.descriptors import METRICS
from benchmark.record import Flag, Record, record_path, write_record
from benchmark.tables import plain, table

PUBLISHED = Path(__file__).resolve().parents[1] / "leaderboard" / "published.yaml"
FEW = Flag(id="too-few-impostors", where="baseline/net", message="rests on 300 impostor comparisons")


def board_of(folder: Path, records: list[Record]) -> Path:
    for one in records:
        write_record(record_path(folder, one.protocol.id, one.setting, one.attack.setting), one)
    return folder


@pytest.fixture
def folder(tmp_path):
    shutil.copy(PUBLISHED, tmp_path)
    return board_of(
        tmp_path,
        [
            record("jpeg2000-window@lw4o6-document", share=0.04, flags=(FEW,)),
            record("identity", share=0.0, eers={"protected-protected": {"lbp": 0.2, "net": 0.02}}, flags=(FEW,)),
            record("aes-full", share=1.0, eers={"protected-protected": {"lbp": 0.5, "net": 0.5}}, flags=(FEW,)),
            record("broken", status="failed", reason="raised ValueError: <b>|x|</b>", results={}, replicates={}),
        ],
    )


def row_of(text: str, first_cells: str) -> list[str]:
    line = next(line for line in text.splitlines() if re.match(first_cells, line))
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_the_first_page_shows_security_utility_and_the_front(folder):
    text = regenerate(folder)[folder / "README.md"]
    cells = row_of(text, r"\| *2 \| jpeg2000-window@lw4o6-document")
    assert cells == [
        "2", "jpeg2000-window@lw4o6-document", "●", "30.00 (29.00 to 31.00)", "direct-decode, net", "25.0", "100.0",
        "2.00", "4.00", "0.00", "0.120",
    ]  # fmt: skip
    assert row_of(text, r"\| *1 \|")[1] == "aes-full"
    assert row_of(text, r"\| *3 \|")[1] == "identity"
    assert "3 ranked settings, 1 unranked" in text


def test_units_and_arrows_come_from_the_descriptors(folder, monkeypatch):
    assert METRICS["encrypted_share"].heading == "bytes encrypted (%) ↓"
    assert METRICS["encrypted_share"].heading in regenerate(folder)[folder / "README.md"]
    templates = Path(__file__).resolve().parents[1] / "benchmark" / "templates" / "leaderboard"
    sources = [path.read_text() for path in templates.glob("*.j2")]
    assert len(sources) == 3
    assert not any(arrow in source for source in sources for arrow in "↑↓")


def test_what_all_rows_share_is_said_once(folder):
    text = regenerate(folder)[folder / "README.md"]
    assert text.count("too-few-impostors") == 1
    assert "rests on 300 impostor comparisons" in text


def test_a_flag_that_says_something_else_about_a_row_stays_with_it(tmp_path):
    other = FEW.model_copy(update={"message": "rests on 7 impostor comparisons"})
    pages = regenerate(board_of(tmp_path, [record("a", flags=(FEW,)), record("b", flags=(FEW, other))]))
    assert row_of(pages[tmp_path / "README.md"], r"\| *\d \| b ")[-1] == "too-few-impostors"
    assert row_of(pages[tmp_path / "README.md"], r"\| *\d \| a ")[-1] == ""
    assert "rests on 7 impostor comparisons" in pages[tmp_path / "demo.md"]


def test_the_protocols_page_says_why_a_row_is_not_ranked_without_letting_it_write_html(folder):
    text = regenerate(folder)[folder / "demo.md"]
    assert "- broken: direct-decode: failed (raised ValueError: &lt;b>&#124;x&#124;&lt;/b>)" in text
    assert "<b>" not in text


def test_the_protocols_page_holds_every_cell(folder):
    text = regenerate(folder)[folder / "demo.md"]
    cells = row_of(text, r"\| identity +\| direct-decode +\| protected-protected +\| 20\.00")
    assert cells[3:] == ["20.00 (19.00 to 21.00)", "2.00 (1.00 to 3.00)"]


def test_the_protocols_page_says_which_decoders_refuse_protected_samples(tmp_path):
    one = record()
    content = one.model_dump()
    content["cost"]["compliance"] = {
        "pillow": {"version": "13", "streams": 64, "failures": 2},
        "ffmpeg": {"version": None, "streams": 0, "failures": 0},
    }
    pages = regenerate(board_of(tmp_path, [type(one).model_validate(content), record("identity")]))
    assert re.search(r"\| jpeg2000-window@a \| +– \| +2 of 64 \|\n\n", pages[tmp_path / "demo.md"])
    assert "other decoders" not in regenerate(board_of(tmp_path / "old", [record()]))[tmp_path / "old" / "demo.md"]


def test_published_numbers_stand_beside_the_measured_ones_and_have_no_rank(folder):
    text = regenerate(folder)[folder / "README.md"]
    ranking, _, published = text.partition("## Published numbers")
    assert "never ranked" in published
    assert row_of(published, r"\| lw4o6 ") == [
        "lw4o6", "47.55", "33.57", "jpeg2000-window@lw4o6-document", "30.00 (29.00 to 31.00)",
    ]  # fmt: skip
    assert row_of(published, r"\| rw4o6 ") == ["rw4o6", "33.52", "11.09", "jpeg2000-window@rw4o6-document", "–"]
    assert "47.55" not in ranking


def test_stale_rows_are_marked_and_explained(folder):
    current = CurrentDigests(attacks={"direct-decode": "0"}, protectors=None)
    pages = regenerate(folder, current)
    assert row_of(pages[folder / "README.md"], r"\| *1 \|")[1] == "aes-full **†**"
    assert "- aes-full: attack direct-decode has changed" in pages[folder / "demo.md"]
    assert "**†** Stale" not in regenerate(folder)[folder / "demo.md"]


def test_a_sweep_shows_its_first_rows_and_the_whole_front_on_the_first_page(tmp_path):
    """84 settings; the one that encrypts nothing is on the Pareto front and the last in rank."""
    sweep = [
        record(
            f"jpeg2000-window@small-l{i}",
            share=0.005 * i,
            eers={"protected-protected": {"net": 0.5 - 0.005 * (84 - i)}},
        )
        for i in range(84)
    ]
    sweep += [record("worse", share=0.5, eers={"protected-protected": {"net": 0.01}})]
    pages = regenerate(board_of(tmp_path, sweep))
    first = pages[tmp_path / "README.md"]
    assert len(re.findall(r"^\| *\d+ \| jpeg2000", first, re.M)) == 84  # every one of them is on the front
    assert "| worse" not in first
    assert "The first 12 rows and the Pareto front" in first
    detail = pages[tmp_path / "demo.md"]
    assert "| worse" in detail
    assert detail.index("small-l2 ", detail.index("by recogniser")) < detail.index("small-l10 ", detail.index("by rec"))


def test_equal_records_give_equal_pages_in_whatever_order_they_were_filed(tmp_path):
    records = [record(f"s{i}", f"attack-{j}") for i in range(4) for j in range(3)]
    shuffled = records.copy()
    random.Random(1).shuffle(shuffled)
    a, b = board_of(tmp_path / "a", records), board_of(tmp_path / "b", shuffled)
    assert list(regenerate(a).values()) == list(regenerate(b).values())


def test_check_names_what_drifted_and_write_mends_it(folder):
    readme, page = folder / "README.md", folder / "demo.md"
    assert check(folder) == [readme, page]
    write(folder)
    assert check(folder) == []
    readme.write_text(readme.read_text().replace("30.00", "49.00"))
    (folder / "gone.md").write_text(f"# A protocol that has no records any more\n{MARK}\n")
    (folder / "notes.md").write_text("# Written by hand\n")
    assert check(folder) == [readme, folder / "gone.md"]
    write(folder)
    assert check(folder) == []
    assert not (folder / "gone.md").exists()
    assert (folder / "notes.md").exists()


def test_writing_again_leaves_the_files_untouched(folder):
    write(folder)
    before = {path: path.stat().st_mtime_ns for path in folder.glob("*.md")}
    write(folder)
    assert {path: path.stat().st_mtime_ns for path in folder.glob("*.md")} == before


def test_write_says_what_differed(folder):
    assert write(folder) == [folder / "README.md", folder / "demo.md"]
    (folder / "demo.md").write_text("changed by hand")
    (folder / "gone.md").write_text(f"# A protocol that has no records any more\n{MARK}\n")
    assert write(folder) == [folder / "demo.md", folder / "gone.md"]
    assert write(folder) == []


def test_a_run_of_one_protocol_writes_its_page_the_first_one_and_what_is_missing(folder):
    other = record("identity", share=0.0)
    other = other.model_copy(update={"protocol": other.protocol.model_copy(update={"id": "other"})})
    board_of(folder, [other])
    assert write_after_run(folder, "demo") == [folder / name for name in ("README.md", "demo.md", "other.md")]
    assert check(folder) == []
    board_of(folder, [record("late", share=0.5), other.model_copy(update={"setting": "late"})])
    assert write_after_run(folder, "demo") == [folder / "README.md", folder / "demo.md"]
    assert check(folder) == [folder / "other.md"]  # the first page tells of its new record already
    assert write(folder) == [folder / "other.md"]


def test_reading_records_leaves_the_collector_as_it_was(folder):
    record_path(folder, "demo", "identity", "direct-decode").write_text("damaged")
    for collect in (gc.enable, gc.disable):
        collect()
        before = gc.isenabled()
        with pytest.raises(InvalidInputError):
            read_records(folder)
        assert gc.isenabled() == before
    gc.enable()


def test_an_empty_board_says_what_to_do(tmp_path):
    pages = regenerate(tmp_path)
    assert list(pages) == [tmp_path / "README.md"]
    assert "veilbench run demo" in pages[tmp_path / "README.md"]


def test_a_protocol_whose_jobs_all_failed_has_a_page(tmp_path):
    failed = record(status="timeout", reason="slept", results={}, replicates={}, baseline={}, visual={})
    pages = regenerate(board_of(tmp_path, [failed]))
    assert "No row is complete." in pages[tmp_path / "demo.md"]
    assert "timeout (slept)" in pages[tmp_path / "demo.md"]


@pytest.mark.parametrize("place", ["other/identity/direct-decode.json", "demo/one.json", "demo/identity/a/b.json"])
def test_a_record_in_the_wrong_place_is_refused(tmp_path, place):
    write_record(tmp_path / "records" / place, record("identity"))
    with pytest.raises(InvalidInputError, match=r"belongs to records/demo/identity/direct-decode\.json"):
        regenerate(tmp_path)


def test_a_published_file_with_a_slip_is_refused_with_its_line(folder):
    path = folder / "published.yaml"
    path.write_text(path.read_text().replace("unprotected:", "unprotectd:"))
    with pytest.raises(InvalidInputError, match=r"published\.yaml:\d+: .*unprotectd.*did you mean 'unprotected'"):
        regenerate(folder)


@pytest.mark.parametrize("text", ["![x](http://a)", "<script>", "a | b", "`code`", "two\nlines", "x" * 999, "**b**"])
def test_outside_text_cannot_format_the_page(text):
    safe = plain(text)
    assert "\n" not in safe
    assert len(safe) <= 250
    assert not re.search(r"(?<!\\)[`*\[\]|<]", safe)


def test_numbers_are_aligned_to_the_right():
    assert (
        table([{"a": "x", "n": "–"}, {"a": "y", "n": "1.0 (0.9 to 1.1)"}]).splitlines()[1]
        == "|:----|-----------------:|"
    )


def test_further_recognisers_have_tables_of_their_own(tmp_path):
    eers = {"protected-protected": {"lbp": 0.4, "net": 0.3, "mblbp": 0.2, "arcface": 0.1}}
    board_of(tmp_path, [record("a", eers=eers), record("a", "erase")])
    further = {"direct-decode": ["mblbp", "arcface"]}
    pages = regenerate(tmp_path, CurrentDigests(further_recognisers={"demo": further}))
    page = pages[tmp_path / "demo.md"]
    said = "Every attack is seen through lbp, net; direct-decode also through mblbp and arcface."
    assert said in page
    assert "recognisers: lbp, net; direct-decode also through mblbp and arcface;" in pages[tmp_path / "README.md"]
    assert row_of(page, r"\| setting +\| attack +\| comparison") == ["setting", "attack", "comparison", "lbp", "net"]
    beside = page.partition("### direct-decode through all of its recognisers")[2]
    assert row_of(beside, r"\| setting") == ["setting", "comparison", "lbp", "mblbp", "arcface", "net"]
    assert row_of(beside, r"\| a ") == ["a", "protected-protected", "40.00", "20.00", "10.00", "30.00"]
    own = beside.partition("with intervals")[2]
    assert row_of(own, r"\| a ")[2:] == ["protected-protected", "20.00 (19.00 to 21.00)", "10.00 (9.00 to 11.00)"]
    assert "10.00 (9.00 to 11.00)" in row_of(pages[tmp_path / "README.md"], r"\| *1 \|")


def test_a_protocol_without_further_recognisers_has_the_page_it_had(folder):
    assert regenerate(folder, CurrentDigests(further_recognisers={"demo": {"direct-decode": []}})) == regenerate(folder)
