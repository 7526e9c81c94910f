"""Codebooks: all that was learned for a Fisher vector recogniser, in one safetensors file inside the package."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmark.errors import InvalidInputError

from .descriptors import WIDTH, Sampling
from .mixture import Floats, Mixture


@dataclass(frozen=True)
class Codebook:
    """Principal components of descriptors, a mixture over them, and a metric over Fisher vectors."""

    sampling: Sampling
    #: float32, D: the mean descriptor.
    mean: Floats
    #: float32, D x C: descriptor less mean -> principal components, scaled so that the first has deviation 1.
    components: Floats
    #: K components over C + 2 dimensions: principal components, then row and column.
    mixture: Mixture
    #: int8, T x K (C + 2), and float32, T: a template is (metric x scale) @ (normalised Fisher vector) - offset.
    metric: npt.NDArray[np.int8]
    scale: Floats
    #: float32, T: the mean over the training images.
    offset: Floats

    def tensors(self) -> dict[str, npt.NDArray[Any]]:
        """Everything but the sampling, by the names in the file."""
        return {
            "descriptor.mean": self.mean,
            "descriptor.components": self.components,
            "mixture.weights": self.mixture.weights,
            "mixture.means": self.mixture.means,
            "mixture.variances": self.mixture.variances,
            "metric.rows": self.metric,
            "metric.scale": self.scale,
            "metric.offset": self.offset,
        }


def write_codebook(codebook: Codebook, *, notes: dict[str, str]) -> bytes:
    """The content of a codebook's file: safetensors, with sampling and notes (of the training split) as metadata."""
    from safetensors.numpy import save

    # Little-endian and contiguous, whatever the fit left behind.
    tensors = {name: np.ascontiguousarray(array) for name, array in codebook.tensors().items()}
    return bytes(save(tensors, metadata={"sampling": json.dumps(asdict(codebook.sampling), sort_keys=True), **notes}))


def read_codebook(path: Path, *, sha256: str) -> Codebook:
    """A codebook from a file whose SHA-256 is as expected.

    Raises InvalidInputError, in one line, for a file that is missing, has another digest, or is no codebook.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InvalidInputError(f"{path}: cannot be read ({error.strerror}); install the package again") from error
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise InvalidInputError(f"{path}: SHA-256 is {found}, expected {sha256}; install the package again")
    return parse_codebook(content, path)


def parse_codebook(content: bytes, path: Path) -> Codebook:
    """A codebook from a file's content; raises InvalidInputError for what is none (`path` is for the message)."""
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        t = load(content)
        header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
        fields = json.loads(header["__metadata__"]["sampling"])
        sampling = Sampling(**{**fields, "patches": tuple(fields["patches"])})
        mixture = Mixture(t["mixture.weights"], t["mixture.means"], t["mixture.variances"])
        mean, components = t["descriptor.mean"], t["descriptor.components"]
        book = Codebook(sampling, mean, components, mixture, t["metric.rows"], t["metric.scale"], t["metric.offset"])
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise InvalidInputError(f"{path}: is no codebook of Fisher vectors ({error})") from error
    _require_fit(book, path)
    return book


def _require_fit(book: Codebook, path: Path) -> None:
    if book.sampling.kind not in WIDTH:
        raise InvalidInputError(f"{path}: is for descriptors of kind {book.sampling.kind!r}; known: {', '.join(WIDTH)}")
    width, kept = WIDTH[book.sampling.kind], book.components.shape[-1]
    count, rank = len(book.mixture.weights), len(book.scale)
    shapes = {
        "descriptor.mean": (width,),
        "descriptor.components": (width, kept),
        "mixture.weights": (count,),
        "mixture.means": (count, kept + 2),
        "mixture.variances": (count, kept + 2),
        "metric.rows": (rank, count * (kept + 2)),
        "metric.scale": (rank,),
        "metric.offset": (rank,),
    }
    for name, array in book.tensors().items():
        kind = "int8" if name == "metric.rows" else "float32"
        if array.shape != shapes[name] or array.dtype.name != kind:
            raise InvalidInputError(f"{path}: {name} is {array.dtype} {array.shape} instead of {kind} {shapes[name]}")
        if not np.isfinite(array).all():
            raise InvalidInputError(f"{path}: {name} holds values that are no numbers")
    if not ((book.mixture.weights > 0).all() and (book.mixture.variances > 0).all()):
        raise InvalidInputError(f"{path}: mixture.weights and mixture.variances must be above 0")
