"""YAML with line numbers, into models, with every error at once."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

from benchmark import schema
from benchmark.errors import InvalidInputError
from benchmark.locations import protocol_folders, submission_folders
from benchmark.schema import Frozen, read_yaml


class Inner(Frozen):
    low: float | None = None
    kind: str


class Outer(Frozen):
    id: str
    one: Inner | None = None
    many: tuple[Inner, ...] = ()
    named: Mapping[str, Inner] = {}
    plain: Mapping[str, bool | int | float | str] = {}
    some: Annotated[tuple[Inner, ...], Field(min_length=1)] = (Inner(kind="x"),)


def _load(path: Path) -> Outer | None:
    document = read_yaml(path)
    parsed = document.parse(Outer)
    document.check()
    return parsed


def _problems(tmp_path: Path, text: str) -> list[str]:
    path = tmp_path / "x.yaml"
    path.write_text(text)
    with pytest.raises(InvalidInputError) as caught:
        _load(path)
    return str(caught.value).replace(f"{path}:", "").splitlines()


def test_every_error_at_once_with_its_line_and_the_nearest_key(tmp_path: Path) -> None:
    text = """\
id: [1]
one: {kind: a, lwo: 2}
many:
  - {kind: a}
  - {kindd: b}
named:
  a: {kind: x, low: high}
tittle: x
"""
    assert _problems(tmp_path, text) == [
        "1: id: text is expected",
        "2: one.lwo: unknown key; did you mean 'low'?",
        "5: many.1.kind: is missing",
        "5: many.1.kindd: unknown key; did you mean 'kind'?",
        "7: named.a.low: input should be a valid number, unable to parse string as a number (it is 'high')",
        "8: tittle: unknown key; known here: id, many, named, one, plain, some",
    ]


def test_wrong_types_are_one_line_each_in_the_words_of_yaml(tmp_path: Path) -> None:
    text = "id: x\nmany: a\nnamed: [1]\none: 5\nplain: {str: [1], ok: 1}\nsome:\n  - {kind: [x]}\n"
    assert _problems(tmp_path, text) == [
        "2: many: a list is expected (it is 'a')",
        "3: named: `key: value` lines are expected",
        "4: one: `key: value` lines are expected (it is 5)",
        "5: plain.str: a number, a word, true or false is expected",
        "7: some.0.kind: text is expected",
    ]
    assert _problems(tmp_path, "id: x\nsome: []\n") == ["2: some: needs 1 or more"]


def test_a_key_that_occurs_twice_is_refused(tmp_path: Path) -> None:
    assert _problems(tmp_path, "id: a\none: {kind: a}\nid: b\n") == ["1: id: occurs twice (again in line 3)"]


def test_anchors_and_merge_keys_are_read_and_own_keys_win(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text("base: &base {kind: a, low: 1}\nmany: [{<<: *base, low: 2}, *base]\n")
    assert read_yaml(path).data["many"] == [{"kind": "a", "low": 2}, {"kind": "a", "low": 1}]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: !!python/object/apply:os.system [x]", "plain data only"),
        ("a: !!python/name:os.system x", "not valid YAML"),
        ("a: [", "not valid YAML"),
        ("a: &x [*x]", "an alias that refers to itself"),
        ("- 1", "a mapping"),
        ("", "a mapping"),
        ("\x00", "not valid YAML"),
        ("a: 2024-13-45", "not valid YAML"),
    ],
)
def test_what_is_not_plain_yaml_is_one_line(tmp_path: Path, text: str, said: str) -> None:
    problems = _problems(tmp_path, text)
    assert len(problems) == 1
    assert said in problems[0]


def test_aliases_that_unfold_into_each_other_are_stopped(tmp_path: Path) -> None:
    levels = [f"x{n}: &x{n} [{', '.join([f'*x{n - 1}'] * 9)}]" for n in range(1, 12)]
    assert "too many values" in _problems(tmp_path, "\n".join(["x0: &x0 [1]", *levels]))[0]


def test_a_missing_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="cannot be read"):
        read_yaml(tmp_path / "none.yaml")


@given(st.text())
def test_any_text_is_a_mapping_or_a_named_error(text: str) -> None:
    path = Path(tempfile.gettempdir()) / f"veilbench-schema-{os.getpid()}.yaml"
    path.write_text(text, encoding="utf-8", errors="surrogatepass")
    try:
        data = read_yaml(path).data
    except InvalidInputError as error:
        data = {"said": str(error)}
        assert str(path) in data["said"]
    assert isinstance(data, dict)


def test_deep_nesting_ends_in_a_named_error_and_not_in_a_crash(tmp_path: Path) -> None:
    assert "nested too deeply" in _problems(tmp_path, "a: " + "[" * 500_000)[0]


def _outcome(path: Path) -> object:
    try:
        document = read_yaml(path)
    except InvalidInputError as error:
        return str(error)
    return repr(document.data), document.lines, document.problems


def _both(path: Path) -> tuple[object, object]:
    """What is read with libyaml, where it is here, and without."""
    fast = _outcome(path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(schema, "_FastLoader", yaml.SafeLoader)
        return fast, _outcome(path)


@pytest.mark.parametrize(
    "text", ["a: [", "a: b: c", "a: *x", "a: 'x", "a: 1\n b: 2", "a: \t1", "a: !", "a: &x {<<: *x}"]
)
def test_faults_are_said_alike_with_and_without_libyaml(tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(text)
    fast, slow = _both(path)
    assert fast == slow


def test_our_own_files_read_alike_with_and_without_libyaml() -> None:
    files = [path for folder in (*protocol_folders(), *submission_folders()) for path in folder.rglob("*.yaml")]
    assert len(files) > 20
    for path in files:
        fast, slow = _both(path)
        assert fast == slow, path


#: What YAML is made of.
PIECES = ["a: ", "b: ", "- ", "  ", "\n", "[", "]", "{", "}", "&x ", "*x", "1.0", "'y'", "# z", ", ", "<<: "]


@given(st.lists(st.sampled_from(PIECES)))
def test_any_plain_text_reads_alike_with_and_without_libyaml(parts: list[str]) -> None:
    path = Path(tempfile.gettempdir()) / f"veilbench-schema-both-{os.getpid()}.yaml"
    path.write_text("a: 0\n" + "".join(parts))
    fast, slow = _both(path)
    assert fast == slow
