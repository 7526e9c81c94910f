from __future__ import annotations

import json
from typing import get_args

import pytest
from pydantic import BaseModel, ValidationError
from records import record

from benchmark import record as module
from benchmark.errors import InvalidInputError
from benchmark.record import Record, Value, dump_record, read_record, significant, write_record


def models() -> list[type[BaseModel]]:
    found = [thing for thing in vars(module).values() if isinstance(thing, type) and issubclass(thing, module.Part)]
    assert len(found) > 12
    return found


def test_every_field_is_documented():
    for model in models():
        missing = [name for name, info in model.model_fields.items() if not info.description]
        assert not missing, f"{model.__name__}: {missing}"


def test_what_is_read_is_what_was_written(tmp_path):
    path, made = tmp_path / "a" / "b.json", record()
    write_record(path, made)
    assert read_record(path) == made
    assert dump_record(read_record(path)) == path.read_text()


def test_the_file_has_sorted_keys_and_one_line_a_list(tmp_path):
    text = dump_record(record())
    data = json.loads(text)
    assert list(data) == sorted(data)
    assert text.count("\n") < 250
    assert sum(line.lstrip().startswith('"net": [') for line in text.splitlines()) == 1
    assert dump_record(record()) == text


def test_numbers_are_rounded_when_a_record_is_made():
    made = Value(value=1 / 3, low=0.123456789, high=-0.0, n=3)
    assert (made.value, made.low, str(made.high)) == (0.333333, 0.123457, "0.0")
    assert Value.model_validate_json(made.model_dump_json()) == made
    assert significant(significant(2 / 3)) == significant(2 / 3)


@pytest.mark.parametrize("number", [float("nan"), float("inf"), "0.5", True])
def test_what_is_no_number_is_refused(number):
    with pytest.raises(ValidationError):
        Value(value=number, n=1)


def test_a_record_without_compliance_is_written_as_before_there_was_any():
    found = {"compliance": {"pillow": {"version": "1", "streams": 64, "failures": 0}}}
    assert "compliance" not in dump_record(record())
    assert '"compliance"' in dump_record(record(cost=found))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "r.json: the file: invalid json"),
        ("[]", "r.json: the file: input should be an object"),
        ('{"schema_version": 2}', r"r.json: schema_version: input should be 1 \(and \d+ more\); run the protocol"),
    ],
)
def test_errors_name_the_file_and_the_field(tmp_path, text, message):
    path = tmp_path / "r.json"
    path.write_text(text)
    with pytest.raises(InvalidInputError, match=message) as caught:
        read_record(path)
    assert "\n" not in str(caught.value)


def test_an_unknown_field_is_refused(tmp_path):
    path = tmp_path / "r.json"
    path.write_text(json.dumps(json.loads(dump_record(record())) | {"eer": 0.1}))
    with pytest.raises(InvalidInputError, match=r"r\.json: eer: extra"):
        read_record(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InvalidInputError, match=r"none\.json"):
        read_record(tmp_path / "none.json")


def test_the_schema_version_is_the_only_one_accepted():
    assert get_args(Record.model_fields["schema_version"].annotation) == (module.SCHEMA_VERSION,)
