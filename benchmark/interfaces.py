"""The three contracts (Protector, Attack, Recogniser) and the few types that they exchange.

Batches go in and come out, so that an implementation may vectorise or use a GPU. What a method can do and what it may
know is declared in its `submission.yaml`, never sniffed. Every random choice draws from the generator that is handed
in. A submission never sees an identity label that its threat model does not grant, a key that is not its own, or a
score: the harness decides every comparison and computes every score.
"""

from __future__ import annotations

import importlib
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

#: Aligned face images: uint8, N x H x W x 3, RGB, 0..255.
Samples: TypeAlias = npt.NDArray[np.uint8]
#: Feature vectors: float32, N x D.
Templates: TypeAlias = npt.NDArray[np.float32]
#: Encrypted files, one `bytes` a sample.
Codestreams: TypeAlias = list[bytes]
#: What a thief of the database holds, by domain: `codestream`, `sample`, `template`.
Protected: TypeAlias = Codestreams | Samples | Templates
#: Images that may be missing: None where nothing could be decoded; the harness counts it as a failure to process.
MaybeSamples: TypeAlias = Samples | Sequence[npt.NDArray[np.uint8] | None]
#: Comparison scores: float, higher = more alike.
Scores: TypeAlias = npt.NDArray[np.floating[Any]]
#: What an attack has learned, as named arrays: stored as npz, handed back to `restore` in every process.
Learned: TypeAlias = dict[str, npt.NDArray[Any]]


class Protector(ABC):
    """Turns samples into protected samples under a key, and says whether the key holder can undo it.

    A subclass lives in `method.py` beside its `submission.yaml` and is constructed with the declared parameters, by
    keyword. `keys` is one 32-byte key per sample; under the key policies `subject` and `system` several samples share
    a key, so a protector whose keystream must not repeat declares `keys: [sample]` in its manifest.

    Domains and what `protect` returns:

    - `codestream`: a list of N `bytes`;
    - `sample`: uint8, N x H x W x 3;
    - `template`: float32, N x D; the input is then templates, not samples.
    """

    def prepare(self, samples: Samples) -> Samples | Codestreams:
        """The part of protecting that needs no key, such as encoding; stored once and shared between settings.

        The manifest's `prepare:` names the parameters that it depends on; without that key it is never called. The
        default hands the samples through.
        """
        return samples

    @abstractmethod
    def protect(
        self, prepared: Samples | Codestreams | Templates, keys: Sequence[bytes], *, generator: np.random.Generator
    ) -> Protected:
        """Protect N prepared samples (samples where `prepare` is not used; templates in the template domain)."""

    def recover(self, protected: Protected, keys: Sequence[bytes]) -> MaybeSamples:
        """What the key holder gets back: uint8, N x H x W x 3. Only for `reversible: true`."""
        raise NotImplementedError(f"{type(self).__name__} declares reversible: true but has no recover()")

    def render(self, protected: Protected) -> MaybeSamples:
        """What a standards-compliant viewer without the key shows; None where it shows nothing.

        The default decodes codestreams by their signature (JPEG 2000, JPEG) and shows images as they are. It serves
        pictures alone: `veilbench validate` holds it against the harness's own decoder, so it cannot hide anything.
        """
        # By name: a recogniser that imports its contract from here must not count the decoders as its own code, and go
        # stale with them.
        shown: MaybeSamples = importlib.import_module("benchmark.render").render(protected)
        return shown

    def encrypted_ranges(self, protected: Codestreams) -> npt.NDArray[np.int64]:
        """The encrypted window of each codestream: int64, N x 3: first byte, end (exclusive), bytes encrypted in it.

        Only in the codestream domain. Known to attacks whose threat model says `window`; the source of the record's
        share of encrypted bytes.
        """
        raise NotImplementedError(f"{type(self).__name__} has domain codestream but no encrypted_ranges()")

    def compare(self, a: Templates, b: Templates) -> Scores:
        """Scores (N) of protected templates, row by row. Only in the template domain."""
        raise NotImplementedError(f"{type(self).__name__} has domain template but no compare()")


@dataclass(frozen=True)
class Evidence:
    """What an attack holds about N protected samples; a field is None unless its threat model grants it."""

    protected: Protected
    #: int64, N x 3: first encrypted byte, end, bytes encrypted (threat model: `window`).
    windows: npt.NDArray[np.int64] | None = None
    #: One 32-byte key per sample (threat model: `key`).
    keys: Sequence[bytes] | None = None
    #: The protector's id and parameters (threat model: `algorithm`).
    algorithm: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class TrainingPairs:
    """The attacker's split: originals (uint8, N x H x W x 3) with their protected twins (threat model: `pairs`)."""

    originals: Samples
    evidence: Evidence
    #: int64, N: the attacker's own identity numbers (threat model: `identities`), else None.
    identities: npt.NDArray[np.int64] | None = None


class Attack(ABC):
    """Tries to get recognisable faces, or features, out of protected samples without the key.

    A subclass lives in `method.py` beside its `submission.yaml`, which declares what it returns and its threat model.
    """

    def fit(self, training: TrainingPairs, *, generator: np.random.Generator) -> Learned:
        """Learn from the attacker's split, once per protector setting; called only where the manifest says so.

        Returns named arrays; the harness stores them and hands them to `restore` wherever the attack runs.
        """
        return {}

    def restore(self, learned: Learned) -> None:  # noqa: B027 - an attack that learns nothing needs no restore
        """Take up what `fit` learned, in a fresh process."""

    @abstractmethod
    def run(self, evidence: Evidence, *, generator: np.random.Generator) -> MaybeSamples | Templates:
        """Attack N protected samples.

        Returns, as declared: `images` (uint8, N x H x W x 3, or a list with None where nothing came out) or
        `embeddings` (float32, N x D; compared by cosine).
        """

    def embed(
        self,
        samples: Samples,
        *,
        algorithm: Mapping[str, Any] | None = None,
        prepared: Samples | Codestreams | None = None,
    ) -> Templates:
        """Templates (float32, N x D) of originals, for an attack that returns embeddings and meets plain galleries.

        Where the threat model grants the algorithm, `algorithm` is handed over as in `Evidence`, and `prepared` holds
        the samples as the protector's `prepare` leaves them (None where it has none), since anyone could do so.
        """
        raise NotImplementedError(f"{type(self).__name__} returns embeddings but has no embed()")


class Recogniser(ABC):
    """A frozen face recognition method: samples -> templates, and a comparison of two templates.

    `digest` names code, weights and engine: equal digests give equal templates.
    """

    id: str
    dimension: int
    digest: str
    #: {file name: SHA-256} of the weights; empty where there are none.
    weights: Mapping[str, str]

    @abstractmethod
    def embed(self, samples: Samples) -> Templates:
        """Templates (float32, N x D) of N samples (uint8, N x 112 x 112 x 3, RGB)."""

    @abstractmethod
    def compare(self, a: Templates, b: Templates) -> npt.NDArray[np.float32]:
        """Scores (float32, N) of N pairs of templates, row by row; higher = more alike."""

    @abstractmethod
    def compare_all(self, a: Templates, b: Templates) -> npt.NDArray[np.float32]:
        """Scores (float32, N x M) of every template of a against every one of b."""
