"""Undo a block-based warp under its key."""

from __future__ import annotations

import numpy as np

from benchmark.cancelable.inversion import unwarped
from benchmark.cancelable.warping import source_positions, vertex_offsets
from benchmark.errors import InvalidInputError
from benchmark.interfaces import Attack, Evidence, MaybeSamples

#: Samples whose positions are held at once: 100 kB each at 112 x 112.
BATCH = 32


class Unwarp(Attack):
    """The smoothest original that explains the warped sample."""

    def run(self, evidence: Evidence, *, generator: np.random.Generator) -> MaybeSamples:
        """Images of N warped samples (uint8, N x H x W x 3)."""
        if evidence.keys is None or evidence.algorithm is None:
            raise InvalidInputError("unwarp needs the algorithm and the keys")
        if evidence.algorithm["id"] != "block-warping":
            raise InvalidInputError(f"unwarp undoes block-warping, not {evidence.algorithm['id']}")
        parameters, warped = evidence.algorithm["parameters"], np.asarray(evidence.protected)
        mesh = {"shape": warped.shape[1:3], "block_size": parameters["block_size"]}
        restored = np.empty(warped.shape, np.uint8)
        positions = np.empty((min(BATCH, len(warped)), 2, *warped.shape[1:3]), np.float32)
        for start in range(0, len(warped), BATCH):
            part = slice(start, start + BATCH)
            offsets = vertex_offsets(evidence.keys[part], max_offset=parameters["max_offset"], **mesh)
            restored[part] = unwarped(warped[part], source_positions(offsets, out=positions, **mesh))
        return restored
