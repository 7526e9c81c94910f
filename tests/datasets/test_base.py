"""The registry and its parameters."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmark.datasets import SampleRef, dataset_ids, open_dataset
from benchmark.errors import InvalidInputError


def test_every_registered_data_set_opens(tmp_path: Path) -> None:
    (tmp_path / "lfw" / "aligned112").mkdir(parents=True)
    (tmp_path / "lfw" / "subjects106.csv").write_text("subject,image,fold\n")
    (tmp_path / "casia-webface").mkdir()
    parameters = {"folder": {"path": "lfw"}}
    opened = {name: open_dataset(name, parameters.get(name, {}), tmp_path) for name in dataset_ids()}
    assert {name: dataset.id for name, dataset in opened.items()} == {name: name for name in dataset_ids()}


def test_unknown_id_has_a_suggestion() -> None:
    with pytest.raises(InvalidInputError, match="unknown data set 'syntetic'; did you mean 'synthetic'"):
        open_dataset("syntetic", {}, None)


def test_unknown_parameter_has_a_suggestion() -> None:
    with pytest.raises(InvalidInputError, match="parameter of data set 'synthetic' 'sede'; did you mean 'seed'"):
        open_dataset("synthetic", {"sede": 1}, None)


@pytest.mark.parametrize("bad", [{"seed": "1"}, {"seed": -1}, {"variation": 3.0}, {"variation": float("nan")}])
def test_ill_typed_or_out_of_range_parameters_are_one_line(bad: dict[str, object]) -> None:
    with pytest.raises(InvalidInputError, match=f"^parameters of data set 'synthetic': {next(iter(bad))}: [^\n]*$"):
        open_dataset("synthetic", bad, None)


def test_sample_reference() -> None:
    assert open_dataset("synthetic", {}, None).sample("s0007/3") == SampleRef("s0007/3", "s0007")
