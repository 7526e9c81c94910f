"""Contact sheets: which settings, which faces, and what a picture holds."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

from benchmark import runner
from benchmark.datasets import open_dataset
from benchmark.digest import digest_file
from benchmark.errors import InvalidInputError
from benchmark.plots.sheet import SIDE, draw_sheet, shown_settings

SPLIT = Path(__file__).resolve().parents[2] / "protocols" / "splits" / "lfw-view2-dev.csv"
ONE = "jpeg2000-window@lw4o0"


@pytest.fixture
def protocol(tmp_path: Path) -> Path:
    """Windows of 4 % at eleven offsets and in two progressions, on LFW."""
    shutil.copy(SPLIT, tmp_path)
    windows = [
        {"id": "jpeg2000-window", "name": f"{p[0]}w4o{at}", "parameters": {"progression": p, "size": 4, "offset": at}}
        for p in ("layer", "resolution")
        for at in range(0, 22, 2)
    ]
    content = {
        "id": "large",
        "title": "A sweep",
        "dataset": {"id": "lfw"},
        "pairs": {"file": SPLIT.name, "sha256": digest_file(SPLIT)},
        "comparisons": ["protected-protected"],
        "keys": {"policy": "sample", "seed": "tests"},
        "protectors": [{"id": "identity"}, *windows],
        "attacks": [{"id": "direct-decode"}],
        "recognisers": ["lbp"],
        "metrics": ["eer"],
        "bootstrap": {"resamples": 20},
    }
    path = tmp_path / "large.yaml"
    path.write_text(yaml.safe_dump(content))
    return path


def one_setting(protocol: Path, data: Path | None) -> runner.Order:
    return runner.order(protocol, protectors=[ONE], data=data, store=protocol.parent / "store")


def test_a_sweep_shows_its_ends_and_what_lies_between_in_every_part(protocol: Path):
    names = [name.removeprefix("jpeg2000-window@") for name in shown_settings(runner.order(protocol).plan)]
    assert names == [f"{p}w4o{at}" for p in "lr" for at in (0, 4, 10, 16, 20)]


def test_named_settings_are_all_shown(protocol: Path):
    names = [f"jpeg2000-window@{name}" for name in ("lw4o0", "lw4o2", "rw4o2")]
    plan = runner.order(protocol, protectors=["identity", *names]).plan
    assert shown_settings(plan) == ["identity", *names]


def test_the_sheet_of_an_lfw_protocol_shows_drawn_faces_and_needs_no_data(protocol: Path, monkeypatch):
    monkeypatch.delenv("VEILBENCH_DATA", raising=False)
    order, folder = one_setting(protocol, None), protocol.parent
    draw_sheet(order.assignment, folder / "a.png", samples=2)
    draw_sheet(order.assignment, folder / "b.png", samples=2)
    assert (folder / "a.png").read_bytes() == (folder / "b.png").read_bytes()
    row = np.asarray(Image.open(folder / "a.png"))[-SIDE - 6 : -6]
    for face in open_dataset("synthetic", {}, None).load(["s0000/0", "s0001/0"]).samples:
        tile = np.asarray(Image.fromarray(face).resize((SIDE, SIDE), Image.Resampling.LANCZOS))
        found = [x for x in range(row.shape[1] - SIDE) if np.array_equal(row[:, x : x + SIDE], tile)]
        assert len(found) == 1  # the original; what is decoded without the key is another picture


def test_photographs_need_the_data(protocol: Path):
    with pytest.raises(InvalidInputError):
        draw_sheet(one_setting(protocol, protocol.parent).assignment, protocol.parent / "a.png", drawn_faces=False)
    assert not (protocol.parent / "a.png").exists()


def test_photographs_are_of_different_people(protocol: Path, data_root: Path):
    draw_sheet(one_setting(protocol, data_root).assignment, protocol.parent / "a.png", samples=2, drawn_faces=False)
    sheet = np.asarray(Image.open(protocol.parent / "a.png"))[-SIDE - 6 : -6]
    rows = [line.split(",") for line in SPLIT.read_text().splitlines()[1:]]
    first: dict[str, str] = {}
    for name in (name for row in rows for name in row[2:4]):
        first.setdefault(name.split("/")[0], name)
    for face in open_dataset("lfw", {}, data_root).load(list(first.values())[:2]).samples:
        tile = np.asarray(Image.fromarray(face).resize((SIDE, SIDE), Image.Resampling.LANCZOS))
        assert any(np.array_equal(sheet[:, x : x + SIDE], tile) for x in range(sheet.shape[1] - SIDE))
