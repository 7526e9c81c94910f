"""Chi-square distances of histograms of small counts: the same bits as `chi_square_all`, several times faster.

Two counts below 256 have few quotients (x - y)^2 / (x + y), so that they are divided once and looked up from then on:
vector units that hold 32 numbers at hand (AVX-512) do so in a tenth of a division's time. What is added in which order
stays as it is in `chi_square`, whose code is part of the templates' names; this is apart from it and changes no bit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numba.core.registry import cpu_target

from benchmark.compiling import compiling
from benchmark.interfaces import Templates

from .chi_square import LANES, chi_square_all
from .chi_square_lookup import FAR, GROUP, WIDTH, distances

Counts = npt.NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Histograms:
    """N histograms, and their counts in the order in which they are looked up; sorted once, however they are cut."""

    #: float32, N x D.
    plain: Templates
    #: uint8, groups x 64 lanes x D/64 x GROUP; None where they cannot be looked up.
    counts: Counts | None

    @classmethod
    def of(cls, plain: Templates) -> Histograms:
        """Histograms (float32, N x D): to be looked up where all are whole numbers of 0..255, and with AVX-512.

        >>> len(Histograms.of(np.eye(3, dtype=np.float32))[:2])
        2
        """
        usable = can_look_up() and plain.ndim == 2 and plain.shape[1] > 0
        return cls(plain, _grouped(plain) if usable else None)

    def __len__(self) -> int:
        """How many histograms there are."""
        return len(self.plain)

    def __getitem__(self, rows: slice) -> Histograms:
        """Those of a slice; one that does not begin with a group would have to sort them again, and is refused."""
        start, stop, step = rows.indices(len(self))
        if start % GROUP or step != 1:
            raise ValueError(f"histograms are cut at multiples of {GROUP}, not {rows}")
        counts = self.counts
        return Histograms(
            self.plain[start:stop], None if counts is None else counts[start // GROUP : -(-stop // GROUP)]
        )


def chi_square_counts_all(a: Histograms, b: Histograms) -> npt.NDArray[np.float32]:
    """As `chi_square_all` (of N and of M histograms, to float32, N x M), and the same bits.

    Fast where both can be looked up; elsewhere `chi_square_all` computes them. Raises InvalidInputError where widths
    differ.

    >>> one = Histograms.of(np.eye(2, dtype=np.float32))
    >>> chi_square_counts_all(one, one)
    array([[0., 2.],
           [2., 0.]], dtype=float32)
    """
    if a.counts is None or b.counts is None or a.plain.shape[1] != b.plain.shape[1]:
        return chi_square_all(a.plain, b.plain)
    out = np.empty((len(a), len(b)), np.float32)
    with compiling("comparison of histograms", (distances,)):
        distances(a.counts, b.counts, _TABLE, out)
    return out


def can_look_up() -> bool:
    """Whether functions are compiled here (numba can be told not to), for a processor with AVX-512."""
    features: str = cpu_target.target_context.codegen().magic_tuple()[2]
    return hasattr(distances, "signatures") and "+avx512f" in features.split(",")


def _quotients() -> npt.NDArray[np.float32]:
    """What counts of 0..255 and of 0..FAR - 1 add to the distance (float32, 256 x FAR), computed as `chi_square` does.

    Numerator and denominator are whole numbers below 2^24, and exact; one division rounds. In memory a row begins where
    a line of the cache does, as vectors should.
    """
    x, y = np.arange(256, dtype=np.float32)[:, None], np.arange(FAR, dtype=np.float32)
    total = x + y
    room = np.empty(x.size * FAR + WIDTH, np.float32)
    first = -(room.ctypes.data // room.itemsize) % WIDTH
    table = room[first : first + x.size * FAR].reshape(x.size, FAR)
    np.divide((x - y) * (x - y), np.where(total > 0, total, np.float32(1)), out=table)
    return table


_TABLE = _quotients()


def _grouped(x: Templates) -> Counts | None:
    """Histograms (float32, N x D) as groups x 64 lanes x D/64 x GROUP of them; None where one is not of 0..255.

    Zeros fill the last group and the last 64 bins up; they add nothing.
    """
    with np.errstate(invalid="ignore"):
        counts = x.astype(np.uint8)
    if not np.array_equal(counts, x):  # whatever became of a number that is no such count, it is not equal to it
        return None
    groups, rows = -(-len(x) // GROUP), -(-x.shape[1] // LANES)
    more = groups * GROUP - len(x), rows * LANES - x.shape[1]
    padded = np.pad(counts, ((0, more[0]), (0, more[1]))) if any(more) else counts
    return np.ascontiguousarray(padded.reshape(groups, GROUP, rows, LANES).transpose(0, 3, 2, 1))
