"""Undo a block re-mapping under its key, and fill what it has lost."""

from __future__ import annotations

import numpy as np

from benchmark.cancelable.filling import filled, put_back
from benchmark.cancelable.remapping import block_grid, block_sources
from benchmark.errors import InvalidInputError
from benchmark.interfaces import Attack, Evidence, MaybeSamples


class RemapInvert(Attack):
    """Blocks go back to where they came from; lost ones are filled from their neighbourhood."""

    def run(self, evidence: Evidence, *, generator: np.random.Generator) -> MaybeSamples:
        """Images of N re-mapped samples (uint8, N x H x W x 3)."""
        if evidence.keys is None or evidence.algorithm is None:
            raise InvalidInputError("remap-invert needs the algorithm and the keys")
        if evidence.algorithm["id"] != "block-remapping":
            raise InvalidInputError(f"remap-invert undoes block-remapping, not {evidence.algorithm['id']}")
        parameters, remapped = evidence.algorithm["parameters"], np.asarray(evidence.protected)
        rows, columns = block_grid((remapped.shape[1], remapped.shape[2]), parameters["block_size"])
        lost = round(rows * columns * parameters["lost"] / 100)
        sources = block_sources(evidence.keys, blocks=rows * columns, lost=lost)
        return filled(*put_back(remapped, sources, block_size=parameters["block_size"]))
