"""Keyed transforms of samples that cancelable biometrics rest on; protectors and the attacks on them share them."""

from __future__ import annotations

from benchmark.cancelable.remapping import block_grid, block_sources, remap_blocks
from benchmark.cancelable.warping import edges, source_positions, vertex_offsets, warp

__all__ = ["block_grid", "block_sources", "edges", "remap_blocks", "source_positions", "vertex_offsets", "warp"]
