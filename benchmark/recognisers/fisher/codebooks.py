"""Which codebook belongs to which recogniser, without loading any."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import yaml

from benchmark.errors import unknown

FOLDER = Path(__file__).parent
#: {recogniser: {file, sha256}}, written by tools/fit_fisher_vectors.py.
KNOWN = FOLDER / "codebooks.yaml"


def codebook_sha256(id: str) -> str:
    """The SHA-256 (64 hex digits) that a recogniser's codebook must have; raises InvalidInputError for unknown ids.

    >>> len(codebook_sha256("fv-sift"))
    64
    """
    return known_codebook(id)["sha256"]


def codebook_path(id: str) -> Path:
    """The file of a recogniser's codebook, inside the package; raises InvalidInputError for unknown ids.

    >>> codebook_path("fv-sift").name
    'fv_sift.safetensors'
    """
    return FOLDER / known_codebook(id)["file"]


@lru_cache
def known_codebook(id: str) -> dict[str, str]:
    """`file` and `sha256` of a recogniser's codebook; raises InvalidInputError for unknown ids."""
    known: dict[str, dict[str, str]] = yaml.safe_load(KNOWN.read_text("utf-8"))
    if id not in known:
        raise unknown("codebook", id, known)
    return known[id]
