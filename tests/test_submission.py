"""Manifests: every error at once, parameters, presets, discovery."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from made_submissions import ATTACK, PROTECTOR, made, write_submission

from benchmark.errors import InvalidInputError
from benchmark.submission import AttackManifest, Parameter, ProtectorManifest, discover, load_submission

PARAMETERS = {
    "offset": {"type": "float", "default": 0, "minimum": 0, "maximum": 100, "unit": "%"},
    "layers": {"type": "int", "default": 12, "minimum": 1},
    "order": {"type": "choice", "choices": ["layer", "resolution"], "default": "layer"},
    "marks": {"type": "bool", "default": False},
    "note": {"type": "str", "default": ""},
}
PRESETS = {"late": {"offset": 6, "order": "resolution"}}


def test_parameters_are_default_preset_and_given_in_that_order(tmp_path: Path) -> None:
    submission = made(tmp_path, "window", "", parameters=PARAMETERS, presets=PRESETS, prepare=["layers"])
    assert submission.resolve({}) == {"offset": 0.0, "layers": 12, "order": "layer", "marks": False, "note": ""}
    resolved = submission.resolve({"offset": "7.5", "layers": 3.0}, "late")
    assert resolved == {"offset": 7.5, "layers": 3, "order": "resolution", "marks": False, "note": ""}
    types = {name: type(value) for name, value in resolved.items()}
    assert types == {"offset": float, "layers": int, "order": str, "marks": bool, "note": str}
    assert submission.chosen({"marks": True}, "late") == {"offset": 6.0, "order": "resolution", "marks": True}


def test_all_unfit_parameters_are_reported_together(tmp_path: Path) -> None:
    submission = made(tmp_path, "window", "", parameters=PARAMETERS, presets=PRESETS)
    with pytest.raises(InvalidInputError) as caught:
        submission.resolve({"ofset": 1, "offset": 101, "layers": 1.5, "order": "resolutoin", "marks": 1, "note": 2})
    assert str(caught.value).splitlines() == [
        "window: ofset: unknown parameter; did you mean 'offset'?",
        "window: offset: 101 is above its maximum 100",
        "window: layers: 1.5 is not of type int",
        "window: order: 'resolutoin' is not one of its choices; did you mean 'resolution'?",
        "window: marks: 1 is not of type bool",
        "window: note: 2 is not of type str",
    ]
    with pytest.raises(InvalidInputError, match="unknown preset of window 'lat'; did you mean 'late'"):
        submission.resolve({}, "lat")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "x", None, True, [1], -1, 10**400])
def test_no_number_that_is_none_passes(value: Any) -> None:
    with pytest.raises(ValueError, match=r"is not of type float|below its minimum"):
        Parameter(type="float", default=0, minimum=0).accept(value)


def test_a_large_integer_keeps_its_digits() -> None:
    assert Parameter(type="int", default=0).accept(2**63 + 1) == 2**63 + 1


def test_every_error_of_a_manifest_with_its_line(tmp_path: Path) -> None:
    folder = tmp_path / "protectors" / "broken"
    folder.mkdir(parents=True)
    (folder / "submission.yaml").write_text("""\
kind: protector
id: other
version: new
title: x
authors: []
licence: MIT
entry: method.py:Method
domain: codestreams
reversible: true
deterministic: true
key: [sample]
prepare: [layer]
format: jpeg
lossy: true
parameters:
  layers: {type: int, default: 0, minimum: 1}
  order: {type: choice, default: a}
  class: {type: bool, default: false}
  size: {type: flaot, default: 1}
presets: {p: {layers: 0, sizes: 3, size: 4}}
""")
    with pytest.raises(InvalidInputError) as caught:
        load_submission(folder)
    found = [line.removeprefix(f"{folder / 'submission.yaml'}:") for line in str(caught.value).splitlines()]
    assert [line.partition(": ")[0] + ": " + line.split(": ")[1] for line in found] == [
        "1: keys",
        "2: id",
        "3: version",
        "5: authors",
        "7: entry",
        "8: domain",
        "11: key",
        "12: prepare.0",
        "13: format",
        "14: lossy",
        "16: parameters.layers.default",
        "17: parameters.order",
        "18: parameters.class",
        "19: parameters.size.type",
        "20: presets.p.layers",
        "20: presets.p.sizes",
    ]
    said = str(caught.value)
    for words in ("did you mean 'codestream'?", "did you mean 'keys'?", "did you mean 'layers'?", "no method.py"):
        assert words in said


def test_only_samples_and_templates_may_be_protected_without_a_key(tmp_path: Path) -> None:
    assert made(tmp_path, "keyed", "").protector.keyed
    assert not made(tmp_path, "blur", "", keyed=False).protector.keyed
    with pytest.raises(InvalidInputError, match="keyed: is for the domains sample and template"):
        made(tmp_path, "file", "", domain="codestream", format="opaque", keyed=False)


def test_names_of_presets_are_those_of_the_literature_in_small_letters(tmp_path: Path) -> None:
    presets: dict[str, Any] = {"warp_8_4": {}, "lw0.5o3-bodies": {}}
    assert set(made(tmp_path, "warp", "", presets=presets).protector.presets) == set(presets)
    for number, name in enumerate(["_warp", "Warp", "../warp", "a b"]):
        with pytest.raises(InvalidInputError, match="presets"):
            made(tmp_path, f"other-{number}", "", presets={name: {}})


def test_an_unknown_kind_is_said_first(tmp_path: Path) -> None:
    folder = write_submission(tmp_path, "x", "", {**PROTECTOR, "kind": "recogniser"})
    with pytest.raises(InvalidInputError, match="neither `protector` nor `attack`"):
        load_submission(folder)


def test_kinds_have_manifests_of_their_own(tmp_path: Path) -> None:
    protector, attack = made(tmp_path, "p", ""), made(tmp_path, "a", "", ATTACK, threat_model=["window"])
    assert isinstance(protector.protector, ProtectorManifest)
    assert isinstance(attack.attack, AttackManifest)
    assert attack.attack.threat_model == ("window",)
    with pytest.raises(InvalidInputError, match="an attack is needed"):
        _ = protector.attack
    with pytest.raises(InvalidInputError, match="a protector is needed"):
        _ = attack.protector


def test_discovery_imports_nothing_and_reports_all_faults(tmp_path: Path) -> None:
    write_submission(tmp_path / "one", "good", "raise SystemExit('imported')")
    write_submission(tmp_path / "one", "good", "", ATTACK)
    assert list(discover([tmp_path / "one"])) == [("attack", "good"), ("protector", "good")]
    write_submission(tmp_path / "two", "good", "")
    write_submission(tmp_path / "two", "bad", "", domain="x")
    misplaced = write_submission(tmp_path / "two", "moved", "", ATTACK)
    misplaced.rename(tmp_path / "two" / "protectors" / "moved")
    with pytest.raises(InvalidInputError) as caught:
        discover([tmp_path / "one", tmp_path / "two"])
    said = str(caught.value)
    assert "domain: 'x' is not one of" in said
    assert "taken by" in said
    assert "attack, but under protectors/" in said
