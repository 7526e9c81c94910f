"""The check that every recogniser makes of what it is given."""

from __future__ import annotations

import numpy as np

from benchmark.errors import InvalidInputError
from benchmark.interfaces import Samples

SHAPE = (112, 112, 3)


def require_aligned(samples: Samples) -> None:
    """Raises InvalidInputError unless samples are uint8, N x 112 x 112 x 3.

    >>> require_aligned(np.zeros((2, 112, 112, 3), np.uint8))
    """
    if samples.dtype != np.uint8 or samples.shape[1:] != SHAPE:
        raise InvalidInputError(
            f"recognisers take uint8 samples of shape N x 112 x 112 x 3, not {samples.dtype} {samples.shape}; "
            "align and resize the images first"
        )
