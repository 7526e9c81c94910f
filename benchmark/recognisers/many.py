"""How millions of templates' pairs are compared: as a recogniser's `compare_all` does, to the bit, in less time.

Apart from the recognisers' own modules, whose code is part of the templates' names.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from benchmark.interfaces import Recogniser, Templates

from .all_pairs import CompareAll

#: Comparisons from which on it pays to compile a quicker way, which takes a second or two where it is not at hand.
MANY = 4_000_000
#: Templates of either side that go to a quicker way at once: it looks at each of them once a call.
MANY_TILE = (256, 512)


def compare_many(recogniser: Recogniser) -> CompareAll | None:
    """The same scores as the recogniser's `compare_all`, in less time a comparison; None where there is no such way.

    For sets of MANY comparisons and more.

    >>> from benchmark.recognisers import load_recogniser
    >>> compare_many(load_recogniser("lbp"))(np.eye(1, 4, dtype=np.float32), np.ones((1, 4), np.float32))
    array([[-3.]], dtype=float32)
    """
    from .lbp import LocalBinaryPatterns
    from .mblbp import MultiBlockLocalBinaryPatterns

    return _minus_chi_square if type(recogniser) in (LocalBinaryPatterns, MultiBlockLocalBinaryPatterns) else None


def _minus_chi_square(a: Templates, b: Templates) -> npt.NDArray[np.float32]:
    from .chi_square_counts import chi_square_counts_all

    return -chi_square_counts_all(a, b)
