"""Contact sheets: which settings, which faces, and what a picture holds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmark import runner
from benchmark.datasets import open_dataset
from benchmark.errors import InvalidInputError
from benchmark.plots.sheet import SIDE, draw_sheet, shown_settings

ONE = "jpeg2000-window@lw4o0-document"


def chosen(folder: Path, data: Path | None) -> runner.Order:
    """One setting of an LFW protocol under one attack."""
    options = {"protectors": [ONE], "attacks": ["direct-decode"], "store": folder / "store"}
    return runner.order("lfw-jpeg2000-large-dev", data=data, **options)


def test_a_sweep_shows_its_ends_and_what_lies_between_in_every_part():
    plan = runner.order("lfw-jpeg2000-large-dev").plan
    names = [name.removeprefix("jpeg2000-window@") for name in shown_settings(plan)]
    assert names == [f"{p}w4o{at}-document" for p in "lr" for at in (0, 4, 10, 16, 20)]


def test_named_settings_are_all_shown():
    plan = runner.order("demo").plan
    assert shown_settings(plan) == list(dict.fromkeys(job.protector.name for job in plan.jobs))


def test_the_sheet_of_an_lfw_protocol_shows_drawn_faces_and_needs_no_data(tmp_path: Path, monkeypatch):
    monkeypatch.delenv("VEILBENCH_DATA", raising=False)
    order = chosen(tmp_path, None)
    draw_sheet(order.assignment, tmp_path / "a.png", samples=2)
    draw_sheet(order.assignment, tmp_path / "b.png", samples=2)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    sheet = np.asarray(Image.open(tmp_path / "a.png"))
    faces = open_dataset("synthetic", {}, None).load(["s0000/0", "s0001/0"]).samples
    for face in faces:
        tile = np.asarray(Image.fromarray(face).resize((SIDE, SIDE), Image.Resampling.LANCZOS))
        row = sheet[-SIDE - 6 : -6]
        found = [x for x in range(row.shape[1] - SIDE) if np.array_equal(row[:, x : x + SIDE], tile)]
        assert len(found) == 1  # the original; what is decoded without the key is another picture


def test_photographs_need_the_data(tmp_path: Path):
    order = chosen(tmp_path, tmp_path)
    with pytest.raises(InvalidInputError):
        draw_sheet(order.assignment, tmp_path / "a.png", drawn_faces=False)
    assert not (tmp_path / "a.png").exists()


def test_photographs_are_of_different_people(data_root: Path, tmp_path: Path):
    order = chosen(tmp_path, data_root)
    draw_sheet(order.assignment, tmp_path / "a.png", samples=2, drawn_faces=False)
    assert Image.open(tmp_path / "a.png").height > SIDE
