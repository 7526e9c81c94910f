"""Where a main header puts precincts, code-blocks and packets: computed once per header, shared by all samples.

All crops of one protocol have the same main header, so this is cached and may be plain; what runs per sample is
`packet_headers`. Source: ISO/IEC 15444-1 (T.800) annex B.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from benchmark.errors import CodestreamError
from benchmark.jpeg2000.markers import MAX_PACKETS, MainHeader, main_header

Ints = npt.NDArray[np.int32]

MAX_CODE_BLOCKS = 1 << 18
MAX_PIECES = 1 << 15
MAX_RESOLUTIONS = 1 << 12  # over all tiles and components


@dataclass(frozen=True)
class Layout:
    """Packets in codestream order, and what each precinct holds. Arrays are shared: never write to them.

    (They are not marked so: numba's dispatch takes microseconds longer for an array that is.)

    A piece is the part of one subband that lies in one precinct: a grid of code-blocks with its two tag trees.
    """

    header: MainHeader
    #: First packet of each tile (tiles + 1).
    tile_packets: Ints
    #: Precinct and layer of each packet, tile after tile.
    sequence: Ints
    #: Tile, component, resolution, number within the resolution, first piece; one more row to say where pieces end.
    precincts: Ints
    #: Code-blocks across, down, the first one's number, first tag-tree node, number of nodes.
    pieces: Ints
    #: Parent of each tag-tree node, -1 for a root; a piece's leaves come first, in raster order.
    parents: Ints
    code_blocks: int


@lru_cache(maxsize=32)
def layout(header_bytes: bytes) -> Layout:
    """The layout that a main header (`main_header_bytes`) states.

    Raises CodestreamError where it states more packets, code-blocks or precincts than any sensible image has.
    """
    header = main_header(header_bytes)
    across, down = header.size.tiles
    if across * down * len(header.size.components) * (header.levels + 1) > MAX_RESOLUTIONS:
        raise CodestreamError("codestream states too many tiles, components and resolutions")
    rows: list[tuple[int, ...]] = []
    grids: list[tuple[int, int]] = []
    for tile in range(across * down):
        for component in range(len(header.size.components)):
            for resolution in range(header.levels + 1):
                spare = min(MAX_PACKETS // header.layers - len(rows), (MAX_PIECES - len(grids)) // 3)
                for place, contents in _precincts(header, tile, component, resolution, spare):
                    rows.append((tile, component, resolution, *place, len(grids)))
                    grids += contents
    if sum(w * h for w, h in grids) > MAX_CODE_BLOCKS:
        raise CodestreamError("codestream states too many code-blocks")
    table = np.array([*rows, (0, 0, 0, 0, 0, 0, len(grids))], dtype=np.int64)
    pieces, parents = _trees(grids)
    sequence = _order(header, table[:-1])
    tile_packets = np.searchsorted(table[sequence[:, 0], 0], np.arange(across * down + 1)).astype(np.int32)
    precincts = np.ascontiguousarray(table[:, [0, 1, 2, 3, 6]], dtype=np.int32)
    return Layout(header, tile_packets, sequence, precincts, pieces, parents, sum(w * h for w, h in grids))


def _precincts(
    header: MainHeader, tile: int, component: int, resolution: int, limit: int
) -> Iterator[tuple[tuple[int, int, int], list[tuple[int, int]]]]:
    """Each precinct of a resolution: (number, y, x on the reference grid), and code-blocks across and down by band."""
    across, _ = header.size.tiles
    part = header.size.components[component]
    columns = _axis(header, resolution, 0, tile % across, part.dx, limit)
    lines = _axis(header, resolution, 1, tile // across, part.dy, limit)
    if len(columns) * len(lines) > limit:
        raise CodestreamError("codestream states too many packets or precincts")
    # Bands as (horizontal, vertical), 1 for high-pass: LL alone at resolution 0, else HL, LH, HH.
    bands = [(0, 0)] if resolution == 0 else [(1, 0), (0, 1), (1, 1)]
    for line, (y, down) in enumerate(lines):
        for column, (x, wide) in enumerate(columns):
            grids = [(wide[h], down[v]) if wide[h] and down[v] else (0, 0) for h, v in bands]
            yield (line * len(columns) + column, y, x), grids


@lru_cache(maxsize=1024)
def _axis(
    header: MainHeader, resolution: int, axis: int, tile: int, step: int, limit: int
) -> list[tuple[int, list[int]]]:
    """Precincts along one axis: position on the reference grid, and code-blocks in the low-pass and high-pass band.

    `axis` is 0 across, 1 down; `tile` counts along it; `step` is the component's subsampling. Equations B-7 to B-16.
    """
    area = header.size
    origin, size, low, high = (
        (area.tile_x0, area.tile_width, area.x0, area.x1),
        (area.tile_y0, area.tile_height, area.y0, area.y1),
    )[axis]
    start, stop = max(origin + tile * size, low), min(origin + (tile + 1) * size, high)
    first, last = -(-start // step), -(-stop // step)
    depth = header.levels - resolution
    begin, end = _halved(first, depth), _halved(last, depth)
    if begin >= end:
        return []
    precinct = header.precincts[resolution][axis]
    numbers = range(begin >> precinct, _halved(end, precinct))
    if len(numbers) > limit:
        raise CodestreamError("codestream states too many packets or precincts")
    if resolution == 0:
        bands, inner = [(begin, end)], precinct
    else:
        shifted = [(first - (high_pass << depth), last - (high_pass << depth)) for high_pass in (0, 1)]
        bands, inner = [(_halved(a, depth + 1), _halved(b, depth + 1)) for a, b in shifted], precinct - 1
    block = min(header.code_block[axis], inner)
    return [
        (
            max(start, (number << (precinct + depth)) * step),
            [_blocks(max(a, number << inner), min(b, (number + 1) << inner), block) for a, b in bands],
        )
        for number in numbers
    ]


def _halved(value: int, times: int) -> int:
    """Divided by 2 to the power `times`, rounded up."""
    return -(-value >> times)


def _blocks(begin: int, end: int, exponent: int) -> int:
    return _halved(end, exponent) - (begin >> exponent) if begin < end else 0


def _order(header: MainHeader, precincts: npt.NDArray[np.int64]) -> Ints:
    """Precinct and layer of every packet, in the order of the progression (B.12.1), tile after tile."""
    index = np.repeat(np.arange(len(precincts)), header.layers)
    layer = np.tile(np.arange(header.layers), len(precincts))
    tile, component, resolution, number, y, x, _ = precincts[index].T
    keys = (
        (layer, resolution, component, number),
        (resolution, layer, component, number),
        (resolution, y, x, component, number, layer),
        (y, x, component, resolution, number, layer),
        (component, y, x, resolution, number, layer),
    )[header.progression]
    order = np.lexsort((*reversed(keys), tile))
    return np.stack([index[order], layer[order]], axis=1).astype(np.int32)


def _trees(grids: list[tuple[int, int]]) -> tuple[Ints, Ints]:
    """The table of pieces, and every tag-tree node's parent (B.10.2)."""
    pieces = np.zeros((len(grids), 5), dtype=np.int32)
    parents = [np.zeros(0, dtype=np.int32)]
    block = node = 0
    for index, (width, height) in enumerate(grids):
        tree = _parents(width, height)
        pieces[index] = width, height, block, node, len(tree)
        parents.append(np.where(tree < 0, -1, tree + node).astype(np.int32))
        block, node = block + width * height, node + len(tree)
    return pieces, np.concatenate(parents)


@lru_cache(maxsize=1024)
def _parents(width: int, height: int) -> Ints:
    parents: list[int] = []
    while width * height > 1:
        above = len(parents) + width * height
        half = (width + 1) // 2
        parents += [above + (y // 2) * half + x // 2 for y in range(height) for x in range(width)]
        width, height = half, (height + 1) // 2
    return np.array(parents + [-1] * (width * height), dtype=np.int32)
