"""Template protection: unlinkability (D_sys, D(s)) with its null, maximal linkability, match rate of revoked templates.

Scores are similarities of mated (one person) and non-mated comparisons of templates that are protected under different
keys (ISO/IEC 24745, 30136); float, one axis, finite.
"""

from __future__ import annotations

from typing import Any, NamedTuple

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
    _check_omega(omega)
    count_m, count_n = _histograms(m, n, d_sys_bins(m.size))
    return float(d_sys_of(count_m, count_n, omega)), d_sys_floor(count_m, count_n, omega)


def d_sys_floor(count_m: Ints, count_n: Ints, omega: float = 1.0) -> float:
    """The mean D_sys (0..1) of SPLITS random splits of the pooled bin counts (int64, B each); see `unlinkability`."""
    sizes = int(count_m.sum()), int(count_n.sum())
    return float(_dealt(count_m, count_n, generator("unlinkability floor", *sizes), SPLITS, omega).mean())


class LocalLinkability(NamedTuple):
    """The curve D(s): how far a score tells that two protected templates come from one person."""

    #: float64, B + 1: edges of the bins, upwards.
    edges: Floats
    #: float64, B, 0..1: D(s) in each bin; 0 where no score lies.
    d: Floats
    #: float64, B: shares of the mated and of the non-mated scores in each bin.
    mated: Floats
    non_mated: Floats

    @property
    def d_sys(self) -> float:
        """The mean of D(s) over mated scores."""
        return float((self.mated * self.d).sum())


def local_linkability(mated: npt.ArrayLike, non_mated: npt.ArrayLike, *, omega: float = 1.0) -> LocalLinkability:
    """The curve D(s) behind D_sys, over the same bins (Gomez-Barrero et al., 2018; see `unlinkability`).

    Raises ValueError for scores that are not finite, and for an omega that is not positive.

    >>> curve = local_linkability(np.full(30, 0.9), np.r_[np.zeros(20), np.full(10, 0.9)])
    >>> curve.d.round(3).tolist(), round(curve.d_sys, 3)
    ([0.0, 0.0, 0.5], 0.5)
    """
    m, n = _finite(mated, "mated"), _finite(non_mated, "non-mated")
    _check_omega(omega)
    bins = d_sys_bins(m.size)
    count_m, count_n = _histograms(m, n, bins)
    edges = np.histogram_bin_edges(m, bins, _joint(m, n))
    return LocalLinkability(edges, local_linkability_of(count_m, count_n, omega), count_m / m.size, count_n / n.size)


class Null(NamedTuple):
    """D_sys where nothing is left to link."""

    #: float64, R: D_sys of each random relabelling.
    d_sys: Floats
    #: Share of relabellings, the observed labels among them, whose D_sys is at least the observed one.
    p_value: float


def permutation_null(
    mated: npt.ArrayLike,
    non_mated: npt.ArrayLike,
    *,
    generator: np.random.Generator,
    permutations: int = 1000,
    omega: float = 1.0,
) -> Null:
    """The permutation test of unlinkability: D_sys under labels mated and non-mated dealt out at random.

    The bins span both sets, so that relabelling leaves them as they are, and dealing labels is drawing bin counts
    without replacement: exact, and as quick for ten million scores as for a thousand. Scores count as exchangeable,
    which those that share a subject are only nearly. p = (1 + number of D_sys at least as high) / (1 + permutations).

    >>> null = permutation_null(np.ones(50), np.zeros(50), generator=np.random.default_rng(0), permutations=99)
    >>> len(null.d_sys), null.p_value
    (99, 0.01)
    """
    m, n = _finite(mated, "mated"), _finite(non_mated, "non-mated")
    _check_omega(omega)
    if permutations < 1:
        raise ValueError(f"a permutation test needs at least one permutation, got {permutations}")
    count_m, count_n = _histograms(m, n, d_sys_bins(m.size))
    return null_of_counts(count_m, count_n, generator=generator, permutations=permutations, omega=omega)


def null_of_counts(
    count_m: Ints, count_n: Ints, *, generator: np.random.Generator, permutations: int = 1000, omega: float = 1.0
) -> Null:
    """As `permutation_null`, of the bin counts (int64, B each) of mated and non-mated scores."""
    null = _dealt(count_m, count_n, generator, permutations, omega)
    # Equal counts can give sums that differ in their last digits.
    reached = int((null >= d_sys_of(count_m, count_n, omega) - 1e-12).sum())
    return Null(null, (1 + reached) / (1 + permutations))


def maximal_linkability(mated: npt.ArrayLike, non_mated: npt.ArrayLike) -> float:
    """Maximal linkability M in bits, 0..1: log2 of the sum over bins of max(p(s|mated), p(s|non-mated)) ds.

    30 bins over the joint range (Otroshi Shahreza, Shkel and Marcel, Measuring linkability of protected biometric
    templates using maximal leakage, IEEE TIFS 18, 2023). It bounds every linker: TMR <= 2^M - 1 + FMR.

    >>> round(maximal_linkability(np.full(100, 0.9), np.zeros(100)), 6)
    1.0
    """
    m, n = _finite(mated, "mated"), _finite(non_mated, "non-mated")
    count_m, count_n = _histograms(m, n, LINKABILITY_BINS)
    return float(maximal_linkability_of(count_m, count_n))


def revoked_match_rate(scores: npt.ArrayLike, threshold: float) -> float:
    """Share (0..1) of comparisons of a revoked template with its renewed one that a threshold accepts.

    Both are protected from samples of one person, under the old and the new key; renewal is of use where they match no
    more often than strangers do (revocability, ISO/IEC 24745). A failure to process (-inf) does not match.

    >>> revoked_match_rate([0.9, 0.2, float("-inf"), 0.5], 0.5)
    0.5
    """
    return float((checked(scores, "revoked") >= threshold).mean())


def key_sensitivity(scores: npt.ArrayLike, threshold: float) -> float:
    """Share (0..1) of comparisons of a sample's templates, under keys one bit apart, that a threshold rejects.

    1 less the match rate of revoked templates is what it can be at best: then a key that is nearly right is worth no
    more than any other. Lower, some bits of the key do little, and whoever comes near it has it. A failure to process
    (-inf) is rejected.

    >>> key_sensitivity([0.9, 0.2, float("-inf"), 0.5], 0.5)
    0.5
    """
    return float((checked(scores, "one bit apart") < threshold).mean())


def d_sys_bins(mated: int) -> int:
    """Bins of D_sys for so many mated scores: min(n / 10, 100), at least one.

    >>> d_sys_bins(5), d_sys_bins(420), d_sys_bins(10**6)
    (1, 42, 100)
    """
    return max(1, min(mated // 10, 100))


def maximal_linkability_of(count_m: npt.NDArray[Any], count_n: npt.NDArray[Any]) -> Floats:
    """Maximal linkability (...) of bin counts (..., B) of mated and non-mated scores.

    >>> maximal_linkability_of(np.array([[2, 0], [1, 1]]), np.array([[0, 3], [2, 2]]))
    array([1., 0.])
    """
    shares = np.maximum(_shares(count_m), _shares(count_n))
    return np.asarray(np.log2(shares.sum(axis=-1)))


def d_sys_of(count_m: npt.NDArray[Any], count_n: npt.NDArray[Any], omega: float = 1.0) -> Floats:
    """D_sys (...) of bin counts (..., B): densities times bin width are shares, so the width cancels.

    >>> d_sys_of(np.array([[2, 0], [1, 1]]), np.array([[0, 3], [2, 2]]))
    array([1., 0.])
    """
    return np.asarray((_shares(count_m) * local_linkability_of(count_m, count_n, omega)).sum(axis=-1))


def local_linkability_of(count_m: npt.NDArray[Any], count_n: npt.NDArray[Any], omega: float = 1.0) -> Floats:
    """D(s) (..., B) of bin counts (..., B) of mated and non-mated scores, 0 where there are none.

    2 w LR / (1 + w LR) - 1 = (w p_m - p_n) / (w p_m + p_n); 1 where p_n = 0 < p_m.

    >>> local_linkability_of(np.array([0, 1, 3]), np.array([2, 2, 0])).round(3)
    array([0., 0., 1.])
    """
    p_m, p_n = omega * _shares(count_m), _shares(count_n)
    total = p_m + p_n
    local = np.divide(p_m - p_n, total, out=np.where(total == 0, 0.0, total), where=total > 0)
    return np.asarray(np.maximum(local, 0.0))


def _check_omega(omega: float) -> None:
    if not omega > 0:
        raise ValueError(f"omega is a ratio of probabilities and must be positive, got {omega}")


def _finite(scores: npt.ArrayLike, what: str) -> Floats:
    values = checked(scores, what)
    if not np.isfinite(values).all():
        raise ValueError(f"{what} scores must be finite: a failure to process (-inf) has no place in a histogram")
    return values


def _dealt(count_m: Ints, count_n: Ints, random: np.random.Generator, times: int, omega: float) -> Floats:
    """D_sys (`times`) of labels dealt at random to the pooled scores: bin counts drawn without replacement."""
    pooled = count_m + count_n
    dealt = random.multivariate_hypergeometric(pooled, int(count_m.sum()), size=times, method="marginals")
    return d_sys_of(dealt, pooled - dealt, omega)


def _histograms(mated: Floats, non_mated: Floats, bins: int) -> tuple[Ints, Ints]:
    """Counts (int64, bins) of both sets over their joint range."""
    joint = _joint(mated, non_mated)
    return np.histogram(mated, bins, joint)[0], np.histogram(non_mated, bins, joint)[0]


def _joint(mated: Floats, non_mated: Floats) -> tuple[float, float]:
    return min(mated.min(), non_mated.min()), max(mated.max(), non_mated.max())


def _shares(counts: npt.NDArray[Any]) -> Floats:
    """Counts (..., B) as shares; NaN where a resample holds none."""
    with np.errstate(invalid="ignore"):
        return np.asarray(counts / counts.sum(axis=-1, keepdims=True))
