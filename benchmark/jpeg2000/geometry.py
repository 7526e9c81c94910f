"""Where samples and coefficients lie: areas of tiles, resolutions and bands, and every code-block's place in them.

The coefficients of a tile-component form one plane, as large as the tile-component, with the bands where the wavelet
transform leaves them: the low-pass band in the top left corner, each resolution's HL to its right, LH below, HH across.
All planes follow one another in one array. Computed once per main header, as `layout` is. Source: ISO/IEC 15444-1
(T.800) annex B; coordinates are those of the component, of the resolution or of the band, ends exclusive.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from benchmark.errors import CodestreamError
from benchmark.jpeg2000.layout import Layout, layout
from benchmark.jpeg2000.markers import MainHeader

Ints = npt.NDArray[np.int32]
#: Coordinates may reach 2**32.
Areas = npt.NDArray[np.int64]

#: Coefficients of all tile-components together.
MAX_COEFFICIENTS = 1 << 24
#: Columns of `Geometry.code_blocks` and `Geometry.bands`.
TILE_COMPONENT, RESOLUTION, ORIENTATION, X0, Y0, X1, Y1 = range(7)


@dataclass(frozen=True)
class Geometry:
    """Areas as a main header states them. Arrays are shared: never write to them.

    A tile-component's number is tile * components + component; its resolutions are rows of their own, from the lowest
    up. Orientation is 0 for LL, 1 HL, 2 LH, 3 HH.
    """

    layout: Layout
    #: x0, y0, x1, y1 of each component on its own grid (components x 4).
    components: Areas
    #: x0, y0, x1, y1 of each resolution (tile-components * (levels + 1) x 4); the last of each is the tile-component.
    resolutions: Areas
    #: First coefficient of each tile-component's plane, and the number of all coefficients (tile-components + 1).
    planes: Ints
    #: Tile-component, resolution, orientation, x0, y0, x1, y1 of each band that is not empty.
    bands: Areas
    #: First coefficient of each band.
    band_offsets: Ints
    #: Tile-component, resolution, orientation, x0, y0, x1, y1 of each code-block, numbered as packet headers do.
    code_blocks: Areas
    #: First coefficient of each code-block.
    offsets: Ints


@lru_cache(maxsize=32)
def geometry(header_bytes: bytes) -> Geometry:
    """The areas that a main header (`markers.main_header_bytes`) states.

    Raises CodestreamError where it states more coefficients, code-blocks or packets than any sensible image has.

    >>> from benchmark.jpeg2000 import encode
    >>> from benchmark.jpeg2000.markers import main_header_bytes
    >>> header = main_header_bytes(encode(np.zeros((5, 6, 3), dtype=np.uint8), levels=1))
    >>> geometry(header).code_blocks[:4].tolist()  # LL, HL, LH and HH of the first component
    [[0, 0, 0, 0, 0, 3, 3], [0, 1, 1, 0, 0, 3, 3], [0, 1, 2, 0, 0, 3, 2], [0, 1, 3, 0, 0, 3, 2]]
    """
    found = layout(header_bytes)
    header = found.header
    area = header.size
    steps = np.array([(part.dx, part.dy) * 2 for part in area.components], dtype=np.int64)
    components = -(-np.array([area.x0, area.y0, area.x1, area.y1]) // steps)
    tile_components = _tile_components(header, steps)
    sizes = (tile_components[:, 2:] - tile_components[:, :2]).clip(0).prod(axis=1)
    if sizes.sum() > MAX_COEFFICIENTS:
        raise CodestreamError(f"codestream states {sizes.sum()} coefficients; at most {MAX_COEFFICIENTS} are supported")
    planes = np.concatenate([[0], sizes.cumsum()])
    resolutions, areas = _areas(header, tile_components)
    bands, offsets = _bands(header, resolutions, areas, planes)
    keys = bands[:, 0] * (header.levels + 1) + bands[:, 1], bands[:, 2]
    places = np.zeros((len(resolutions), 4), dtype=np.int64)
    places[keys] = offsets
    blocks = _code_blocks(found, resolutions, areas)
    row = blocks[:, 0] * (header.levels + 1) + blocks[:, 1]
    corner = areas[row, blocks[:, 2]]
    widths = (tile_components[:, 2] - tile_components[:, 0])[blocks[:, 0]]
    starts = places[row, blocks[:, 2]] + (blocks[:, Y0] - corner[:, 1]) * widths + blocks[:, X0] - corner[:, 0]
    return Geometry(
        layout=found,
        components=components,
        resolutions=resolutions,
        planes=planes.astype(np.int32),
        bands=bands,
        band_offsets=offsets.astype(np.int32),
        code_blocks=blocks,
        offsets=starts.astype(np.int32),
    )


def _tile_components(header: MainHeader, steps: Areas) -> Areas:
    """x0, y0, x1, y1 of each tile-component (equations B-7 to B-12)."""
    area = header.size
    across, down = area.tiles
    column, line = np.arange(across * down) % across, np.arange(across * down) // across
    begin_x, begin_y = area.tile_x0 + column * area.tile_width, area.tile_y0 + line * area.tile_height
    tiles = np.stack(
        [
            np.maximum(begin_x, area.x0),
            np.maximum(begin_y, area.y0),
            np.minimum(begin_x + area.tile_width, area.x1),
            np.minimum(begin_y + area.tile_height, area.y1),
        ],
        axis=1,
    )
    parts: Areas = -(-tiles[:, None, :] // steps)
    return parts.reshape(-1, 4)


def _areas(header: MainHeader, tile_components: Areas) -> tuple[Areas, Areas]:
    """Of every resolution: its own area (N x 4), and the areas of its bands by orientation (N x 4 x 4; B-14, B-15)."""
    resolution = np.tile(np.arange(header.levels + 1), len(tile_components))
    whole = np.repeat(tile_components, header.levels + 1, axis=0)
    depth = (header.levels - resolution)[:, None]
    own = _ceil_shift(whole, depth)
    areas = np.zeros((len(whole), 4, 4), dtype=np.int64)
    areas[:, 0] = np.where(resolution[:, None] == 0, own, 0)
    for orientation in (1, 2, 3):
        high = np.array([orientation & 1, orientation >> 1] * 2) << depth
        areas[:, orientation] = np.where(resolution[:, None] > 0, _ceil_shift(whole - high, depth + 1), 0)
    return own, areas


def _bands(header: MainHeader, resolutions: Areas, areas: Areas, planes: Areas) -> tuple[Areas, Areas]:
    """The table of bands that are not empty, and where in the array of coefficients each begins."""
    row, orientation = np.nonzero((areas[:, :, 2:] > areas[:, :, :2]).all(axis=2))
    tile_component, resolution = row // (header.levels + 1), row % (header.levels + 1)
    sizes = resolutions[:, 2:] - resolutions[:, :2]
    below = sizes[np.maximum(row - 1, 0)]
    stride = sizes[(tile_component + 1) * (header.levels + 1) - 1, 0]
    offsets = planes[tile_component] + (orientation & 1) * below[:, 0] + (orientation >> 1) * below[:, 1] * stride
    return np.column_stack([tile_component, resolution, orientation, areas[row, orientation]]), offsets


def _code_blocks(found: Layout, resolutions: Areas, areas: Areas) -> Areas:
    """The table of code-blocks, in the order of `found.pieces` and in raster order within each (B.6, B.7, B.9)."""
    header = found.header
    counts = found.pieces[:, 0] * found.pieces[:, 1]
    piece = np.repeat(np.arange(len(counts)), counts)
    within = np.arange(len(piece)) - found.pieces[piece, 2]
    wide = found.pieces[piece, 0]
    place = np.stack([within % wide, within // wide], axis=1)
    precinct = np.repeat(np.arange(len(found.precincts) - 1), np.diff(found.precincts[:, 4]))[piece]
    tile, component, resolution, number, first_piece = found.precincts[precinct].T.astype(np.int64)
    tile_component = tile * len(header.size.components) + component
    row = tile_component * (header.levels + 1) + resolution
    orientation = np.where(resolution == 0, 0, piece - first_piece + 1)

    exponents = np.array(header.precincts, dtype=np.int64)[resolution]
    whole = resolutions[row]
    across = (_ceil_shift(whole[:, 2], exponents[:, 0]) - (whole[:, 0] >> exponents[:, 0])).clip(1)
    index = (whole[:, :2] >> exponents) + np.stack([number % across, number // across], axis=1)
    inner = exponents - (resolution > 0)[:, None]
    band = areas[row, orientation]
    begin = np.maximum(index << inner, band[:, :2])
    end = np.minimum((index + 1) << inner, band[:, 2:])
    side = np.minimum(np.array(header.code_block), inner)
    grid = (begin >> side) + place
    corners = np.maximum(grid << side, begin), np.minimum((grid + 1) << side, end)
    return np.column_stack([tile_component, resolution, orientation, *corners])


def _ceil_shift(values: Areas, times: Areas) -> Areas:
    """Divided by 2 to the power `times`, rounded up."""
    return -(-values >> times)
