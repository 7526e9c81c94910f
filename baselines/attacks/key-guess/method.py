"""Guess where the blocks of a re-mapped face belong: from what faces look like, and from the seams."""

from __future__ import annotations

import numpy as np

from benchmark.cancelable.arrangement import Arranger, rearranged
from benchmark.cancelable.block_prior import learn_blocks
from benchmark.cancelable.filling import filled
from benchmark.cancelable.remapping import block_grid
from benchmark.errors import InvalidInputError
from benchmark.interfaces import Attack, Evidence, Learned, MaybeSamples, TrainingPairs


class KeyGuess(Attack):
    """Searches the arrangements that a key can lead to, not the keys."""

    def fit(self, training: TrainingPairs, *, generator: np.random.Generator) -> Learned:
        """Which block lies where in aligned faces, from the attacker's originals alone."""
        return learn_blocks(training.originals, block_size=_settings(training.evidence)[0])

    def restore(self, learned: Learned) -> None:
        self.arranger = Arranger.of(learned)

    def run(self, evidence: Evidence, *, generator: np.random.Generator) -> MaybeSamples:
        """Images of N re-mapped samples (uint8, N x H x W x 3)."""
        block_size, lost = _settings(evidence)
        protected = np.asarray(evidence.protected)
        rows, columns = block_grid((protected.shape[1], protected.shape[2]), block_size)
        image, covered, _ = rearranged(
            protected, self.arranger, block_size=block_size, lost=round(rows * columns * lost / 100)
        )
        return filled(image, covered)


def _settings(evidence: Evidence) -> tuple[int, float]:
    """Side of a block, and the share of lost ones in %."""
    if evidence.algorithm is None:
        raise InvalidInputError("key-guess needs the algorithm")
    if evidence.algorithm["id"] != "block-remapping":
        raise InvalidInputError(f"key-guess arranges blocks of block-remapping, not of {evidence.algorithm['id']}")
    parameters = evidence.algorithm["parameters"]
    return parameters["block_size"], parameters["lost"]
