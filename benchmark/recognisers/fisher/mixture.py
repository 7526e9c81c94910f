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
    def _quadratic(self) -> tuple[Floats, Floats]:
        """The log of weight times density as [x, x^2] @ coefficients + constant: one matrix product does it."""
        coefficients = np.concatenate([self.means / self.variances, -0.5 / self.variances], axis=1).T
        spread = np.log(2 * np.pi * self.variances) + self.means**2 / self.variances
        constant = np.log(self.weights) - 0.5 * spread.sum(axis=1)
        return np.ascontiguousarray(coefficients, np.float32), constant.astype(np.float32)

    def posteriors(self, x: Floats) -> Floats:
        """The probability (float32, N x K; rows add up to 1) of each component given each of N descriptors (N x D).

        >>> one = np.ones((2, 1), np.float32)
        >>> Mixture(one[:, 0] / 2, np.array([[0], [1]], np.float32), one).posteriors(one / 2)[0].tolist()
        [0.5, 0.5]
        """
        coefficients, constant = self._quadratic
        logs = np.concatenate([x, x * x], axis=1) @ coefficients
        logs += constant
        logs -= logs.max(axis=1, keepdims=True)
        np.maximum(logs, _LEAST, out=logs)
        np.exp(logs, out=logs)
        logs /= logs.sum(axis=1, keepdims=True)
        return logs
