"""How far protected templates can be linked: unlinkability (D_sys) and maximal linkability.

Scores are similarities of mated (one person) and non-mated comparisons of templates that are protected under different
keys (ISO/IEC 24745, 30136); float, one axis, finite.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from benchmark.digest import generator
from benchmark.metrics.operating_points import Floats, Ints, checked

#: Random splits behind the floor of D_sys.
SPLITS = 200
#: Bins of maximal linkability.
LINKABILITY_BINS = 30


def unlinkability(mated: npt.ArrayLike, non_mated: npt.ArrayLike, *, omega: float = 1.0) -> tuple[float, float]:
    """(D_sys, floor), each 0..1; 0 = not linkable, 1 = always linkable.

    With LR(s) = p(s|mated) / p(s|non-mated): D(s) = max(0, 2 w LR / (1 + w LR) - 1), and D_sys the sum over bins of
    p(s|mated) D(s) ds (Gomez-Barrero, Galbally, Rathgeb and Busch, IEEE TIFS 13, 2018), as a plain Riemann sum over
    min(n / 10, 100) bins of the joint range, n mated scores. `omega` = p(mated) / p(non-mated).

    D_sys of a finite sample is never 0: the floor is the mean D_sys of random splits of the pooled scores, in which
    nothing is left to link. Judge D_sys by its distance from the floor.

    >>> d_sys, floor = unlinkability(np.full(1000, 0.9), np.zeros(1000))
    >>> round(d_sys, 6), floor < 0.1
    (1.0, True)
    """
    m, n = _finite(mated, "mated"), _finite(non_mated, "non-mated")
    if not omega > 0:
        raise ValueError(f"omega is a ratio of probabilities and must be positive, got {omega}")
    count_m, count_n = _histograms(m, n, max(1, min(m.size // 10, 100)))
    random = generator("unlinkability floor", int(m.size), int(n.size))
    # Splitting the pooled scores at random is drawing bin counts without replacement.
    null_m = random.multivariate_hypergeometric(count_m + count_n, m.size, size=SPLITS, method="marginals")
    null = _d_sys(null_m, count_m + count_n - null_m, omega)
    return float(_d_sys(count_m, count_n, omega)), float(null.mean())


def maximal_linkability(mated: npt.ArrayLike, non_mated: npt.ArrayLike) -> float:
    """Maximal linkability M in bits, 0..1: log2 of the sum over bins of max(p(s|mated), p(s|non-mated)) ds.

    30 bins over the joint range (Otroshi Shahreza, Shkel and Marcel, Measuring linkability of protected biometric
    templates using maximal leakage, IEEE TIFS 18, 2023). It bounds every linker: TMR <= 2^M - 1 + FMR.

    >>> round(maximal_linkability(np.full(100, 0.9), np.zeros(100)), 6)
    1.0
    """
    m, n = _finite(mated, "mated"), _finite(non_mated, "non-mated")
    count_m, count_n = _histograms(m, n, LINKABILITY_BINS)
    return float(np.log2(np.maximum(count_m / m.size, count_n / n.size).sum()))


def _finite(scores: npt.ArrayLike, what: str) -> Floats:
    values = checked(scores, what)
    if not np.isfinite(values).all():
        raise ValueError(f"{what} scores must be finite: a failure to process (-inf) has no place in a histogram")
    return values


def _histograms(mated: Floats, non_mated: Floats, bins: int) -> tuple[Ints, Ints]:
    """Counts (int64, bins) of both sets over their joint range."""
    joint = min(mated.min(), non_mated.min()), max(mated.max(), non_mated.max())
    return np.histogram(mated, bins, joint)[0], np.histogram(non_mated, bins, joint)[0]


def _d_sys(count_m: Ints, count_n: Ints, omega: float) -> Floats:
    """D_sys of bin counts along the last axis: densities times bin width are shares, so the width cancels."""
    p_m = omega * count_m / count_m.sum(axis=-1, keepdims=True)
    p_n = count_n / count_n.sum(axis=-1, keepdims=True)
    total = p_m + p_n
    # 2 w LR / (1 + w LR) - 1 = (w p_m - p_n) / (w p_m + p_n); 1 where p_n = 0 < p_m.
    local = np.divide(p_m - p_n, total, out=np.zeros_like(total), where=total > 0)
    return np.asarray((p_m / omega * np.maximum(local, 0.0)).sum(axis=-1))
