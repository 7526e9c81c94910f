"""Traditional descriptors and deep networks: the two kinds of recognisers that tables and figures set side by side."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, TypeAlias

Kind: TypeAlias = Literal["traditional", "deep"]
KINDS: tuple[Kind, ...] = ("traditional", "deep")
#: Descriptors that are designed by hand, with whatever is learned on top of them; every other recogniser is a network.
TRADITIONAL = frozenset({"lbp", "mblbp", "fv-sift", "fv-brief"})


def kind_of(recogniser: str) -> Kind:
    """The kind of a recogniser, by its id.

    >>> kind_of("lbp"), kind_of("mobilefacenet-ms1m")
    ('traditional', 'deep')
    """
    return "traditional" if recogniser in TRADITIONAL else "deep"


def by_kind(recognisers: Iterable[str]) -> list[str]:
    """Recognisers sorted by kind, traditional ones first, and by name.

    >>> by_kind(["mobilefacenet-ms1m", "lbp", "arcface-distilled"])
    ['lbp', 'arcface-distilled', 'mobilefacenet-ms1m']
    """
    return sorted(recognisers, key=lambda name: (KINDS.index(kind_of(name)), name))
