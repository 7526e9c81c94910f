"""Key scenarios: which apply to what, through which eyes, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from made_submissions import ATTACK, write_submission

from benchmark.errors import InvalidInputError
from benchmark.plan import Plan, plan
from benchmark.protocol_schema import Protocol
from benchmark.scenarios import SETS, scenarios_of, sets_of
from benchmark.submission import AttackManifest, ProtectorManifest, discover, load_submission

NOTHING = "class Method:\n    pass\n"
POLICIES = ["sample", "subject", "system"]
PROTECTOR = {"kind": "protector", "id": "p", "version": "1", "title": "P", "authors": ["A"], "licence": "MIT",
             "entry": "m.py:M", "reversible": False, "deterministic": True, "keys": POLICIES}  # fmt: skip


def protocol(**keys: object) -> Protocol:
    content: dict[str, object] = {
        "id": "keyed",
        "title": "Keyed",
        "path": "keyed.yaml",
        "dataset": {"id": "synthetic"},
        "samples": {"file": "x.txt", "sha256": "0" * 64},
        "scenarios": list(SETS),
        "keys": {"seed": "x"},
        "protectors": [{"id": "warp"}, {"id": "blur"}, {"id": "hash"}],
        "attacks": [{"id": "direct"}, {"id": "undo"}, {"id": "link"}, {"id": "invert"}],
        "recognisers": ["lbp", "mobilefacenet-ms1m"],
        "metrics": ["eer", "revoked_match_rate", "key_sensitivity"],
        **keys,
    }
    return Protocol.model_validate(content)


def protector(**changes: Any) -> ProtectorManifest:
    return ProtectorManifest.model_validate({**PROTECTOR, "domain": "sample", **changes})


def attack(**changes: Any) -> AttackManifest:
    return AttackManifest.model_validate({**ATTACK, "id": "a", "domains": ["sample", "template"], **changes})


@pytest.mark.parametrize(
    ("protecting", "attacking", "expected"),
    [
        ({}, {"returns": "protected"}, list(SETS)),
        ({"keyed": False}, {"returns": "protected"}, ["same-key", "protected-original"]),
        ({"domain": "template"}, {"returns": "protected"}, [s for s in SETS if s != "protected-original"]),
        ({}, {"returns": "images"}, ["protected-original"]),
        ({"domain": "template"}, {"returns": "images"}, []),
        ({"domain": "template"}, {"returns": "templates"}, ["protected-original"]),
        ({}, {"returns": "embeddings", "takes": "templates"}, ["different-keys"]),
        ({"keyed": False}, {"returns": "embeddings", "takes": "templates"}, []),
        ({}, {"returns": "images", "domains": ["codestream"]}, []),
    ],
)
def test_an_attack_is_scored_where_what_it_returns_can_be_compared(
    protecting: dict[str, Any], attacking: dict[str, Any], expected: list[str]
) -> None:
    assert list(scenarios_of(protocol(), protector(**protecting), attack(**attacking))) == expected


def test_a_set_is_protected_once_however_many_scenarios_compare_it() -> None:
    direct, keyed = attack(returns="protected"), protector()
    every = scenarios_of(protocol(), keyed, direct)
    both = ["eer", "revoked_match_rate", "key_sensitivity"]
    assert set(sets_of(every, keyed, direct, both)) == {"system", "subject", "sample", "flipped", "stolen"}
    assert sets_of(("different-keys",), keyed, direct, ["eer"]) == ("sample",)
    assert sets_of(("different-keys",), keyed, direct, both[:2]) == ("sample", "subject")
    assert sets_of(("different-keys",), keyed, direct, both[2:]) == ("sample", "flipped")
    assert sets_of(("different-keys",), keyed, attack(returns="embeddings"), both) == ("sample",)
    assert sets_of(("same-key", "protected-original"), protector(keyed=False), direct, both) == ("system",)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_submission(tmp_path, "warp", NOTHING, keys=POLICIES)
    write_submission(tmp_path, "blur", NOTHING, keys=POLICIES, keyed=False)
    write_submission(tmp_path, "hash", NOTHING, keys=POLICIES, domain="template", reversible=False)
    write_submission(tmp_path, "cipher", NOTHING, domain="codestream")
    write_submission(tmp_path, "once", NOTHING)
    write_submission(tmp_path, "look", NOTHING, ATTACK)
    write_submission(tmp_path, "direct", NOTHING, ATTACK, domains=["sample", "template"], returns="protected")
    write_submission(tmp_path, "undo", NOTHING, ATTACK, protectors=["warp"])
    linking = {"returns": "embeddings", "takes": "templates"}
    write_submission(tmp_path, "link", NOTHING, ATTACK, domains=["sample", "template"], **linking)
    write_submission(tmp_path, "invert", NOTHING, ATTACK, domains=["template"], returns="templates")
    return tmp_path


def planned(folder: Path, given: Protocol | None = None, **filters: list[str]) -> Plan:
    return plan(given or protocol(), discover([folder]), **filters)


def test_jobs_are_seen_by_the_recognisers_whose_templates_they_are_made_for(folder: Path) -> None:
    both, cosine = ("lbp", "mobilefacenet-ms1m"), ("mobilefacenet-ms1m",)
    assert {job.name: job.recognisers for job in planned(folder).jobs} == {
        "warp / direct": both,
        "warp / undo": both,
        "warp / link": both,
        "blur / direct": both,
        "hash / direct": cosine,
        "hash / link": cosine,
        "hash / invert": cosine,
    }
    assert planned(folder, recognisers=["lbp"], protectors=["hash"]).jobs == ()


@pytest.mark.parametrize(
    ("listed", "said"),
    [
        ({"protectors": [{"id": "cipher"}]}, "cipher encrypts files; keyed compares every two samples"),
        ({"protectors": [{"id": "once"}]}, "once may not be used under the key policy 'subject'"),
    ],
)
def test_protectors_that_cannot_be_judged_so_are_refused(folder: Path, listed: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidInputError, match=said):
        planned(folder, protocol(**listed))


@pytest.mark.parametrize("name", ["direct", "invert", "link"])
def test_attacks_for_key_scenarios_are_refused_on_a_pair_list(folder: Path, name: str) -> None:
    pairs = {"samples": None, "scenarios": None, "pairs": {"file": "x.csv", "sha256": "0" * 64}}
    given = protocol(
        **pairs, comparisons=["protected-protected"], keys={"policy": "sample", "seed": "x"}, metrics=["eer"],
        protectors=[{"id": "warp"}], attacks=[{"id": "look"}, {"id": name}],
    )  # fmt: skip
    with pytest.raises(InvalidInputError, match=f"{name} is for protocols with `scenarios:`"):
        planned(folder, given)


def test_template_protectors_are_refused_on_a_pair_list(folder: Path) -> None:
    pairs = {"samples": None, "scenarios": None, "pairs": {"file": "x.csv", "sha256": "0" * 64}}
    given = protocol(
        **pairs, comparisons=["protected-protected"], keys={"policy": "sample", "seed": "x"}, metrics=["eer"],
        protectors=[{"id": "hash"}], attacks=[{"id": "look"}],
    )  # fmt: skip
    with pytest.raises(InvalidInputError, match="hash protects templates"):
        planned(folder, given)


@pytest.mark.parametrize(
    ("manifest", "said"),
    [
        ({"domains": ["codestream"], "returns": "protected"}, "returns: protected is for the domains sample and templ"),
        ({"domains": ["codestream"], "takes": "templates"}, "takes: a recogniser makes no templates of files"),
        ({"domains": ["sample"], "returns": "templates"}, "returns: templates come of templates"),
        ({"returns": "protected", "threat_model": ["key"]}, "returns: protected data go to the comparator as they are"),
        ({"disclosure": "some"}, "disclosure: 'some' is not one of naive, advanced, full"),
    ],
)
def test_what_an_attack_takes_and_returns_has_to_fit_its_domains(
    tmp_path: Path, manifest: dict[str, Any], said: str
) -> None:
    with pytest.raises(InvalidInputError, match=said):
        load_submission(write_submission(tmp_path, "tried", NOTHING, ATTACK, **manifest))
