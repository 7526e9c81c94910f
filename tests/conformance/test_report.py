"""What `veilbench validate` finds, on submissions that are sound and on those that each break one promise."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from made_submissions import ATTACK, PROTECTOR, write_submission

from benchmark.conformance import Report, validate
from benchmark.errors import InvalidInputError
from benchmark.protocol_schema import Limits

LIMITS = Limits(seconds_per_sample=5, seconds_to_start=30)

#: A sound protector in the domain `sample`; tests replace one line of it.
SOUND = """
class Method(Protector):
    def protect(self, prepared, keys, *, generator):
        return self.crypt(prepared, keys)
    def recover(self, protected, keys):
        return self.crypt(protected, keys)
    def crypt(self, samples, keys):
        streams = [np.random.default_rng(list(key)).integers(0, 256, samples.shape[1:], np.uint8) for key in keys]
        return samples ^ np.stack(streams)
"""
#: A sound attack.
SHOW = """
class Method(Attack):
    def run(self, evidence, *, generator):
        return 255 - evidence.protected
"""


def _validate(tmp_path: Path, code: str, base: dict[str, Any] = PROTECTOR, **manifest: Any) -> Report:
    return validate(write_submission(tmp_path, "tried", code, base, **manifest), limits=LIMITS)


def _failed(report: Report) -> dict[str, str]:
    return {finding.name: finding.message for finding in report.findings if finding.status == "fail"}


def test_a_sound_protector_passes(tmp_path: Path) -> None:
    presets = {"a": {"n": 2}}
    code = SOUND.replace("class Method(Protector):", "class Method(Protector):\n    def __init__(self, *, n): pass")
    report = _validate(tmp_path, code, parameters={"n": {"type": "int", "default": 1}}, presets=presets)
    assert not _failed(report)
    assert report.passed
    assert report.text().endswith("ready to be submitted")
    skipped = {finding.name for finding in report.findings if finding.status == "skip"}
    assert skipped == {"prepare", "format", "encrypted ranges", "keystream", "comparison"}


@pytest.mark.parametrize(
    ("old", "new", "check", "message"),
    [
        ("return self.crypt(prepared, keys)", "return samples", "protect", "raised NameError"),
        ("return self.crypt(prepared, keys)", "return self.crypt(prepared, keys)[1:]", "protect", "is expected"),
        ("return self.crypt(prepared, keys)", "return np.random.permutation(prepared)", "determinism", "two results"),
        ("default_rng(list(key))", "default_rng(1)", "key sensitivity", "the same under two keys for 6 of 6"),
        ("np.stack(streams)", "np.stack(streams[:1] * len(keys))", "batch size", "differs from protect()"),
        ("return self.crypt(protected, keys)", "return protected", "recovery", "not exact for 6 of 6"),
        ("def recover", "def recovery", "recovery", "NotImplementedError"),
        ("return self.crypt(prepared, keys)", "prepared ^= 1; return prepared", "protect", "in place; work on a copy"),
        ("def crypt", "def render(self, p): return 255 - p\n    def crypt", "render", "not what a standard decoder"),
    ],
)
def test_each_broken_promise_of_a_protector_is_found(
    tmp_path: Path, old: str, new: str, check: str, message: str
) -> None:
    assert old in SOUND
    failed = _failed(_validate(tmp_path, SOUND.replace(old, new, 1)))
    assert message in failed[check]


def test_undeclared_dependence_on_the_generator_is_found(tmp_path: Path) -> None:
    code = SOUND.replace("return self.crypt(prepared, keys)", "return prepared ^ np.uint8(generator.integers(1, 256))")
    assert "deterministic: true" in _failed(_validate(tmp_path, code, reversible=False))["determinism"]
    free = _validate(tmp_path / "again", code, reversible=False, deterministic=False)
    assert set(_failed(free)) == {"key sensitivity"}


def test_a_protector_without_a_key_has_to_say_so(tmp_path: Path) -> None:
    blur = """
class Method(Protector):
    def __init__(self, *, share):
        self.share = share
    def protect(self, prepared, keys, *, generator):
        return prepared // 2 + np.array([self.share * key[0] for key in keys], np.uint8)[:, None, None, None]
"""
    given: dict[str, Any] = {"reversible": False, "parameters": {"share": {"type": "int", "default": 0}}}
    silent = _validate(tmp_path / "silent", blur, **given)
    assert set(_failed(silent)) == {"key sensitivity"}
    said = _validate(tmp_path / "said", blur, keyed=False, presets={"same": {"share": 0}}, **given)
    assert said.passed
    assert "another key gives the same" in said.text()
    secret = _validate(tmp_path / "secret", blur, keyed=False, presets={"secret": {"share": 1}}, **given)
    assert _failed(secret) == {"presets": "secret: protect() depends on the key, but the manifest says `keyed: false`"}
    given["parameters"] = {"share": {"type": "int", "default": 1}}
    default = _validate(tmp_path / "default", blur, keyed=False, **given)
    assert _failed(default) == {"key sensitivity": "protect() depends on the key, but the manifest says `keyed: false`"}


def test_recovery_without_the_key_is_found(tmp_path: Path) -> None:
    code = """
    class Method(Protector):
        def protect(self, prepared, keys, *, generator):
            out = 255 - prepared
            out[:, 0, 0] = [list(key[:3]) for key in keys]
            return out
        def recover(self, protected, keys):
            from benchmark.datasets import open_dataset
            out = 255 - protected
            out[:, 0, 0] = open_dataset("synthetic", {}, None).load([f"s{n:04d}/0" for n in range(6)]).samples[:, 0, 0]
            return out
    """
    assert "under a wrong key" in _failed(_validate(tmp_path, code))["recovery"]


LOSSY = """
    import io
    from PIL import Image
    from benchmark.render import render
    class Method(Protector):
        def prepare(self, samples):
            return [self.file(sample) for sample in samples]
        def file(self, sample):
            file = io.BytesIO()
            Image.fromarray(sample).save(file, "JPEG", quality=70)
            return file.getvalue()
        def protect(self, prepared, keys, *, generator):
            return [self.crypt(item, key) for item, key in zip(prepared, keys)]
        def recover(self, protected, keys):
            return np.stack(render([self.crypt(item, key) for item, key in zip(protected, keys)]))
        def crypt(self, item, key):
            return item[:-34] + bytes(a ^ (b & 1) for a, b in zip(item[-34:-2], key)) + item[-2:]
        def encrypted_ranges(self, protected):
            return np.array([[len(item) - 34, len(item) - 2, 32] for item in protected], np.int64)
"""


def test_a_lossy_protector_gives_back_what_its_files_show(tmp_path: Path) -> None:
    manifest = {"domain": "codestream", "format": "jpeg", "prepare": []}
    assert "not exact" in _failed(_validate(tmp_path / "1", LOSSY, **manifest))["recovery"]
    assert "recovery" not in _failed(_validate(tmp_path / "2", LOSSY, **manifest, lossy=True))
    lazy = LOSSY.replace("self.crypt(item, key) for item, key in zip(protected", "item for item, key in zip(protected")
    assert "not exact" in _failed(_validate(tmp_path / "3", lazy, **manifest, lossy=True))["recovery"]


def test_what_stands_beside_the_method_is_checked_too(tmp_path: Path) -> None:
    folder = write_submission(tmp_path, "bare", SOUND)
    (folder / "README.md").unlink()
    assert "README.md is missing" in _failed(validate(folder, limits=LIMITS))["README"]
    (folder / "submission.yaml").write_text("kind: protector\n")
    report = validate(folder / "submission.yaml")
    assert [finding.name for finding in report.findings] == ["manifest"]
    assert "submission.yaml:1: title: is missing" in report.findings[0].message


def test_what_is_not_python_is_a_finding(tmp_path: Path) -> None:
    folder = write_submission(tmp_path, "garbled", "def (")
    report = validate(folder)
    assert not report.passed
    assert "method.py:4: not valid Python" in _failed(report)["source digest"]


def test_a_folder_without_a_submission_is_wrong_input(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none", tmp_path / "submission.yaml"):
        with pytest.raises(InvalidInputError, match=r"no submission\.yaml here"):
            validate(path)


def test_presets_that_the_constructor_refuses_are_named(tmp_path: Path) -> None:
    code = SOUND.replace(
        "class Method(Protector):", "class Method(Protector):\n    def __init__(self, *, n): assert n < 2"
    )
    report = _validate(tmp_path, code, parameters={"n": {"type": "int", "default": 1}}, presets={"a": {"n": 2}})
    assert set(_failed(report)) == {"presets"}
    assert _failed(report)["presets"].startswith("a: the constructor raised AssertionError")


def test_without_an_import_the_rest_is_skipped(tmp_path: Path) -> None:
    report = _validate(tmp_path, "import nowhere")
    assert set(_failed(report)) == {"import and defaults"}
    assert not report.passed
    assert report.findings[-1].status == "skip"


def test_dependence_on_others_under_the_same_key_is_found(tmp_path: Path) -> None:
    code = """
    class Method(Protector):
        def protect(self, prepared, keys, *, generator):
            salts = [np.random.default_rng([keys.count(key), *key]).normal() for key in keys]
            return (prepared + np.array(salts)[:, None]).astype(np.float32)
        def compare(self, a, b):
            return -np.abs(a - b).mean(1)
    """
    manifest = {"domain": "template", "reversible": False}
    assert not _failed(_validate(tmp_path / "own", code, **manifest, keys=["sample"]))
    shared = _failed(_validate(tmp_path / "shared", code, **manifest, keys=["sample", "system"]))
    assert "beside others under the same key" in shared["batch size"]


def test_a_template_protector_is_tried_on_templates(tmp_path: Path) -> None:
    code = """
    class Method(Protector):
        def protect(self, prepared, keys, *, generator):
            signs = [np.random.default_rng(list(key)).choice([-1, 1], prepared.shape[1]) for key in keys]
            return (prepared * np.stack(signs)).astype(np.float32)
        def compare(self, a, b):
            return SIGN * (a * b).sum(axis=1)
    """
    sound = _validate(tmp_path, code.replace("SIGN", "1"), domain="template", reversible=False)
    assert not _failed(sound)
    wrong = _validate(tmp_path / "x", code.replace("SIGN", "-1"), domain="template", reversible=False)
    assert "higher is more alike" in _failed(wrong)["comparison"]


def test_a_sound_attack_passes(tmp_path: Path) -> None:
    report = _validate(tmp_path, SHOW, ATTACK)
    assert not _failed(report)
    assert {finding.name for finding in report.findings if finding.status == "pass"} >= {
        "sample: run",
        "sample: batch size",
    }


@pytest.mark.parametrize(
    ("code", "manifest", "check", "message"),
    [
        (SHOW, {"returns": "embeddings"}, "sample: run", "N x D is expected"),
        (SHOW.replace("255 -", "generator.integers(9) -"), {}, "sample: run", "uint8"),
        (SHOW.replace("255 -", "np.uint8(generator.integers(99)) ^"), {}, "sample: determinism", "deterministic: true"),
        (SHOW.replace("255 -", "np.uint8(len(evidence.protected)) +"), {}, "sample: batch size", "in a batch"),
        (
            SHOW.replace("255 - evidence.protected", "[None] * len(evidence.protected)"),
            {},
            "sample: run",
            "None for every",
        ),
        (SHOW.replace("255 -", "evidence.algorithm['id'] +"), {}, "sample: run", "TypeError"),
        (SHOW, {"threat_model": ["pairs"]}, "sample: restored elsewhere", None),
        ("raise_ = 1", {}, "import and defaults", "AttributeError"),
    ],
)
def test_each_broken_promise_of_an_attack_is_found(
    tmp_path: Path, code: str, manifest: dict[str, Any], check: str, message: str | None
) -> None:
    failed = _failed(_validate(tmp_path, code, ATTACK, **manifest))
    assert (message in failed[check]) if message else not failed


def test_an_attack_that_forgets_what_it_learned_is_found(tmp_path: Path) -> None:
    code = """
    class Method(Attack):
        shift = 0
        def fit(self, training, *, generator):
            Method.shift = 1
            return {}
        def run(self, evidence, *, generator):
            return evidence.protected + np.uint8(self.shift)
    """
    failed = _failed(_validate(tmp_path, code, ATTACK, threat_model=["pairs"]))
    assert "in a fresh process" in failed["sample: restored elsewhere"]


def test_an_attack_on_files_copes_with_what_cannot_be_read(tmp_path: Path) -> None:
    code = """
    from benchmark.jpeg2000 import decode
    class Method(Attack):
        def run(self, evidence, *, generator):
            return [decode(item) for item in evidence.protected]
    """
    failed = _failed(_validate(tmp_path, code, ATTACK, domains=["codestream"], formats=["jpeg2000"]))
    assert set(failed) == {"jpeg2000: unreadable input"}


def test_an_attack_that_trusts_another_s_parameters_is_found(tmp_path: Path) -> None:
    code = """
    class Method(Attack):
        def run(self, evidence, *, generator):
            return evidence.protected[:, :: int(evidence.algorithm["parameters"].get("levels", 1))]
    """
    failed = _failed(_validate(tmp_path, code, ATTACK, threat_model=["algorithm"]))
    assert set(failed) == {"sample: others' parameters"}
