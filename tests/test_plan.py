"""Plans: which jobs a protocol gives, what filters do, what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from made_submissions import ATTACK, write_submission

from benchmark.errors import InvalidInputError
from benchmark.plan import Plan, plan
from benchmark.protocol_schema import Protocol
from benchmark.submission import discover

NOTHING = "class Method:\n    pass\n"


def protocol(**keys: object) -> Protocol:
    content: dict[str, object] = {
        "id": "planned",
        "title": "Planned",
        "path": "planned.yaml",
        "dataset": {"id": "synthetic"},
        "pairs": {"file": "x.csv", "sha256": "0" * 64},
        "comparisons": ["protected-protected"],
        "keys": {"policy": "sample", "seed": "x"},
        "protectors": [{"id": "mirror"}, {"id": "cipher", "name": "half", "parameters": {"share": 0.5}}],
        "attacks": [{"id": "look"}, {"id": "decode"}],
        "recognisers": ["lbp", "mobilefacenet-ms1m"],
        "metrics": ["eer"],
        **keys,
    }
    return Protocol.model_validate(content)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    share = {"share": {"type": "float", "default": 1.0}}
    write_submission(tmp_path, "mirror", NOTHING, keys=["sample", "subject", "system"])
    write_submission(tmp_path, "cipher", NOTHING, domain="codestream", parameters=share)
    write_submission(tmp_path, "guest", NOTHING)
    write_submission(tmp_path, "look", NOTHING, ATTACK)
    write_submission(tmp_path, "decode", NOTHING, ATTACK, domains=["codestream", "sample"])
    write_submission(tmp_path, "learner", NOTHING, ATTACK, threat_model=["pairs"])
    return tmp_path


def planned(folder: Path, given: Protocol | None = None, **filters: list[str]) -> Plan:
    return plan(given or protocol(), discover([folder]), **filters)


def test_attacks_meet_the_protectors_of_their_domains(folder: Path) -> None:
    found = planned(folder)
    assert [job.name for job in found.jobs] == ["mirror / look", "mirror / decode", "cipher@half / decode"]
    assert found.jobs[2].protector.parameters == {"share": 0.5}
    assert found.recognisers == ("lbp", "mobilefacenet-ms1m")
    assert found.lines()[0].startswith("planned: 3 jobs")


def test_attacks_meet_the_codestreams_of_their_formats(folder: Path) -> None:
    write_submission(folder, "conceal", NOTHING, ATTACK, domains=["codestream"], formats=["jpeg2000"])
    write_submission(folder, "window", NOTHING, domain="codestream", format="jpeg2000")
    found = planned(folder, protectors=["cipher", "window"], attacks=["conceal", "decode"])
    assert [job.name for job in found.jobs] == ["cipher@half / decode", "window / decode", "window / conceal"]


def test_filters_name_an_id_or_a_setting(folder: Path) -> None:
    by_setting = planned(folder, protectors=["cipher@half"])
    by_id = planned(folder, protectors=["cipher"])
    assert by_setting.jobs == by_id.jobs
    assert planned(folder, attacks=["look"], recognisers=["lbp"]).recognisers == ("lbp",)


def test_a_recogniser_joins_that_the_protocol_does_not_list(folder: Path) -> None:
    found = planned(folder, recognisers=["mobilefacenet-casia+flip", "lbp"])
    assert found.recognisers == ("lbp", "mobilefacenet-casia+flip")
    assert all(job.recognisers == ("lbp", "mobilefacenet-casia+flip") for job in found.jobs)
    assert found.partial  # what comes of it is no record of the protocol
    with pytest.raises(InvalidInputError, match="no such ONNX file"):
        planned(folder, recognisers=["onnx:none.onnx"])


def test_an_installed_submission_joins_with_its_defaults(folder: Path) -> None:
    found = planned(folder, protectors=["guest"])
    assert [job.name for job in found.jobs] == ["guest / look", "guest / decode"]


def test_equal_code_and_parameters_have_one_digest_and_others_another(folder: Path) -> None:
    [_, _, job] = planned(folder).jobs
    [_, _, again] = planned(folder).jobs
    other = protocol(protectors=[{"id": "cipher", "name": "half", "parameters": {"share": 0.25}}])
    assert job.protector.digest == again.protector.digest
    assert planned(folder, other).jobs[0].protector.digest != job.protector.digest


@pytest.mark.parametrize(
    ("filters", "message"),
    [
        ({"protectors": ["miror"]}, r"unknown protector 'miror'; did you mean 'mirror'\?"),
        ({"protectors": ["cipher@hal"]}, r"did you mean 'cipher@half'\?"),
        ({"attacks": ["lok"]}, r"unknown attack 'lok'; did you mean 'look'\?"),
        ({"recognisers": ["lpb"]}, r"unknown recogniser 'lpb'; did you mean 'lbp'\?"),
        ({"attacks": ["learner"]}, "has no attacker's split"),
    ],
)
def test_what_is_unknown_or_impossible_is_refused(folder: Path, filters: dict[str, list[str]], message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        planned(folder, **filters)


def test_a_keystream_cipher_is_refused_under_a_shared_key(folder: Path) -> None:
    with pytest.raises(InvalidInputError, match="its keystream would repeat"):
        planned(folder, protocol(keys={"policy": "system", "seed": "x"}))


FURTHER = {"recognisers": ["mobilefacenet-casia"], "attacks": ["decode"]}


def test_further_recognisers_see_the_attacks_that_are_named_and_no_other(folder: Path) -> None:
    found = planned(folder, protocol(further_recognisers=FURTHER))
    common = ("lbp", "mobilefacenet-ms1m")
    everyone = (*common, "mobilefacenet-casia")
    assert [job.recognisers for job in found.jobs] == [common, everyone, everyone]
    assert found.recognisers == everyone
    assert found.lines() == [
        "planned: 3 jobs, recognisers lbp, mobilefacenet-ms1m",
        "  mirror / look",
        "  mirror / decode (also mobilefacenet-casia)",
        "  cipher@half / decode (also mobilefacenet-casia)",
    ]


def test_only_recognisers_that_see_a_job_are_asked(folder: Path) -> None:
    assert planned(folder, protocol(further_recognisers=FURTHER), attacks=["look"]).recognisers == (
        "lbp",
        "mobilefacenet-ms1m",
    )


def test_a_choice_of_recognisers_makes_a_plan_partial(folder: Path) -> None:
    given = protocol(further_recognisers=FURTHER)
    chosen = planned(folder, given, recognisers=["mobilefacenet-casia"])
    assert [job.name for job in chosen.jobs] == ["mirror / decode", "cipher@half / decode"]
    assert chosen.partial
    assert planned(folder, given, recognisers=["lbp", "mobilefacenet-ms1m"]).partial
    assert not planned(folder, given, recognisers=["lbp", "mobilefacenet-ms1m", "mobilefacenet-casia"]).partial
    assert not planned(folder, given).partial


def test_an_attack_that_returns_embeddings_is_seen_by_no_recogniser(folder: Path) -> None:
    write_submission(folder, "own-eyes", NOTHING, ATTACK, returns="embeddings")
    found = planned(folder, protocol(attacks=[{"id": "own-eyes"}]), recognisers=["lbp"])
    assert [job.recognisers for job in found.jobs] == [()]
    assert found.recognisers == ()
