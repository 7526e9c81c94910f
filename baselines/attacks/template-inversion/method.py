"""Recover the recogniser's template from the protected one, under its key."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from benchmark.errors import InvalidInputError
from benchmark.interfaces import Attack, Evidence, Learned, Templates, TrainingPairs
from benchmark.template_schemes import bloom, iom, mlp
from benchmark.template_schemes.biohash import basis
from benchmark.template_schemes.inversion import likelihoods
from benchmark.template_schemes.inversion.equations import from_polynomials, from_projection
from benchmark.template_schemes.inversion.filters import from_filters
from benchmark.template_schemes.inversion.prior import Prior, Vector, density, fit_prior, most_probable, prior_of
from benchmark.template_schemes.keyed import keyed_generator, rows_by_key
from benchmark.template_schemes.poly import polynomial
from benchmark.template_schemes.projection import gaussian
from benchmark.template_schemes.reflections import orthonormal

#: Recovers one template (float64, D) from one protected one (float64, L).
Inverse = Callable[[Vector], Vector]
#: Steps after which the better of two signs is known.
_TRIED = 4


class TemplateInversion(Attack):
    """The template that is most probable under the attacker's prior and what the key says of the protected one."""

    def fit(self, training: TrainingPairs, *, generator: np.random.Generator) -> Learned:
        """Mean and covariance of the attacker's own templates."""
        prior = fit_prior(np.asarray(training.originals))
        return {"mean": prior.mean, "covariance": prior.covariance}

    def restore(self, learned: Learned) -> None:
        self.prior = prior_of(learned["mean"], learned["covariance"])

    def run(self, evidence: Evidence, *, generator: np.random.Generator) -> Templates:
        """N templates of the recogniser's own kind (float32, N x D)."""
        if evidence.keys is None or evidence.algorithm is None:
            raise InvalidInputError("template-inversion needs the algorithm and the keys")
        scheme = evidence.algorithm["id"]
        if scheme not in _INVERSES:
            raise InvalidInputError(f"template-inversion knows no inverse of {scheme}; it has {', '.join(_INVERSES)}")
        protected = np.asarray(evidence.protected, np.float64)
        recovered = np.empty((len(protected), len(self.prior.mean)), np.float32)
        with threadpool_limits(1, user_api="blas"):  # small matrices: further threads only get in the way
            for key, rows in rows_by_key(evidence.keys):
                inverse = _INVERSES[scheme](key, evidence.algorithm["parameters"], self.prior)
                for row in rows:  # one by one, so that no result depends on what else is in the batch
                    recovered[row] = inverse(protected[row])
        return recovered


def _biohashing(key: bytes, given: Mapping[str, Any], prior: Prior) -> Inverse:
    vectors = basis(key, len(prior.mean), given["m"]).explicit()
    return lambda bits: most_probable(prior, likelihoods.signs(bits, vectors, given["tau"], prior))


def _iom_hashing(key: bytes, given: Mapping[str, Any], prior: Prior) -> Inverse:
    dimension = len(prior.mean)
    if given["hashing"] == "grp":
        vectors = iom.projections(key, dimension, given["m"], given["q"])
        return lambda found: most_probable(
            prior, likelihoods.largest_projections(found.astype(np.int64), vectors, prior)
        )
    order = iom.permutations(key, dimension, given["m"], given["p"], given["k"])
    return lambda found: _from_products(found.astype(np.int64), order, prior)


def _from_products(indices: Any, order: Any, prior: Prior) -> Vector:
    """Products of an even number of entries do not know the template's sign: a few steps are tried from both."""
    likelihood = likelihoods.largest_products(indices, order, prior)
    start = likelihoods.products_start(indices, order, len(prior.mean))
    start *= np.sqrt(np.trace(prior.covariance)) / (np.linalg.norm(start) + 1e-12)
    begun = [most_probable(prior, likelihood, sign * start, steps=_TRIED) for sign in (1.0, -1.0)]
    better = max(begun, key=lambda x: likelihood(x)[0] + density(prior, x))
    return most_probable(prior, likelihood, better)


def _mlp_hash(key: bytes, given: Mapping[str, Any], prior: Prior) -> Inverse:
    hidden = [given["neurons"]] * given["hidden_layers"]
    layers = mlp.weights(key, len(prior.mean), hidden, given["length"])
    return lambda bits: most_probable(
        prior, likelihoods.outputs_above(bits, layers, given["activation"], given["tau"], prior)
    )


def _polyprotect(key: bytes, given: Mapping[str, Any], prior: Prior) -> Inverse:
    coefficients, exponents = polynomial(key, given["m"], given["bound"])
    # Made-up templates to begin with, beside the mean; the same for everybody under this key.
    random = keyed_generator(key, "beginnings of an inversion")
    starts = [prior.mean, *(prior.mean + random.normal(size=(3, len(prior.mean))) @ prior.factor.T)]
    return lambda values: from_polynomials(
        values, coefficients.astype(np.float64), exponents, given["overlap"], prior, starts
    )


def _random_projection(key: bytes, given: Mapping[str, Any], prior: Prior) -> Inverse:
    random, dimension = keyed_generator(key, "random projection"), len(prior.mean)
    if given["matrix"] == "gaussian":
        matrix = gaussian(dimension, given["m"], random) / np.sqrt(given["m"], dtype=np.float64)
    else:
        drawn = orthonormal(dimension, given["m"], random)
        if given["m"] >= dimension:
            return lambda values: values @ drawn.T  # orthonormal rows: the transpose undoes them
        matrix = drawn.explicit()
    return lambda values: from_projection(values, matrix, prior)


def _bloom_filter(key: bytes, given: Mapping[str, Any], prior: Prior) -> Inverse:
    intervals, height, width = given["intervals"], given["height"], given["width"]
    order, words = bloom.secret(key, len(prior.mean) * (intervals - 1), height, width)

    def inverse(filters: Vector) -> Vector:
        present = filters.reshape(len(words), -1) > 0
        return from_filters(present, order, words, intervals=intervals, width=width, prior=prior)

    return inverse


_INVERSES: dict[str, Callable[[bytes, Mapping[str, Any], Prior], Inverse]] = {
    "biohashing": _biohashing,
    "iom-hashing": _iom_hashing,
    "mlp-hash": _mlp_hash,
    "polyprotect": _polyprotect,
    "random-projection": _random_projection,
    "bloom-filter": _bloom_filter,
}
