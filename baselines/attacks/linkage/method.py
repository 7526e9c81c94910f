"""Whether two protected samples under different keys are one person's: plain, or by features that survive the keys."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from sklearn.covariance import ledoit_wolf

from benchmark.errors import InvalidInputError
from benchmark.interfaces import Attack, Evidence, Learned, Templates, TrainingPairs
from benchmark.metrics.verification import eer

Values = npt.NDArray[np.float64]

#: Longer vectors are not whitened: their covariance would not be known from a few thousand, and takes long.
WHITENED = 1024
#: Subjects are divided into so many parts; each is judged by what was learned on the others.
FOLDS = 4


def _magnitudes(x: Values) -> Values:
    return np.abs(x)


def _sorted(x: Values) -> Values:
    """Order statistics: which value stands where is the key's, which values there are may not be."""
    return np.sort(x, axis=1)


def _moments(x: Values) -> Values:
    """Mean, spread, skewness, kurtosis, length and largest entries."""
    mean, spread = x.mean(axis=1, keepdims=True), x.std(axis=1, keepdims=True) + 1e-12
    z = (x - mean) / spread
    largest = np.sort(np.abs(z), axis=1)[:, -min(4, x.shape[1]) :]
    return np.concatenate([mean, spread, (z**3).mean(axis=1, keepdims=True), (z**4).mean(axis=1, keepdims=True),
                           largest], axis=1)  # fmt: skip


FEATURES: dict[str, Callable[[Values], Values]] = {
    "plain": lambda x: x, "centred": lambda x: x, "magnitudes": _magnitudes, "sorted": _sorted, "moments": _moments,
}  # fmt: skip


class Linkage(Attack):
    """Plain comparison, unless a trained linker did better on the attacker's own subjects."""

    def fit(self, training: TrainingPairs, *, generator: np.random.Generator) -> Learned:
        """Which of the linkers, and its parameters.

        `margin` is by how much its cross-validated EER was below that of plain comparison: 0 where plain was chosen.
        """
        if training.identities is None:
            raise InvalidInputError("linkage needs the attacker's identities")
        protected = np.asarray(training.evidence.protected, np.float64)
        originals = np.asarray(training.originals, np.float64)
        # Where protecting keeps the space (recognisers on protected images), an original is one more sample.
        twins = originals if originals.shape == protected.shape and self._same_space(originals, protected) else None
        part = _folds(training.identities)
        candidates = [(name, False) for name in ("plain", "centred", "magnitudes")]
        candidates += [
            (name, True) for name, feature in FEATURES.items()
            if name != "centred" and feature(protected[:1]).shape[1] <= WHITENED
        ]  # fmt: skip
        judged = [_cross_validated(one, protected, twins, training.identities, part) for one in candidates]
        errors = [error for error, _ in judged]
        best, pairs = int(np.argmin(errors)), judged[0][1]
        # Chance favours somebody among many: plain stays unless it is beaten by a standard error.
        if errors[best] > errors[0] - np.sqrt(0.25 / max(pairs, 1)):
            best = 0
        name, learned = candidates[best]
        offset, matrix = _linker(candidates[best], protected, twins, training.identities)
        return {
            "feature": np.array(list(FEATURES).index(name)), "trained": np.array(int(learned)),
            "margin": np.array(errors[0] - errors[best]), "offset": offset, "matrix": matrix,
        }  # fmt: skip

    @staticmethod
    def _same_space(originals: Values, protected: Values) -> bool:
        """Whether a template and that of its protected twin are more alike than two that have nothing in common."""
        a, b = (x - x.mean(axis=0) for x in (originals, protected))
        own = _cosines(a, b).mean()
        others = _cosines(a, np.roll(b, 1, axis=0))
        return bool(own > others.mean() + 4 * others.std() / np.sqrt(len(others)))

    def restore(self, learned: Learned) -> None:
        self.feature = list(FEATURES.values())[int(learned["feature"])]
        self.trained, self.offset, self.matrix = bool(learned["trained"]), learned["offset"], learned["matrix"]

    def run(self, evidence: Evidence, *, generator: np.random.Generator) -> Templates:
        """N embeddings (float32, N x E), of length 1, to be compared by cosine."""
        protected = np.asarray(evidence.protected, np.float64)
        rows = [_embedded(self.feature, self.offset, self.matrix, row[None], self.trained) for row in protected]
        return np.concatenate(rows).astype(np.float32)


def _folds(identities: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    return np.unique(identities, return_inverse=True)[1] % FOLDS


def _linker(
    candidate: tuple[str, bool], protected: Values, twins: Values | None, identities: npt.NDArray[np.int64]
) -> tuple[Values, Values]:
    """What is subtracted, and what the rest is multiplied with: within-class whitening, or nothing."""
    name, trained = candidate
    x = FEATURES[name](protected)
    if not trained:  # centred: bits and indices have a mean of no interest
        return x.mean(axis=0) * (name != "plain"), np.ones((1, 1))
    offset = x.mean(axis=0)
    people = identities
    if twins is not None:
        x, people = np.concatenate([x, FEATURES[name](twins)]), np.concatenate([people, people])
    within = _within(x, people)
    if len(within) < 2:  # nobody has two: only what all have in common can be whitened
        within = x - offset
    covariance = ledoit_wolf(within)[0]
    covariance += (1e-3 * np.trace(covariance) / len(covariance) + 1e-12) * np.eye(len(covariance))
    values, vectors = np.linalg.eigh(covariance)
    return offset, vectors / np.sqrt(values)


def _within(x: Values, people: npt.NDArray[np.int64]) -> Values:
    """Differences of samples to the mean of their person, of all who have two or more."""
    number, counts = np.unique(people, return_inverse=True, return_counts=True)[1:]
    sums = np.zeros((len(counts), x.shape[1]))
    np.add.at(sums, number, x)
    several = counts[number] > 1
    return (x - sums[number] / counts[number, None])[several]


def _embedded(feature: Callable[[Values], Values], offset: Values, matrix: Values, x: Values, trained: bool) -> Values:
    values = feature(x) - offset
    values = values @ matrix if trained else values
    return np.asarray(values / (np.linalg.norm(values, axis=1, keepdims=True) + 1e-12), np.float64)


def _cross_validated(
    candidate: tuple[str, bool],
    protected: Values,
    twins: Values | None,
    identities: npt.NDArray[np.int64],
    part: npt.NDArray[np.int64],
) -> tuple[float, int]:
    """EER (0..1) between protected samples of the attacker's, each part judged by what the others taught; mated pairs.

    1 and 0 where the attacker has no such pair.
    """
    mated, non_mated = [], []
    for fold in np.unique(part):
        inside = part == fold
        if inside.all():
            continue
        learned = _linker(candidate, protected[~inside], None if twins is None else twins[~inside], identities[~inside])
        e = _embedded(FEATURES[candidate[0]], *learned, protected[inside], candidate[1])
        one, other = np.triu_indices(len(e), 1)
        scores, same = (e @ e.T)[one, other], identities[inside][one] == identities[inside][other]
        mated.append(scores[same])
        non_mated.append(scores[~same])
    mated_scores = np.concatenate(mated) if mated else np.empty(0)
    if not len(mated_scores) or not any(map(len, non_mated)):
        return 1.0, 0
    return float(eer(mated_scores, np.concatenate(non_mated))), len(mated_scores)


def _cosines(a: Values, b: Values) -> Values:
    lengths = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1) + 1e-12
    return np.asarray((a * b).sum(axis=1) / lengths, np.float64)
