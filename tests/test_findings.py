"""The page of findings says what the committed records say, and is not written where they do not bear it out."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def findings(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    monkeypatch.delitem(sys.modules, "write_findings", raising=False)
    import write_findings

    return write_findings


def test_the_page_is_what_the_records_make_it(findings):
    assert findings.PAGE.read_text(encoding="utf-8") == findings.page()


def test_a_sentence_that_the_records_do_not_bear_out_stops_the_page(findings, tmp_path, monkeypatch):
    page = tmp_path / "claims.md"
    text = "{{ require(low('lfw-jpeg2000-named', 'lw4o6-document', 'known-window-erase', 'lbp') > 60, 'LBP is lost') }}"
    page.with_suffix(".md.j2").write_text(text)
    monkeypatch.setattr(findings, "PAGE", page)
    with pytest.raises(SystemExit, match="no longer true: LBP is lost"):
        findings.page()


def test_positions_are_said_in_ranges(findings):
    assert findings.ranges([0, 2, 3, 4, 9]) == "0, 2 to 4, 9"
    assert findings.ranges([]) == "no offset"


def test_a_size_is_needed_from_which_on_the_share_stays_lost(findings, monkeypatch):
    lost = {1: 60, 2: 40, 3: 55, 4: 90}
    monkeypatch.setattr(findings, "positions", lambda *_, **__: {float(size): f"w{size}" for size in lost})
    monkeypatch.setattr(findings, "lost", lambda protocol, setting, *_: lost[int(setting[1:])])
    assert findings.needed("document", "layer", "direct-decode", "lbp") == 3
    assert findings.needed("document", "layer", "direct-decode", "lbp", 95) is None
    assert findings.where_lost("small", "offset", "bodies", "layer", "direct-decode", "lbp", 55) == [1, 3, 4]


def test_an_attack_is_counted_where_none_is_stronger_and_where_it_beats_both(findings, monkeypatch):
    shares = {"a": (40, 30, 20), "b": (20, 30, 28), "c": (30, 20, 18)}  # decoded, erased, zeros
    attacks = ["direct-decode", "known-window-erase", "byte-replacement"]
    monkeypatch.setattr(findings, "windows", lambda: [("p", setting) for setting in shares])
    monkeypatch.setattr(findings, "attacks_run", lambda _: [*attacks, "header-leak"])
    results = {attack: {findings.BOTH: {"lbp": {}}} for attack in attacks} | {"header-leak": {findings.BOTH: {}}}
    monkeypatch.setattr(findings, "record", lambda _, __, attack: SimpleNamespace(results=results[attack]))
    monkeypatch.setattr(findings, "percent", lambda _, setting, attack, __: shares[setting][attacks.index(attack)])
    assert [findings.times_lowest(attack, "lbp") for attack in attacks] == [1, 0, 2]
    assert findings.below_both("byte-replacement", "lbp", 2) == [("p", "a"), ("p", "c")]
    assert findings.below_both("byte-replacement", "lbp", 3) == [("p", "a")]
