"""The attacker's idea of templates, a Gaussian, and the most probable template under it and a likelihood."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.linalg.lapack import dtrtrs
from sklearn.covariance import ledoit_wolf

from benchmark.errors import InvalidInputError
from benchmark.template_schemes.inversion.lbfgs import minimum

Vector: TypeAlias = npt.NDArray[np.float64]
Matrix: TypeAlias = npt.NDArray[np.float64]
#: Log-likelihood of a template (float64, D) and its gradient.
Likelihood: TypeAlias = Callable[[Vector], tuple[float, Vector]]

#: Steps of the search: twice as many gain less than 0.003 of a cosine for every scheme that was tried (on real faces).
STEPS = 16
#: A step that gains less than this share is the last: the cosines are those of 2e-9 to 0.00005, in 0.6 of the steps.
GAIN = 1e-5


class Prior(NamedTuple):
    """Mean (D) and covariance (D x D) of templates, and its Cholesky factor (lower)."""

    mean: Vector
    covariance: Matrix
    factor: Matrix


def fit_prior(templates: npt.NDArray[np.floating]) -> Prior:
    """The prior of somebody who has these templates (N x D), shrunk as Ledoit & Wolf (2004) do.

    Raises InvalidInputError for fewer than two.

    >>> prior = fit_prior(np.random.default_rng(0).normal(size=(500, 3)))
    >>> bool(abs(prior.covariance - np.eye(3)).max() < 0.2)
    True
    """
    if templates.ndim != 2 or len(templates) < 2:
        raise InvalidInputError(f"a prior takes two templates or more (N x D), not {templates.shape}")
    values = templates.astype(np.float64)
    return prior_of(values.mean(axis=0), ledoit_wolf(values)[0])


def prior_of(mean: Vector, covariance: Matrix) -> Prior:
    """The prior of that mean and covariance; a millionth of the mean variance keeps it definite."""
    dimension = len(mean)
    covariance = covariance + (1e-6 * np.trace(covariance) / dimension + 1e-12) * np.eye(dimension)
    return Prior(mean, covariance, np.asarray(np.linalg.cholesky(covariance), np.float64))


def most_probable(prior: Prior, likelihood: Likelihood, start: Vector | None = None, *, steps: int = STEPS) -> Vector:
    """The template (float64, D) of highest posterior density, searched from `start` (else from the mean).

    L-BFGS in coordinates in which the prior is the standard normal: x = mean + factor z.

    >>> prior = prior_of(np.zeros(2), np.eye(2))
    >>> most_probable(prior, lambda x: (-0.5 * float((x - 1) @ (x - 1)), 1 - x)).round(3).tolist()
    [0.5, 0.5]
    """
    mean, _, factor = prior

    def falling(z: Vector) -> tuple[float, Vector]:
        value, gradient = likelihood(mean + factor @ z)
        return 0.5 * float(z @ z) - value, z - factor.T @ gradient

    begin = np.zeros(len(mean)) if start is None else _coordinates(prior, start)
    return mean + factor @ minimum(falling, begin, steps=steps, gain=GAIN)


def density(prior: Prior, template: Vector) -> float:
    """Log-density of a template (D) under the prior, up to a constant.

    >>> density(prior_of(np.zeros(1), np.eye(1)), np.array([2.0]))  # doctest: +ELLIPSIS
    -1.99...
    """
    z = _coordinates(prior, template)
    return -0.5 * float(z @ z)


def _coordinates(prior: Prior, template: Vector) -> Vector:
    """z of template = mean + factor z."""
    # Columns come first there: the factor's transpose lies in memory as it is asked for.
    solution, failed = dtrtrs(prior.factor.T, template - prior.mean, trans=1)
    if failed:
        raise ValueError(f"a prior's factor is no triangle that can be inverted: {failed}")
    return np.asarray(solution, np.float64)
