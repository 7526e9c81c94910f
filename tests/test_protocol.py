"""Protocols: every error at once, digests, splits, keys."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from made_submissions import ATTACK, made

from benchmark import locations
from benchmark.errors import InvalidInputError
from benchmark.protocol import Protocol, load_protocol, protocol_files
from benchmark.submission import Submission

PAIRS = "fold,genuine,a,b\n1,1,s1/0,s1/1\n1,0,s1/0,s2/0\n"
WINDOW = {
    "offset": {"type": "float", "default": 0, "minimum": 0, "maximum": 100},
    "size": {"type": "float", "default": 4, "minimum": 0, "maximum": 100},
}


@pytest.fixture
def submissions(tmp_path: Path) -> dict[tuple[str, str], Submission]:
    presets = {"late": {"offset": 6.0}}
    return {
        ("protector", "window"): made(tmp_path / "s", "window", "", parameters=WINDOW, presets=presets),
        ("attack", "decode"): made(tmp_path / "s", "decode", "", ATTACK),
    }


Load = Callable[..., Protocol]


@pytest.fixture
def load(tmp_path: Path, submissions: dict[tuple[str, str], Submission]) -> Load:
    """Load a small protocol with some keys changed (None takes one out)."""

    def loader(_pairs: str = PAIRS, **changes: Any) -> Protocol:
        (tmp_path / "pairs.csv").write_text(_pairs)
        content = {
            "id": "small",
            "title": "Small",
            "dataset": {"id": "synthetic"},
            "pairs": {"file": "pairs.csv", "sha256": hashlib.sha256(PAIRS.encode()).hexdigest()},
            "comparisons": ["protected-protected"],
            "keys": {"policy": "sample", "seed": "tests"},
            "protectors": [{"id": "window"}],
            "attacks": [{"id": "decode"}],
            "recognisers": ["lbp"],
            "metrics": ["eer"],
        } | changes
        path = tmp_path / "small.yaml"
        path.write_text(yaml.safe_dump({key: value for key, value in content.items() if value is not None}))
        return load_protocol(path, submissions=submissions)

    return loader


def _said(load: Load, **changes: Any) -> str:
    with pytest.raises(InvalidInputError) as caught:
        load(**changes)
    return str(caught.value)


def test_the_template_documents_every_key_and_loads(submissions: dict[tuple[str, str], Submission]) -> None:
    folder = (locations.checkout() or Path()) / "protocols"
    plain = {("protector", "identity"): submissions["protector", "window"]}
    attack = {("attack", "direct-decode"): submissions["attack", "decode"]}
    protocol = load_protocol(folder / "_template.yaml", submissions=plain | attack)
    written = yaml.safe_load((folder / "_template.yaml").read_text())
    assert set(written) == set(Protocol.model_fields) - {"path"}
    for key in ("limits", "bootstrap", "recovery", "visual", "dataset", "pairs"):
        assert set(written[key]) == set(type(getattr(protocol, key)).model_fields)


def test_presets_are_merged_under_the_parameters_and_name_the_setting(load: Load) -> None:
    entries = [{"id": "window", "preset": "late", "parameters": {"size": 2}}, {"id": "window", "name": "x"}]
    protocol = load(protectors=entries)
    assert [entry.label for entry in protocol.protectors] == ["window@late", "window@x"]
    assert protocol.protectors[0].parameters == {"offset": 6.0, "size": 2.0}


def test_every_error_is_reported_with_its_line(load: Load) -> None:
    said = _said(
        load,
        titel="x",
        dataset={"id": "synthetics"},
        comparisons=["protected-orignal"],
        keys={"policy": "sample"},
        protectors=[{"id": "windw"}, {"id": "window", "preset": "lat"}, {"id": "window", "parameters": {"size": 1}}],
        attacks=[{"id": "decode", "name": "a", "parameters": {"x": 1}}],
        recognisers=["lpb"],
        metrics=["eer", "err", "fnmr_at_fmr_0.010"],
        bootstrap={"resamples": 0},
        recovery={"samples": "some"},
    )
    for words in (
        "titel: unknown key; did you mean 'title'?",
        "unknown data set 'synthetics'; did you mean 'synthetic'?",
        "did you mean 'protected-original'?",
        "needs either `seed`",
        "unknown protector 'windw'; did you mean 'window'?",
        "unknown preset of window 'lat'; did you mean 'late'?",
        "parameters need a `name:`",
        "decode: x: unknown parameter",
        "unknown recogniser 'lpb'; did you mean 'lbp'?",
        "unknown metric 'err'; did you mean 'eer'?",
        "unknown metric 'fnmr_at_fmr_0.010'",
        "bootstrap.resamples: input should be greater than or equal to 1",
        "recovery.samples: ",
    ):
        assert words in said
    assert all(":" in line and line.split("small.yaml:")[1].split(":")[0].isdigit() for line in said.splitlines())


def test_a_window_ends_within_the_stream(load: Load) -> None:
    wide = {"id": "window", "name": "wide", "parameters": {"offset": 97}}
    assert "the window ends at 101 %: offset + size may be 100 at most" in _said(load, protectors=[wide])
    assert load(protectors=[{**wide, "parameters": {"offset": 96}}])


def test_wrong_types_and_repeated_settings(load: Load) -> None:
    assert "protectors.0.parameters.size: window: size: 'x' is not of type float" in _said(
        load, protectors=[{"id": "window", "name": "n", "parameters": {"size": "x"}}]
    )
    assert "window occurs twice" in _said(load, protectors=[{"id": "window"}, {"id": "window"}])
    assert "'lbp' occurs twice" in _said(load, recognisers=["lbp", "lbp"])


def test_split_files_have_their_digest(load: Load) -> None:
    assert "a changed split is a new protocol" in _said(load, _pairs=PAIRS + "1,0,s1/0,s3/0\n")
    assert "there is no file" in _said(load, pairs={"file": "none.csv", "sha256": "0" * 64})


def test_a_split_of_one_kind_of_pairs_is_refused(load: Load) -> None:
    pairs = PAIRS.splitlines(keepends=True)[0] + PAIRS.splitlines(keepends=True)[1]
    split = {"file": "pairs.csv", "sha256": hashlib.sha256(pairs.encode()).hexdigest()}
    with pytest.raises(InvalidInputError, match=r"pairs\.csv: needs genuine and impostor pairs"):
        load(_pairs=pairs, pairs=split).read_pairs()


def test_an_attacker_learns_from_other_subjects(load: Load, tmp_path: Path) -> None:
    def split(text: str) -> dict[str, str]:
        (tmp_path / "learn.txt").write_text(text)
        return {"file": "learn.txt", "sha256": hashlib.sha256(text.encode()).hexdigest()}

    assert load(attacker=split("s8/0\ns9/1\n")).attacker_ids() == ("s8/0", "s9/1")
    assert load().attacker_ids() == ()
    assert "shares 1 subjects with the pairs: s2" in _said(load, attacker=split("s8/0\ns2/7\n"))
    assert "learn.txt:2: expected a sample id" in _said(load, attacker=split("s8/0\ns9\n"))
    assert "learn.txt:2: 's8/0' occurs twice" in _said(load, attacker=split("s8/0\ns8/0\n"))


def test_the_digest_names_what_can_change_a_result(load: Load) -> None:
    first = load().digest
    assert load().digest == first
    assert load(title="Another", description="x", limits={"memory_gib": 2}).digest == first
    pixels = "0" * 64  # stand in every record by themselves
    assert load(dataset={"id": "synthetic", "digest": pixels}).digest == load(dataset={"id": "synthetic"}).digest
    # Each record carries its own setting.
    assert load(protectors=[{"id": "window", "name": "late", "parameters": {"offset": 6}}]).digest == first
    others = [
        load(keys={"policy": "sample", "seed": "others"}),
        load(keys={"policy": "subject", "seed": "tests"}),
        load(metrics=["auc"]),
    ]
    assert len({first, *(protocol.digest for protocol in others)}) == 4


def test_the_master_key_comes_from_the_seed_or_a_file(load: Load, tmp_path: Path) -> None:
    assert len(load().master_key()) == 32
    assert load().master_key() == load().master_key() != load(keys={"policy": "sample", "seed": "x"}).master_key()
    hosted = load(keys={"policy": "sample", "secret_file": "key.bin"})
    with pytest.raises(InvalidInputError, match="cannot be read"):
        hosted.master_key()
    for content in (bytes(range(32)), bytes(range(32)).hex().encode() + b"\n"):
        (tmp_path / "key.bin").write_bytes(content)
        assert hosted.master_key() == bytes(range(32))
    digest = hosted.digest
    with pytest.raises(InvalidInputError, match="32 bytes, or 64 hex digits"):  # and does not read on for ever
        load(keys={"policy": "sample", "secret_file": "/dev/zero"}).master_key()
    for content in (b"", bytes(31), b"zz" * 32):
        (tmp_path / "key.bin").write_bytes(content)
        with pytest.raises(InvalidInputError, match="32 bytes, or 64 hex digits"):
            hosted.master_key()
    assert load(keys={"policy": "sample", "secret_file": "other.bin"}).digest == digest
    assert "needs either" in _said(load, keys={"policy": "sample", "seed": "x", "secret_file": "y"})


def test_ids_and_file_names_are_found(
    load: Load, tmp_path: Path, submissions: dict[tuple[str, str], Submission], monkeypatch: pytest.MonkeyPatch
) -> None:
    load()
    (tmp_path / "small.yaml").rename(tmp_path / "file.yaml")
    (tmp_path / "_template.yaml").write_text("id: template\n")
    monkeypatch.setattr(locations, "protocol_folders", lambda: [tmp_path])
    assert protocol_files() == {"small": tmp_path / "file.yaml"}
    assert load_protocol("small", submissions=submissions).id == "small"
    assert load_protocol("file", submissions=submissions).id == "small"
    with pytest.raises(InvalidInputError, match="unknown protocol 'smal'; did you mean 'small'"):
        load_protocol("smal", submissions=submissions)
    with pytest.raises(InvalidInputError, match="cannot be read"):
        load_protocol("none/small.yaml", submissions=submissions)


def test_further_recognisers_are_named_with_attacks_of_the_protocol(load: Load) -> None:
    attacks = [{"id": "decode"}, {"id": "decode", "name": "again"}]
    given = {"recognisers": ["mobilefacenet-ms1m"], "attacks": ["decode@again"]}
    protocol = load(attacks=attacks, further_recognisers=given)
    assert protocol.further_for("decode@again", "decode") == ("mobilefacenet-ms1m",)
    assert protocol.further_for("decode", "decode") == ()
    by_id = load(attacks=attacks, further_recognisers={**given, "attacks": ["decode"]})
    assert by_id.further_for("decode@again", "decode") == ("mobilefacenet-ms1m",)
    assert load().further_for("decode", "decode") == ()


def test_further_recognisers_are_no_part_of_the_digest(load: Load) -> None:
    given = {"recognisers": ["mobilefacenet-ms1m"], "attacks": ["decode"]}
    assert load(further_recognisers=given).digest == load().digest


def test_faults_in_further_recognisers_are_reported_with_their_lines(
    load: Load, submissions: dict[tuple[str, str], Submission], tmp_path: Path
) -> None:
    submissions["attack", "leak"] = made(tmp_path / "s", "leak", "", ATTACK, returns="embeddings")
    said = _said(
        load,
        attacks=[{"id": "decode"}, {"id": "leak"}],
        further_recognisers={"recognisers": ["lpb", "lbp"], "attacks": ["decod", "leak"]},
    )
    for words in (
        "further_recognisers.recognisers.0: unknown recogniser 'lpb'; did you mean 'lbp'?",
        "further_recognisers.recognisers.1: 'lbp' sees every attack already",
        "further_recognisers.attacks.0: no attack of this protocol is called 'decod'; did you mean 'decode'?",
        "further_recognisers.attacks.1: leak returns embeddings",
    ):
        assert words in said
    assert len({line.split(":")[1] for line in said.splitlines()}) == 4
    twice = {"recognisers": ["mobilefacenet-ms1m"] * 2, "attacks": ["decode"]}
    assert "'mobilefacenet-ms1m' occurs twice" in _said(load, further_recognisers=twice)
    assert "further_recognisers.attack: unknown key" in _said(
        load, further_recognisers={"recognisers": ["mobilefacenet-ms1m"], "attack": ["decode"]}
    )


def test_an_onnx_file_is_a_recogniser_where_it_is_described(load: Load, tmp_path: Path) -> None:
    file = tmp_path / "mine.onnx"
    file.write_bytes(b"read only when it is used")
    assert "mine.onnx: no description beside it" in _said(load, recognisers=[f"onnx:{file}"])
    described = {"size": [112, 112], "mean": [0, 0, 0], "std": [1, 1, 1], "channels": "RGB", "layout": "NCHW"}
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump({**described, "dimension": 8}))
    assert load(recognisers=["lbp", f"onnx:{file}"]).recognisers == ("lbp", f"onnx:{file}")
