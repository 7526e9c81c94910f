"""CASIA-WebFace in both layouts, written here."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from image_files import encoded
from PIL import Image
from record_files import MAGIC, labelled, write_faces, write_records

from benchmark.datasets import Dataset, open_dataset
from benchmark.datasets.casia_webface import CasiaWebFaceDataset, casia_webface_status
from benchmark.digest import generator
from benchmark.errors import InvalidInputError

IDS = ["0000045/001", "0000045/002", "0000099/001", "0000102/003"]


@pytest.fixture
def people(picture: Image.Image) -> dict[str, dict[str, bytes]]:
    found: dict[str, dict[str, bytes]] = {}
    for number, sample_id in enumerate(IDS):
        name, image = sample_id.split("/")
        found.setdefault(name, {})[image] = encoded(picture.rotate(90 * number), quality=90)
    return found


def foldered(root: Path, people: dict[str, dict[str, bytes]]) -> Dataset:
    for name, images in people.items():
        for image, content in images.items():
            path = root / "casia-webface" / name / f"{image}.jpg"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    return open_dataset("casia-webface", {}, root)


def recorded(root: Path, people: dict[str, dict[str, bytes]], *, names: bool = True) -> Dataset:
    write_faces(root / "casia-webface", people, names=names)
    return open_dataset("casia-webface", {}, root)


def test_both_layouts_are_the_same_data_set(tmp_path: Path, people: dict[str, dict[str, bytes]]) -> None:
    folders, records = foldered(tmp_path / "folders", people), recorded(tmp_path / "records", people)
    for dataset in (folders, records):
        assert isinstance(dataset, CasiaWebFaceDataset)
        assert dataset.ids() == IDS
        assert [dataset.subject(name) for name in IDS] == ["0000045", "0000045", "0000099", "0000102"]
    one, other = folders.load(IDS), records.load(IDS)
    assert not one.failed.any()
    assert np.array_equal(one.samples, other.samples)
    assert np.array_equal(one.failed, other.failed)
    assert folders.fingerprint([*IDS, "x/1"]) == records.fingerprint([*IDS, "x/1"])
    assert folders.fingerprint(["x/1"]) == ["missing"]
    assert casia_webface_status(tmp_path / "records").startswith("casia-webface: RecordIO in ")
    assert casia_webface_status(tmp_path / "folders").startswith("casia-webface: 3 identities in ")


def test_without_names_identities_are_numbered(tmp_path: Path, people: dict[str, dict[str, bytes]]) -> None:
    records = recorded(tmp_path, people, names=False)
    assert isinstance(records, CasiaWebFaceDataset)
    assert records.ids() == ["0000000/0000001", "0000000/0000002", "0000001/0000003", "0000002/0000004"]
    assert not records.load(records.ids()).failed.any()


def test_records_that_mxnet_packed_have_no_identities(tmp_path: Path, people: dict[str, dict[str, bytes]]) -> None:
    images = [content for own in people.values() for content in own.values()]
    write_records(tmp_path / "casia-webface", {n: labelled([n // 2], image) for n, image in enumerate(images)})
    records = open_dataset("casia-webface", {}, tmp_path)
    assert isinstance(records, CasiaWebFaceDataset)
    assert records.ids() == ["0000000/0000000", "0000000/0000001", "0000001/0000002", "0000001/0000003"]


@pytest.mark.parametrize("make", [foldered, recorded])
def test_bad_images_are_flagged_with_the_reason(
    tmp_path: Path, people: dict[str, dict[str, bytes]], picture: Image.Image, make: object
) -> None:
    people["0000045"]["001"] = people["0000045"]["001"][:-300]
    people["0000099"]["001"] = encoded(picture.resize((113, 112)))
    people["0000102"]["003"] = b""
    dataset = make(tmp_path, people)  # type: ignore[operator]
    loaded = dataset.load([*IDS, "0000045/009"])
    assert loaded.failed.tolist() == [True, False, True, True, True]
    assert not loaded.samples[0].any()
    faults = ["truncated", "is 113x112", "it is empty", "is missing"]
    assert all(fault in reason for fault, reason in zip(faults, loaded.reasons.values(), strict=True))


def test_a_truncated_rec_is_refused_with_file_and_byte(tmp_path: Path, people: dict[str, dict[str, bytes]]) -> None:
    records = recorded(tmp_path, people)
    path = tmp_path / "casia-webface" / "train.rec"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(InvalidInputError, match=rf"^{path}: damaged at byte \d+: [^\n]*$"):
        records.load(IDS)


def test_a_record_that_is_lost_is_noticed(tmp_path: Path, people: dict[str, dict[str, bytes]]) -> None:
    records = recorded(tmp_path, people)
    index = tmp_path / "casia-webface" / "train.idx"
    index.write_text("".join(line for line in index.read_text().splitlines(keepends=True) if line[0] != "3"))
    with pytest.raises(InvalidInputError, match=r"train\.idx: record 3 is missing"):
        records.load(IDS)


def test_files_that_do_not_agree_are_refused(tmp_path: Path, people: dict[str, dict[str, bytes]]) -> None:
    names = tmp_path / "casia-webface" / "train.lst"
    lines = "1\ta/0000045/001.jpg\t0\n1\ta/0000045/002.jpg\t0\n1\ta/0000099/001.jpg\t1\n1\ta/0000102/003.jpg\t2\n"
    for bad, said in (
        (lines + "1\tx/y.jpg\t2\n", "5 lines for 4 images"),
        (lines.replace("\t2\n", "\t1\n"), r"train\.lst:4: expected"),
        (lines.replace("002", "001"), r"train\.lst:2: expected"),
        (lines.replace("a/0000099/", ""), r"train\.lst:3: expected"),
    ):
        records = recorded(tmp_path, people)
        names.write_text(bad)
        with pytest.raises(InvalidInputError, match=said):
            records.load(IDS)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({5: [1, 2]}, "record 6: an identity of the images 3 to 3, after image 1"),
        ({7: [4, 6]}, "record 7: an identity of the images 4 to 5"),
        ({7: [4.0]}, "record 7: 1 labels, where a range has two"),
        ({7: [4, float("nan")]}, "record 7: label nan is no number"),
        ({0: [5, float("inf")]}, "record 0: label inf is no number"),
        ({0: [5, 1e30]}, "of 1000000015047466219876688855040 there should be"),
        ({3: [0.5]}, "record 3: label 0.5 is no number"),
        ({0: [5, 7]}, "announces 7 records"),
    ],
)
def test_ranges_that_lose_images_are_refused(
    tmp_path: Path, people: dict[str, dict[str, bytes]], change: dict[int, list[float]], said: str
) -> None:
    images = [content for own in people.values() for content in own.values()]
    records = {0: labelled([5, 8])}
    records |= {n: labelled([(0, 0, 1, 2)[n - 1]], image) for n, image in enumerate(images, start=1)}
    records |= {5: labelled([1, 3]), 6: labelled([3, 4]), 7: labelled([4, 5])}
    write_records(tmp_path / "casia-webface", records)
    dataset = open_dataset("casia-webface", {}, tmp_path)
    assert isinstance(dataset, CasiaWebFaceDataset)
    assert len(dataset.ids()) == 4
    write_records(tmp_path / "casia-webface", records | {key: labelled(labels) for key, labels in change.items()})
    dataset = open_dataset("casia-webface", {}, tmp_path)
    with pytest.raises(InvalidInputError, match=said):
        dataset.load(["0000000/0000001"])


def test_an_image_of_another_label_is_refused(tmp_path: Path, people: dict[str, dict[str, bytes]]) -> None:
    image = people["0000045"]["001"]
    records = {0: labelled([3, 4]), 1: labelled([0], image), 2: labelled([1], image), 3: labelled([1, 3])}
    write_records(tmp_path / "casia-webface", records)
    dataset = open_dataset("casia-webface", {}, tmp_path)
    with pytest.raises(InvalidInputError, match="record 2: label 1, among images of identity 0"):
        dataset.load(["0000000/0000002"])


def test_any_damage_is_refused_or_harmless(tmp_path: Path, people: dict[str, dict[str, bytes]]) -> None:
    """Bytes of `train.rec` are changed at random: an image fails, or the file is refused; never anything else."""
    recorded(tmp_path, people)
    path = tmp_path / "casia-webface" / "train.rec"
    whole = path.read_bytes()
    draw = generator("tests", "damage")
    heads = [at for at in range(len(whole) - 100) if whole[at : at + 4] == MAGIC]
    for round_ in range(200):
        content = bytearray(whole)
        head = heads[round_ % len(heads)] + int(draw.integers(0, 40))  # frames and headers, more than pixels
        content[head] = int(draw.integers(256))
        path.write_bytes(content)
        with suppress(InvalidInputError):
            assert open_dataset("casia-webface", {}, tmp_path).load(IDS).samples.shape == (4, 112, 112, 3)


@pytest.mark.parametrize("bad", ["0000045", "../001", "0000045/..", "/etc/passwd", "a/b/c", "a\\b/c"])
def test_ids_that_are_none_never_become_paths(tmp_path: Path, people: dict[str, dict[str, bytes]], bad: str) -> None:
    for dataset in (foldered(tmp_path / "a", people), recorded(tmp_path / "b", people)):
        with pytest.raises(InvalidInputError, match="no sample id"):
            dataset.load([bad])


def test_absent_it_names_the_stand_in(tmp_path: Path) -> None:
    for root in (None, tmp_path):
        with pytest.raises(InvalidInputError, match="'lfw106' is a stand-in"):
            open_dataset("casia-webface", {}, root)
    assert "missing" in casia_webface_status(tmp_path)
