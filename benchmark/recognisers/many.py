"""How millions of templates' pairs are compared: as a recogniser's `compare_all` does, to the bit, in less time.

Apart from the recognisers' own modules, whose code is part of the templates' names.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from benchmark.interfaces import Recogniser, Templates

if TYPE_CHECKING:
    from .chi_square_counts import Histograms

#: Comparisons from which on it pays to compile a quicker way, which takes a second or two where it is not at hand.
MANY = 4_000_000
#: Templates of either side that go to a quicker way at once.
MANY_TILE = (256, 512)


class CompareMany(NamedTuple):
    """A quicker way, for `benchmark.recognisers.all_pairs` with tiles of MANY_TILE."""

    #: What it makes of all templates (float32, N x D) of a side, before they are cut into tiles.
    prepare: Callable[[Templates], Histograms]
    #: Scores (float32, N x M) of every one of a tile with every one of another.
    compare_all: Callable[[Histograms, Histograms], npt.NDArray[np.float32]]


def compare_many(recogniser: Recogniser) -> CompareMany | None:
    """The same scores as the recogniser's `compare_all`, in less time a comparison; None where there is no such way.

    For sets of MANY comparisons and more.

    >>> from benchmark.recognisers import load_recogniser
    >>> prepare, compare_all = compare_many(load_recogniser("lbp"))
    >>> compare_all(prepare(np.eye(1, 4, dtype=np.float32)), prepare(np.ones((1, 4), np.float32)))
    array([[-3.]], dtype=float32)
    """
    from .lbp import LocalBinaryPatterns
    from .mblbp import MultiBlockLocalBinaryPatterns

    quick = type(recogniser) in (LocalBinaryPatterns, MultiBlockLocalBinaryPatterns)
    return CompareMany(_histograms, _minus_chi_square) if quick else None


def _histograms(templates: Templates) -> Histograms:
    from .chi_square_counts import Histograms

    return Histograms.of(templates)


def _minus_chi_square(a: Histograms, b: Histograms) -> npt.NDArray[np.float32]:
    from .chi_square_counts import chi_square_counts_all

    return -chi_square_counts_all(a, b)
