"""Find the encrypted bytes by what does not fit, then decode without them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from benchmark.errors import CodestreamError
from benchmark.interfaces import Attack, Evidence, MaybeSamples
from benchmark.jpeg2000 import decode
from benchmark.jpeg2000.window_search import find_window
from benchmark.render import render


class WindowSearch(Attack):
    """Knows neither window nor key nor algorithm."""

    def run(self, evidence: Evidence, *, generator: np.random.Generator) -> MaybeSamples:
        """Images of N protected samples; None where nothing can be decoded."""
        return [self._searched(data) for data in evidence.protected]

    def _searched(self, data: bytes) -> npt.NDArray[np.uint8] | None:
        try:
            start, stop = find_window(data)
            return decode(data, erase=(start, stop) if stop else None)
        except CodestreamError:  # ours decodes less than a viewer does
            return render([data])[0]
