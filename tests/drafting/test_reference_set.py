"""The reference set: its rule, and that what was stored holds."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
from record_files import write_faces

from benchmark.digest import digest
from benchmark.drafting import reference_set as module
from benchmark.drafting.reference_set import choose, reference_set
from benchmark.errors import InvalidInputError

#: 150 identities, of 30 to 59 images: 110 of them have the 38 that are needed.
IDS = [f"{name:07d}/{image:03d}" for name in range(150) for image in range(30 + name % 30)]


def test_it_has_the_published_numbers() -> None:
    members = choose(IDS)
    assert len(members) == 3963
    assert len({member.subject for member in members}) == 106
    assert len({member.sample for member in members}) == 3963
    assert {member.sample for member in members} <= set(IDS)
    folds = {member.subject: member.fold for member in members}
    assert all(member.fold == folds[member.subject] for member in members)
    assert Counter(folds.values()) == {1: 27, 2: 27, 3: 26, 4: 26}
    assert Counter(Counter(member.subject for member in members).values()) == {37: 65, 38: 41}


def test_it_follows_the_written_rule() -> None:
    """The rule once more, in other words."""
    sizes = Counter(name.split("/")[0] for name in IDS)
    ranked = sorted((digest("reference set", 1, name), name) for name, count in sizes.items() if count >= 38)
    members = choose(reversed(IDS))  # the order in which files are found does not matter
    assert list(dict.fromkeys(member.subject for member in members)) == [name for _, name in ranked[:106]]
    first = sorted((digest("reference set", 1, name), name) for name in IDS if name.startswith(f"{ranked[0][1]}/"))
    assert [member.sample for member in members[:38]] == [name for _, name in first[:38]]


def test_too_few_identities_are_refused() -> None:
    with pytest.raises(InvalidInputError, match=r"106 identities of at least 38 images; there are 1$"):
        choose(f"a/{number}" for number in range(50))


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small data set of CASIA-WebFace's layout, and a rule that fits it."""
    monkeypatch.setattr(module, "IDENTITIES", 6)
    monkeypatch.setattr(module, "IMAGES", 14)
    monkeypatch.setattr(module, "_LEAST", 3)
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda *_, **__: str(tmp_path / "cache"))
    people = {f"{name:07d}": {f"{image:03d}": b"x" for image in range(4)} for name in range(8)}
    write_faces(tmp_path / "casia-webface", people)
    return tmp_path


def test_it_is_stored_on_first_use_and_holds(root: Path) -> None:
    first = reference_set("casia-webface", root)
    assert first.dataset == "casia-webface"
    assert len(first.members) == 14
    head = json.loads((root / "casia-webface" / "reference106.json").read_text())
    assert head["sha256"] == first.digest
    people = {f"{name:07d}": {f"{image:03d}": b"x" for image in range(4)} for name in range(20)}
    write_faces(root / "casia-webface", people)  # more have come, among which others would be chosen
    assert choose(f"{name}/{image}" for name, own in people.items() for image in own) != list(first.members)
    assert reference_set("casia-webface", root) == first


def test_a_list_that_was_changed_is_refused(root: Path) -> None:
    reference_set("casia-webface", root)
    path = root / "casia-webface" / "reference106.csv"
    path.write_text(path.read_text().replace("/001", "/002"))
    with pytest.raises(InvalidInputError, match=r"reference106\.csv: is not the list"):
        reference_set("casia-webface", root)


def test_where_the_data_cannot_be_written_the_cache_keeps_it(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module.os, "access", lambda path, mode: False)
    first = reference_set("casia-webface", root)
    assert not (root / "casia-webface" / "reference106.csv").exists()
    assert len(list((root / "cache").rglob("reference106.csv"))) == 1
    assert reference_set("casia-webface", root) == first


def test_the_stand_in_is_the_list_of_lfw_and_bears_its_name(tmp_path: Path) -> None:
    (tmp_path / "lfw").mkdir()
    (tmp_path / "lfw" / "subjects106.csv").write_text("subject,image,fold\nBo_Ek,Bo_Ek/Bo_Ek_0001.jpg,3\n")
    found = reference_set("lfw106", tmp_path)
    assert found.dataset == "lfw106"
    assert found.members == (module.Member("Bo_Ek/Bo_Ek_0001", "Bo_Ek", 4),)
    with pytest.raises(InvalidInputError, match=r"no folder .*casia-webface"):
        reference_set("casia-webface", tmp_path)
    with pytest.raises(InvalidInputError, match="unknown data set with a reference set 'lfw'"):
        reference_set("lfw", tmp_path)
