"""A mixture of Gaussians with diagonal covariances: how likely each component made each descriptor."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
#: Log of the smallest posterior, relative to the largest. Smaller ones would be denormal numbers, which add nothing and
#: make the products that follow twenty times slower.
_LEAST = np.float32(-60)


@dataclass(frozen=True)
class Mixture:
    """K components over D dimensions."""

    #: float32, K: prior probabilities, which add up to 1.
    weights: Floats
    #: float32, K x D.
    means: Floats
    #: float32, K x D: variances, above 0.
    variances: Floats

    @cached_property
    def _quadratic(self) -> Floats:
        """The log of weight times density as [x, x^2, 1] @ these coefficients (2 D + 1 x K): one product does it."""
        spread = np.log(2 * np.pi * self.variances) + self.means**2 / self.variances
        constant = np.log(self.weights) - 0.5 * spread.sum(axis=1)
        parts = [self.means / self.variances, -0.5 / self.variances, constant[:, None]]
        return np.ascontiguousarray(np.concatenate(parts, axis=1).T, np.float32)

    def log_densities(self, x: Floats) -> Floats:
        """The log of weight times density (float32, N x K) of each component at each of N descriptors (N x D).

        >>> one = np.ones((1, 1), np.float32)
        >>> np.exp(2 * Mixture(one[0], one, one).log_densities(one)).round(4) == np.float32(0.1592)
        array([[ True]])
        """
        count, width = x.shape
        powers = np.ones((count, 2 * width + 1), np.float32)
        powers[:, :width] = x
        np.multiply(x, x, out=powers[:, width:-1])
        return np.asarray(powers @ self._quadratic, np.float32)

    def posteriors(self, x: Floats) -> Floats:
        """The probability (float32, N x K; rows add up to 1) of each component given each of N descriptors (N x D).

        >>> one = np.ones((2, 1), np.float32)
        >>> Mixture(one[:, 0] / 2, np.array([[0], [1]], np.float32), one).posteriors(one / 2)[0].tolist()
        [0.5, 0.5]
        """
        logs = self.log_densities(x)
        logs -= logs.max(axis=1, keepdims=True)
        np.maximum(logs, _LEAST, out=logs)
        np.exp(logs, out=logs)
        logs /= logs.sum(axis=1, keepdims=True)
        return logs
