"""A protocol from a folder: it loads, it plans, and nothing is overwritten."""

from __future__ import annotations

from pathlib import Path

import pytest
from photographs import photograph

from benchmark.datasets import open_dataset
from benchmark.drafting.protocol_draft import draft
from benchmark.errors import InvalidInputError
from benchmark.protocol import load_protocol


@pytest.fixture
def faces(tmp_path: Path) -> Path:
    for who in range(6):
        for number in range(3):
            photograph(tmp_path / "faces" / f"p{who}" / f"{number}.png", seed=10 * who + number, size=(112, 112))
    return tmp_path / "faces"


def test_a_folder_becomes_a_protocol(faces: Path, tmp_path: Path) -> None:
    done = draft(f"folder:{faces}", id="my-faces", into=tmp_path / "protocols", pairs=4)
    protocol = load_protocol(done.protocol)
    assert (protocol.id, protocol.dataset.id) == ("my-faces", "folder")
    assert protocol.dataset.parameters == {"path": str(faces)}
    assert protocol.title == "Selective JPEG2000 encryption on faces"
    pairs = protocol.read_pairs()
    assert set(pairs.fold.tolist()) == {1, 2, 3}
    assert pairs.genuine.sum() == len(pairs) // 2 == 12
    assert done.counts.startswith("12 genuine and 12 impostor pairs in 3 folds")
    loaded = open_dataset("folder", protocol.dataset.parameters, None).load(pairs.ids)
    assert not loaded.failed.any()


def test_under_the_data_root_the_path_is_relative(faces: Path, tmp_path: Path) -> None:
    done = draft(f"folder:{faces}", id="mine", into=tmp_path / "protocols", data=tmp_path)
    assert load_protocol(done.protocol).dataset.parameters == {"path": "faces"}


def test_one_fold_has_no_accuracy_over_folds(faces: Path, tmp_path: Path) -> None:
    done = draft(f"folder:{faces}", id="mine", into=tmp_path, folds=1)
    assert "view2_accuracy" not in load_protocol(done.protocol).metrics


@pytest.mark.parametrize("there", ["mine.yaml", "splits/mine.csv"])
def test_nothing_is_overwritten(faces: Path, tmp_path: Path, there: str) -> None:
    path = tmp_path / "protocols" / there
    path.parent.mkdir(parents=True)
    path.write_text("mine")
    with pytest.raises(InvalidInputError, match="is there already"):
        draft(f"folder:{faces}", id="mine", into=tmp_path / "protocols")
    assert path.read_text() == "mine"
    assert [found for found in (tmp_path / "protocols").rglob("*") if found.is_file()] == [path]


def test_a_published_id_is_taken(faces: Path, tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match=r"demo\.yaml is there already"):
        draft(f"folder:{faces}", id="demo", into=tmp_path)


def test_photographs_are_no_crops(tmp_path: Path) -> None:
    for name in ("a/1.png", "a/2.png", "b/1.png"):
        photograph(tmp_path / "raw" / name, size=(250, 250))
    with pytest.raises(InvalidInputError, match=r"samples are no aligned crops: .*is 250x250.*data prepare"):
        draft(f"folder:{tmp_path / 'raw'}", id="mine", into=tmp_path)
    assert not (tmp_path / "mine.yaml").exists()


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ("faces", "unknown data set 'faces'"),
        ("folder:", "write an id, or folder:PATH"),
        ("lfw:x", "write an id, or folder:PATH"),
        ("folder:/nowhere", "no folder /nowhere"),
        ("synthetic", "has protocols of its own"),
    ],
)
def test_what_names_no_data_set(tmp_path: Path, named: str, said: str) -> None:
    with pytest.raises(InvalidInputError, match=said):
        draft(named, id="mine", into=tmp_path)


def test_ids_and_recognisers_are_checked(faces: Path, tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="is no id"):
        draft(f"folder:{faces}", id="My Faces", into=tmp_path)
    with pytest.raises(InvalidInputError, match="unknown recogniser 'lpb'; did you mean 'lbp'"):
        draft(f"folder:{faces}", id="mine", into=tmp_path, recognisers=["lpb"])


@pytest.mark.data
def test_the_stand_in_is_compared_within_its_folds(data_root: Path, tmp_path: Path) -> None:
    done = draft("lfw106", id="lfw106-mine", into=tmp_path, data=data_root, pairs=5)
    protocol = load_protocol(done.protocol)
    assert protocol.dataset.id == "lfw106"
    assert len(protocol.read_pairs()) == 2 * 4 * 5
