"""Templates under PolyProtect whose key is not known: which number of a window its value shows, and with which sign.

Numbers of a template of length 1 are small, and their powers smaller: c v, the term of exponent 1, is most of a value.
All else that a key decides is noise to whoever guesses the place of that term and its c. Where windows share numbers,
the square, which is next in size, can be taken out as well: one value shows the number that another one squares.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.linalg import eigh
from scipy.special import logsumexp

from benchmark.errors import InvalidInputError
from benchmark.template_schemes.inversion.prior import Matrix, Prior, Vector

#: Sizes of c that are tried, in equal ratios up to the bound; fewer where fewer are integers. The values know their
#: scale to a share of 1 / sqrt(2 L), which is 6 % for 124 of them.
LEVELS = 64
#: Squares that are tried: the term of a number as large as most, as a share of its linear one, from -REACH to REACH.
REACH, STEP = 0.6, 0.1
#: Rounds in which squares are taken out, each of the better numbers of the round before.
ROUNDS = 4
#: Numbers are cut at so many times the usual size where they are squared, lest the rounds run away.
_CUT = 4.0


class Scheme(NamedTuple):
    """PolyProtect's parameters: numbers of a window, how many neighbours share, and the coefficients' bound."""

    m: int
    overlap: int
    bound: int


class Guess(NamedTuple):
    """A template (float64, D), and how probable each place of exponent 1 is with a c above and below 0 (m x 2)."""

    template: Vector
    probabilities: Matrix


class _Side(NamedTuple):
    """Values c v + noise, turned so that v's entries are independent of each other and the noise is standard normal."""

    rotation: Matrix  # L x L, a column for each turned value
    mean: Vector  # of v, turned (L)
    spread: Matrix  # covariance of the template with v, turned (D x L)
    variance: Matrix  # of the turned values, for each c (C x L)
    constant: Vector  # of the log-density, for each c (C)


class _Tried(NamedTuple):
    """K versions of the values, turned (L x K), with the log-probability of each under each c (K x C)."""

    side: _Side
    turned: Matrix
    logs: Matrix


def powers(templates: npt.NDArray[np.floating], scheme: Scheme) -> npt.NDArray[np.float64]:
    """Second moments (float64, 2 x m x L x L) of the windows' squares, and of all higher powers together, by place.

    They say what keys that nobody knows make of the attacker's templates (N x D), on average over the keys.

    >>> powers(np.array([[1.0, 2.0, 3.0]]), Scheme(3, 0, 50))[:, :, 0, 0].tolist()
    [[1.0, 16.0, 81.0], [1.0, 64.0, 729.0]]
    """
    indices = _windows(templates.shape[1], scheme)
    padded = np.zeros((len(templates), indices.max() + 1))
    padded[:, : templates.shape[1]] = templates
    found = np.zeros((2, scheme.m, len(indices), len(indices)))
    for place in range(scheme.m):
        numbers = padded[:, indices[:, place]]
        for exponent in range(2, scheme.m + 1):
            power = numbers**exponent
            found[min(exponent - 2, 1), place] += power.T @ power / len(templates)
    return found


class Guesser:
    """Guesses under one setting of PolyProtect and one prior; `moments` are those of `powers`.

    >>> own = np.random.default_rng(0).normal([0.5, 0, 0], 0.1, (100, 3))
    >>> prior, scheme = Prior(own.mean(0), np.cov(own.T), np.linalg.cholesky(np.cov(own.T))), Scheme(3, 0, 50)
    >>> guess = Guesser(prior, powers(own, scheme), scheme).guess(np.array([-20.0]))
    >>> int(guess.probabilities.argmax()), abs(guess.template.round(1)).tolist()  # c below 0 at the first place
    (1, [0.5, 0.0, 0.0])
    """

    def __init__(self, prior: Prior, moments: npt.NDArray[np.float64], scheme: Scheme) -> None:
        self.prior, self.scheme = prior, scheme
        sizes, shares = _levels(scheme.bound)
        self.coefficients = np.concatenate((sizes, -sizes))
        self.shares = np.log(np.concatenate((shares, shares)) / 2)
        # The mean square of a coefficient, times the probability that a place has one exponent of those above 1.
        average = (scheme.bound + 1) * (2 * scheme.bound + 1) / 6 / max(scheme.m - 1, 1)
        squares, higher = average * moments
        self.unknown = [self._side(place, squares + higher) for place in range(scheme.m)]
        self.known = [self._side(place, higher) for place in range(scheme.m)]

    def guess(self, values: Vector) -> Guess:
        """The template's mean under the most probable place and sign, given one sample's values (float64, L).

        Raises InvalidInputError for another number of values.
        """
        count = len(self.known[0].mean)
        if values.shape != (count,):
            raise InvalidInputError(f"{len(self.prior.mean)} numbers have {count} values here, not {values.shape}")
        tried = self._tried(values)
        logs = np.array([[_total(parts, sign) for sign in self._signs()] for parts in tried])
        probabilities = np.exp(logs - logsumexp(logs))
        place, below = np.unravel_index(probabilities.argmax(), logs.shape)
        return Guess(self._mean(tried[place], self._signs()[below]), probabilities)

    def _mean(self, parts: list[_Tried], sign: slice) -> Vector:
        """The template's mean over all that was tried with these coefficients."""
        template, c, total = self.prior.mean.copy(), self.coefficients[sign, None], _total(parts, sign)
        for side, turned, logs in parts:
            weights = np.exp(logs[:, sign] - total)
            surprise = (turned @ weights).T - weights.sum(axis=0)[:, None] * c * side.mean
            template += side.spread @ (c * surprise / side.variance[sign]).sum(axis=0)
        return template

    def _signs(self) -> tuple[slice, slice]:
        """Coefficients above 0, and below."""
        half = len(self.coefficients) // 2
        return slice(0, half), slice(half, 2 * half)

    def _tried(self, values: Vector) -> list[list[_Tried]]:
        """For each place of exponent 1: the values as they are, and less the squares that other places may add."""
        m, step = self.scheme.m, self.scheme.m - self.scheme.overlap
        size = max(float(np.sqrt(np.square(values).mean())), 1e-12)
        strengths = np.linspace(-REACH, REACH, 2 * round(REACH / STEP) + 1) / size
        # Their terms are strengths (c v)^2, so that strengths c^2 are the square's coefficients, all equally probable.
        square = self.coefficients**2 / (2 * self.scheme.bound * max(m - 1, 1))
        within = np.abs(strengths[:, None]) * self.coefficients**2 <= self.scheme.bound
        beliefs = np.where(within, np.minimum(STEP / size * square, 1 / max(m - 1, 1)), 0.0)
        rid = {
            shift: _without_squares(values, shift, strengths, _CUT * size)
            for shift in range(-((m - 1) // step), (m - 1) // step + 1)
            if shift
        }
        tried = []
        for place in range(m):
            shifts = [(other - place) // step for other in range(m) if other != place and (other - place) % step == 0]
            rest = np.maximum(1 - len(shifts) * beliefs.sum(axis=0), 1e-12)[None]
            parts = [self._weighed(self.unknown[place], values[:, None], rest)]
            if shifts:
                versions = np.concatenate([rid[shift] for shift in shifts], axis=1)
                parts.append(self._weighed(self.known[place], versions, np.tile(beliefs, (len(shifts), 1))))
            tried.append(parts)
        return tried

    def _weighed(self, side: _Side, versions: Matrix, beliefs: Matrix) -> _Tried:
        """Versions of the values (L x K) under every c, with their prior probabilities (K x C)."""
        turned, means = side.rotation.T @ versions, self.coefficients[:, None] * side.mean
        slopes = means / side.variance
        far = np.square(turned).T @ (1 / side.variance).T - 2 * turned.T @ slopes.T + (means * slopes).sum(axis=1)
        with np.errstate(divide="ignore"):  # what cannot be has the logarithm of 0
            return _Tried(side, turned, np.log(beliefs) + self.shares + side.constant - 0.5 * far)

    def _side(self, place: int, noise: npt.NDArray[np.float64]) -> _Side:
        """Values with exponent 1 at `place`, and noise from all other places (m x L x L)."""
        dimension, indices = len(self.prior.mean), _windows(len(self.prior.mean), self.scheme)
        past = (0, max(indices.max() + 1 - dimension, 0))  # numbers past the end are zeros
        shown = indices[:, place]
        mean, covariance = np.pad(self.prior.mean, past)[shown], np.pad(self.prior.covariance, (past, past))
        signal, left = covariance[np.ix_(shown, shown)], noise.sum(axis=0) - noise[place]
        left[np.diag_indices(len(left))] += 1e-6 * np.trace(left + signal) / len(left) + 1e-30
        strengths, rotation = eigh(signal, left)  # both become diagonal at once
        variance = self.coefficients[:, None] ** 2 * np.maximum(strengths, 0) + 1
        constant = np.linalg.slogdet(rotation)[1] - 0.5 * np.log(variance).sum(axis=1)
        return _Side(rotation, rotation.T @ mean, covariance[:dimension, shown] @ rotation, variance, constant)


def _windows(dimension: int, scheme: Scheme) -> npt.NDArray[np.int64]:
    """Indices (L x m) of each window's numbers."""
    step = scheme.m - scheme.overlap
    count = -(-max(dimension - scheme.m, 0) // step) + 1
    return np.arange(count)[:, None] * step + np.arange(scheme.m)


def _levels(bound: int) -> tuple[Vector, Vector]:
    """Sizes of coefficients up to `bound`, and the share of all integers for which each stands; few are smaller."""
    sizes = np.unique(np.geomspace(max(1, bound / LEVELS), bound, LEVELS).round())
    edges = np.concatenate(([0.5], (sizes[1:] + sizes[:-1]) / 2, [bound + 0.5]))
    return sizes, np.diff(edges) / bound


def _total(parts: list[_Tried], sign: slice) -> float:
    """Log-probability of all that was tried with these coefficients."""
    return float(logsumexp(np.concatenate([one.logs[:, sign].ravel() for one in parts])))


def _without_squares(values: Vector, shift: int, strengths: Vector, cut: float) -> Matrix:
    """c v (L x K) where values are c v + strength (c v)^2 of the window that is `shift` further on.

    No window depends on itself, so that this keeps volumes, and densities of its results can be compared.
    """
    linear = np.repeat(values[:, None], len(strengths), axis=1)
    for _ in range(ROUNDS):
        moved = np.zeros_like(linear)
        if shift > 0:
            moved[:-shift] = linear[shift:]
        else:
            moved[-shift:] = linear[:shift]
        linear = values[:, None] - strengths * np.square(np.clip(moved, -cut, cut))
    return linear
