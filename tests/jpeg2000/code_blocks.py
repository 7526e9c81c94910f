"""Code-blocks of codestreams without a wavelet, decoded by tier-1 alone: a coefficient is then a sample less 128."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from benchmark.jpeg2000.codestream import parse
from benchmark.jpeg2000.tier1 import BLOCK_REPORT, CONCEALMENT, decode_blocks

Ints = npt.NDArray[np.int32]
#: OpenJPEG's two guard bits and eight of depth, without wavelet.
PLANES = 9


@dataclass
class CodeBlocks:
    """The arguments of `decode_blocks` for a codestream of one tile, levels=0."""

    data: npt.NDArray[np.uint8]
    rows: Ints
    first_row: Ints
    blocks: Ints
    style: int
    shape: tuple[int, int, int]

    def decode(
        self, conceal: str = "off", erase: tuple[int, int] = (-1, -1)
    ) -> tuple[Ints, npt.NDArray[np.void], Ints]:
        """Coefficients (components x H x W), the report (one row a block), bytes consumed (one a row)."""
        coefficients = np.zeros(int(np.prod(self.shape)), dtype=np.int32)
        report = np.empty((len(self.blocks), 8), dtype=np.int32)
        consumed = np.empty(len(self.rows), dtype=np.int32)
        decode_blocks(
            self.data, self.rows, self.first_row, self.blocks, self.style, CONCEALMENT[conceal], *erase, coefficients,
            report, consumed,
        )  # fmt: skip
        return coefficients.reshape(self.shape), report.view(BLOCK_REPORT).reshape(-1), consumed

    def limited(self, passes: Ints) -> Ints:
        """Coefficients of no more than so many passes of each block, all bytes being there."""
        rows = self.rows.copy()
        for block, limit in enumerate(passes):
            own = rows[self.first_row[block] : self.first_row[block + 1], 2]
            before = np.cumsum(own) - own
            own[:] = np.clip(limit - before, 0, own)
        # A row that lost all passes keeps its bytes, which the decoder may look ahead into.
        return CodeBlocks(self.data, rows, self.first_row, self.blocks, self.style, self.shape).decode()[0]


def code_blocks(codestream: bytes) -> CodeBlocks:
    """Of a codestream that `encode` made with levels=0."""
    parsed = parse(codestream, capacity=4096)
    header = parsed.layout.header
    width, height, components = header.size.x1, header.size.y1, len(header.size.components)
    across, down = 1 << header.code_block[0], 1 << header.code_block[1]
    blocks = [
        ((component * height + y) * width + x, width, min(across, width - x), min(down, height - y), 0, PLANES)
        for component in range(components)
        for y in range(0, height, down)
        for x in range(0, width, across)
    ]
    rows = parsed.segments[np.argsort(parsed.segments[:, 1], kind="stable")]
    first_row = np.searchsorted(rows[:, 1], np.arange(len(blocks) + 1)).astype(np.int32)
    shape = components, height, width
    return CodeBlocks(parsed.data, rows, first_row, np.array(blocks, dtype=np.int32), header.style, shape)


def picture(coefficients: Ints) -> npt.NDArray[np.uint8]:
    """The image (uint8, H x W x 3) by the reversible colour transform (T.800 G.2)."""
    luma, blue, red = np.sign(coefficients) * (np.abs(coefficients) >> 1)
    green = luma - ((blue + red) >> 2)
    return np.clip(np.stack([red + green, green, blue + green], axis=-1) + 128, 0, 255).astype(np.uint8)
