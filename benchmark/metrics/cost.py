"""What a protection costs: time, bytes encrypted, bytes added."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt


class Quartiles(NamedTuple):
    """Median and quartiles of n measurements, in their unit."""

    median: float
    q1: float
    q3: float
    n: int


def quartiles(measurements: npt.ArrayLike, *, warm_up: int = 0) -> Quartiles | None:
    """Median and quartiles of measurements (N), without the first `warm_up`; None where nothing is left.

    The first calls pay for compilation and cold caches. The median says what a sample usually takes, where a best-of-N
    would flatter and a mean would mix in whatever else the machine did.

    >>> quartiles([90.0, 1.0, 2.0, 3.0], warm_up=1)
    Quartiles(median=2.0, q1=1.5, q3=2.5, n=3)
    """
    values = np.asarray(measurements, dtype=np.float64)[warm_up:]
    if np.isnan(values).any():
        raise ValueError("measurements contain NaN")
    if not values.size:
        return None
    q1, median, q3 = np.quantile(values, [0.25, 0.5, 0.75])
    return Quartiles(float(median), float(q1), float(q3), int(values.size))


def encrypted_share(encrypted_bytes: npt.ArrayLike, protected_bytes: npt.ArrayLike) -> float:
    """Share (0..1) of all codestream bytes that are encrypted: sum over samples / sum over samples, int N each.

    >>> encrypted_share([40, 60], [1000, 1000])
    0.05
    """
    return _ratio(encrypted_bytes, protected_bytes, "protected")


def size_overhead(protected_bytes: npt.ArrayLike, plain_bytes: npt.ArrayLike) -> float:
    """How much larger the protected samples are than the plain lossless codestreams: 0.02 = 2 % more bytes.

    >>> size_overhead([1250, 1250], [1000, 1000])
    0.25
    """
    return _ratio(protected_bytes, plain_bytes, "plain") - 1.0


def _ratio(above: npt.ArrayLike, below: npt.ArrayLike, what: str) -> float:
    numerator, denominator = np.asarray(above, dtype=np.int64), np.asarray(below, dtype=np.int64)
    if numerator.shape != denominator.shape or denominator.sum() <= 0 or min(numerator.min(), denominator.min()) < 0:
        raise ValueError(f"byte counts must be two equally long lists, none negative, with some {what} bytes")
    return float(numerator.sum() / denominator.sum())


def template_bytes(templates: npt.NDArray[np.floating]) -> float:
    """Bytes of one of N templates (float, N x D): as many bits a number as its whole numbers need, else 32.

    >>> template_bytes(np.array([[0.0, 1.0] * 64])), template_bytes(np.array([[0.5, -1.0]]))
    (16.0, 8.0)
    """
    low, high = float(templates.min()), float(templates.max())
    whole = high - low < 1 << 31 and bool((templates == np.rint(templates)).all())
    bits = max(1, int(high - low).bit_length()) if whole else 32
    return float(templates.shape[1] * bits / 8)
