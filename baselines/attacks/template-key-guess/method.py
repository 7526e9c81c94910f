"""Guess which number of a window a PolyProtect value shows, and with which sign; the key's rest matters little."""

from __future__ import annotations

import numpy as np
from threadpoolctl import threadpool_limits

from benchmark.errors import InvalidInputError
from benchmark.interfaces import Attack, Evidence, Learned, Templates, TrainingPairs
from benchmark.template_schemes.inversion.guesses import Guesser, Scheme, powers
from benchmark.template_schemes.inversion.prior import fit_prior, prior_of


class TemplateKeyGuess(Attack):
    """The attacker's templates say which of few hypotheses about the key a protected one fits best."""

    def fit(self, training: TrainingPairs, *, generator: np.random.Generator) -> Learned:
        """What the attacker's own templates look like, and what unknown keys make of them on average."""
        own, scheme = np.asarray(training.originals, np.float64), _scheme(training.evidence)
        prior = fit_prior(own)
        moments = powers(own, scheme)
        return {"mean": prior.mean, "covariance": prior.covariance, "moments": moments, "scheme": np.array(scheme)}

    def restore(self, learned: Learned) -> None:
        with threadpool_limits(1, user_api="blas"):
            prior = prior_of(learned["mean"], learned["covariance"])
            self.guesser = Guesser(prior, learned["moments"], Scheme(*learned["scheme"].tolist()))

    def run(self, evidence: Evidence, *, generator: np.random.Generator) -> Templates:
        """N templates of the recogniser's own kind (float32, N x D)."""
        if _scheme(evidence) != self.guesser.scheme:
            raise InvalidInputError(f"template-key-guess learned {self.guesser.scheme}, not {_scheme(evidence)}")
        protected = np.asarray(evidence.protected, np.float64)
        with threadpool_limits(1, user_api="blas"):  # small matrices: further threads only get in the way
            # One by one: each has a key of its own, and no result depends on what else is in the batch.
            return np.array([self.guesser.guess(values).template for values in protected], np.float32)


def _scheme(evidence: Evidence) -> Scheme:
    if evidence.algorithm is None:
        raise InvalidInputError("template-key-guess needs the algorithm")
    if evidence.algorithm["id"] != "polyprotect":
        raise InvalidInputError(f"template-key-guess knows keys of polyprotect, not of {evidence.algorithm['id']}")
    given = evidence.algorithm["parameters"]
    return Scheme(given["m"], given["overlap"], given["bound"])
