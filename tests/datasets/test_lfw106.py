"""The 106 people of LFW."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from image_files import encoded
from PIL import Image

from benchmark.datasets import open_dataset
from benchmark.datasets.lfw106 import Lfw106Dataset
from benchmark.errors import InvalidInputError

LINES = ["subject,image,fold", "Ann_Lee,Ann_Lee/Ann_Lee_0001.jpg,2", "Bo_Ek,Bo_Ek/Bo_Ek_0001.jpg,0"]


def listed(root: Path, lines: list[str]) -> Lfw106Dataset:
    (root / "lfw").mkdir(exist_ok=True)
    (root / "lfw" / "subjects106.csv").write_text("".join(f"{line}\n" for line in lines))
    dataset = open_dataset("lfw106", {}, root)
    assert isinstance(dataset, Lfw106Dataset)
    return dataset


def test_crops_come_from_either_folder(tmp_path: Path, picture: Image.Image) -> None:
    dataset = listed(tmp_path, LINES)
    for folder, name in (("aligned112", "Ann_Lee/Ann_Lee_0001"), ("aligned112_extra", "Bo_Ek/Bo_Ek_0001")):
        path = tmp_path / "lfw" / folder / f"{name}.jpg"
        path.parent.mkdir(parents=True)
        path.write_bytes(encoded(picture))
    assert dataset.ids() == ["Ann_Lee/Ann_Lee_0001", "Bo_Ek/Bo_Ek_0001"]
    assert not dataset.load(dataset.ids()).failed.any()
    assert dataset.folds == {"Ann_Lee/Ann_Lee_0001": 3, "Bo_Ek/Bo_Ek_0001": 1}
    with pytest.raises(InvalidInputError, match="is no sample of data set 'lfw106'"):
        dataset.load(["Cy_Fox/Cy_Fox_0001"])


@pytest.mark.parametrize(
    "line",
    [
        "Ann_Lee,Ann_Lee/Ann_Lee_0002.jpg",
        "Ann_Lee,Bo_Ek/Bo_Ek_0002.jpg,2",
        "Ann_Lee,Ann_Lee/Ann_Lee_0002.jpg,4",
        "Ann_Lee,Ann_Lee/Ann_Lee_0002.jpg,1",
        "Ann_Lee,Ann_Lee/Ann_Lee_0001.jpg,2",
        "..,../passwd.jpg,1",
        "Ann_Lee,Ann_Lee/../../x.jpg,2",
    ],
)
def test_a_malformed_list_is_refused_by_line(tmp_path: Path, line: str) -> None:
    with pytest.raises(InvalidInputError, match=r"subjects106\.csv:4: "):
        listed(tmp_path, [*LINES, line]).ids()


def test_a_list_without_its_header_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match=r"subjects106\.csv:1: "):
        listed(tmp_path, LINES[1:]).ids()


def test_absent_it_says_where_the_list_belongs(tmp_path: Path) -> None:
    for root in (None, tmp_path):
        with pytest.raises(InvalidInputError, match=r"no list .*lfw/subjects106\.csv"):
            open_dataset("lfw106", {}, root)


@pytest.mark.data
def test_the_real_list(data_root: Path) -> None:
    dataset = open_dataset("lfw106", {}, data_root)
    assert isinstance(dataset, Lfw106Dataset)
    assert Counter(dataset.folds.values()) == {1: 1021, 2: 924, 3: 895, 4: 895}
    assert len({dataset.subject(name) for name in dataset.ids()}) == 106
    assert not dataset.load(dataset.ids()[::100]).failed.any()
