"""Code-blocks' places against annex B, written out as loops, and against what must hold for any partition."""

from __future__ import annotations

from math import ceil
from typing import Any

import numpy as np
import pytest
from headers import main_header
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmark.errors import CodestreamError
from benchmark.jpeg2000.geometry import ORIENTATION, RESOLUTION, TILE_COMPONENT, X0, X1, Y0, Y1, geometry

SETTINGS = st.fixed_dictionaries(
    {
        "origin": st.tuples(st.integers(0, 40), st.integers(0, 40)),
        "size": st.tuples(st.integers(1, 60), st.integers(1, 60)),
        "tile_origin": st.tuples(st.integers(0, 40), st.integers(0, 40)),
        "tile": st.tuples(st.integers(20, 80), st.integers(20, 80)),
        "steps": st.lists(st.tuples(st.integers(1, 3), st.integers(1, 3)), min_size=1, max_size=3),
        "levels": st.integers(0, 4),
        "code_block": st.tuples(st.integers(2, 6), st.integers(2, 6)),
        "precinct": st.none() | st.tuples(st.integers(1, 6), st.integers(1, 6)),
    }
)


def header_of(chosen: dict[str, Any]) -> bytes:
    (x0, y0), (width, height) = chosen["origin"], chosen["size"]
    tile_x0, tile_y0 = (min(pair) for pair in zip(chosen["tile_origin"], chosen["origin"], strict=True))
    across = max(chosen["tile"][0], x0 - tile_x0 + 1)
    down = max(chosen["tile"][1], y0 - tile_y0 + 1)
    return main_header(
        (x0, y0, x0 + width, y0 + height),
        tile=(tile_x0, tile_y0, across, down),
        steps=chosen["steps"],
        levels=chosen["levels"],
        code_block=chosen["code_block"],
        precincts=[chosen["precinct"]] * (chosen["levels"] + 1) if chosen["precinct"] else (),
    )


def blocks_by_the_standard(header: Any) -> list[tuple[int, ...]]:
    """Tile-component, resolution, orientation, x0, y0, x1, y1 of every code-block, in the order of packets."""
    size, found = header.size, []
    across, down = size.tiles
    for tile in range(across * down):
        p, q = tile % across, tile // across
        tx0, ty0 = max(size.tile_x0 + p * size.tile_width, size.x0), max(size.tile_y0 + q * size.tile_height, size.y0)
        tx1 = min(size.tile_x0 + (p + 1) * size.tile_width, size.x1)
        ty1 = min(size.tile_y0 + (q + 1) * size.tile_height, size.y1)
        for index, part in enumerate(size.components):
            corner = [ceil(tx0 / part.dx), ceil(ty0 / part.dy), ceil(tx1 / part.dx), ceil(ty1 / part.dy)]
            for r in range(header.levels + 1):
                number = tile * len(size.components) + index
                found += [(number, r, *block) for block in _of_resolution(header, corner, r)]
    return found


def _of_resolution(header: Any, corner: list[int], r: int) -> list[tuple[int, ...]]:
    ppx, ppy = header.precincts[r]
    rx0, ry0, rx1, ry1 = (ceil(value / 2 ** (header.levels - r)) for value in corner)
    if rx0 >= rx1 or ry0 >= ry1:
        return []
    found = []
    for py in range(ry0 // 2**ppy, ceil(ry1 / 2**ppy)):
        for px in range(rx0 // 2**ppx, ceil(rx1 / 2**ppx)):
            for band in (0,) if r == 0 else (1, 2, 3):
                nb = header.levels if r == 0 else header.levels - r + 1
                shift = (band & 1, band >> 1) * 2
                # Equation B-15; half an octave's shift exists for high-pass bands only, so nb is at least 1 there.
                bx0, by0, bx1, by1 = (
                    ceil((value - 2 ** (nb - 1) * high) / 2**nb) if high else ceil(value / 2**nb)
                    for value, high in zip(corner, shift, strict=True)
                )
                wide, tall = (ppx, ppy) if r == 0 else (ppx - 1, ppy - 1)
                left, top = max(bx0, px * 2**wide), max(by0, py * 2**tall)
                right, bottom = min(bx1, (px + 1) * 2**wide), min(by1, (py + 1) * 2**tall)
                if left >= right or top >= bottom:
                    continue
                xcb, ycb = min(header.code_block[0], wide), min(header.code_block[1], tall)
                for line in range(top // 2**ycb, ceil(bottom / 2**ycb)):
                    for column in range(left // 2**xcb, ceil(right / 2**xcb)):
                        x0, y0 = max(left, column * 2**xcb), max(top, line * 2**ycb)
                        x1, y1 = min(right, (column + 1) * 2**xcb), min(bottom, (line + 1) * 2**ycb)
                        found.append((band, x0, y0, x1, y1))
    return found


@settings(max_examples=150, deadline=None)
@given(SETTINGS)
def test_code_blocks_are_the_standard_s(chosen: dict[str, Any]) -> None:
    found = geometry(header_of(chosen))
    assert list(map(tuple, found.code_blocks.tolist())) == blocks_by_the_standard(found.layout.header)


@settings(max_examples=100, deadline=None)
@given(SETTINGS)
def test_every_coefficient_has_one_place(chosen: dict[str, Any]) -> None:
    found = geometry(header_of(chosen))
    levels = found.layout.header.levels
    own = found.resolutions[levels :: levels + 1]
    for areas, offsets in ((found.code_blocks, found.offsets), (found.bands, found.band_offsets)):
        covered = np.zeros(found.planes[-1], dtype=np.int64)
        for area, offset in zip(areas, offsets, strict=True):
            stride = own[area[TILE_COMPONENT], 2] - own[area[TILE_COMPONENT], 0]
            rows = offset + np.arange(area[Y1] - area[Y0])[:, None] * stride
            covered[rows + np.arange(area[X1] - area[X0])] += 1
        assert (covered == 1).all()


@settings(max_examples=100, deadline=None)
@given(SETTINGS)
def test_tiles_cover_each_component_once(chosen: dict[str, Any]) -> None:
    found = geometry(header_of(chosen))
    levels, count = found.layout.header.levels, len(found.components)
    for component, (x0, y0, x1, y1) in enumerate(found.components):
        covered = np.zeros((max(y1 - y0, 0), max(x1 - x0, 0)), dtype=np.int64)
        for left, top, right, bottom in found.resolutions[levels :: levels + 1][component::count]:
            covered[top - y0 : bottom - y0, left - x0 : right - x0] += 1
        assert (covered == 1).all()


def test_bands_lie_where_the_wavelet_looks_for_them() -> None:
    found = geometry(main_header((0, 0, 5, 7), levels=1))
    places = dict(zip(map(tuple, found.bands[:, [RESOLUTION, ORIENTATION]].tolist()), found.band_offsets, strict=True))
    # 5 x 7: the low-pass band is 3 x 4, in a plane of 5 a row.
    assert places == {(0, 0): 0, (1, 1): 3, (1, 2): 4 * 5, (1, 3): 4 * 5 + 3}


def test_coordinates_above_31_bits_stay_exact() -> None:
    far = 2**32 - 20
    found = geometry(main_header((far, far, far + 13, far + 9), levels=2))
    assert found.resolutions[-1].tolist() == [far, far, far + 13, far + 9]
    assert found.planes.tolist() == [0, 13 * 9]


def test_absurd_amounts_of_coefficients_are_refused() -> None:
    with pytest.raises(CodestreamError, match="coefficients"):
        geometry(main_header((0, 0, 2048, 2048), steps=[(1, 1)] * 5))
