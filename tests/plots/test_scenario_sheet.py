"""The contact sheet of an all-pairs protocol: which columns it has, and whose pixels."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from benchmark import runner
from benchmark.datasets import open_dataset
from benchmark.errors import InvalidInputError
from benchmark.plots.scenario_sheet import SIDE, draw_scenario_sheet
from benchmark.show import GAP

COLUMNS = ["original", "warp_20_9", "sigma-8"]


@pytest.fixture(scope="module")
def sheet(tmp_path_factory) -> tuple[np.ndarray, Path]:
    folder = tmp_path_factory.mktemp("sheet")
    order = runner.order("demo-cancelable", store=folder / "store")
    draw_scenario_sheet(order.assignment, folder / "sheet.png", samples=2)
    return np.asarray(Image.open(folder / "sheet.png")), folder


def small(sample: np.ndarray) -> np.ndarray:
    return np.asarray(Image.fromarray(sample).resize((SIDE, SIDE), Image.Resampling.LANCZOS))


def faces() -> np.ndarray:
    return open_dataset("synthetic", {}, None).load(["s0000/0", "s0001/0"]).samples


def place_of(sheet: np.ndarray, tile: np.ndarray) -> tuple[int, int]:
    """(left, top) of a tile that stands on the sheet exactly once."""
    corners = np.argwhere((sheet == tile[0, 0]).all(axis=2))
    inside = [(y, x) for y, x in corners if y + SIDE <= len(sheet) and x + SIDE <= sheet.shape[1]]
    [found] = [(x, y) for y, x in inside if np.array_equal(sheet[y : y + SIDE, x : x + SIDE], tile)]
    return found


def test_rows_are_samples_and_columns_settings(sheet):
    picture, _ = sheet
    originals = [place_of(picture, small(face)) for face in faces()]
    assert originals[0][0] == originals[1][0]
    assert originals[1][1] - originals[0][1] == SIDE + GAP
    blurred = [cv2.GaussianBlur(face, (0, 0), 8.0, borderType=cv2.BORDER_REFLECT) for face in faces()]
    left, top = originals[0][0] + 2 * (SIDE + GAP), originals[0][1]
    shown = picture[top : top + SIDE, left : left + SIDE].astype(int)
    assert np.abs(shown - small(blurred[0])).mean() < 2


def test_below_stands_what_who_has_the_key_gets_back(sheet):
    picture, _ = sheet
    original = small(faces()[0]).astype(int)
    left, top = place_of(picture, small(faces()[0]))
    warped = left + SIDE + GAP
    below = top + 2 * (SIDE + GAP) + 2 * GAP
    protected = picture[top : top + SIDE, warped : warped + SIDE]
    undone = picture[below : below + SIDE, warped : warped + SIDE]
    assert np.abs(undone - original).mean() < np.abs(protected - original).mean() / 2
    assert (picture[below : below + SIDE, left : left + SIDE] == 255).all()
    assert (picture[below : below + SIDE, warped + SIDE + GAP :] == 255).all()  # there is no key to a blur


def test_where_nothing_shows_anything_one_line_says_so(tmp_path):
    order = runner.order("demo-cancelable", protectors=["biohashing"], store=tmp_path)
    with pytest.raises(InvalidInputError, match="no setting protects samples"):
        draw_scenario_sheet(order.assignment, tmp_path / "a.png")
    none = replace(order.assignment, plan=replace(order.assignment.plan, jobs=()))
    with pytest.raises(InvalidInputError, match="no setting protects samples"):
        draw_scenario_sheet(none, tmp_path / "a.png")
    assert not (tmp_path / "a.png").exists()
