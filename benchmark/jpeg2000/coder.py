"""Which arguments make `encode` write a codestream like a given one: what an attacker learns from a file's headers."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import numpy as np

from benchmark.errors import InvalidInputError
from benchmark.jpeg2000.encoder import SEGSYM, encode, layer_ratios
from benchmark.jpeg2000.markers import main_header, main_header_bytes

_PROGRESSIONS = ("LRCP", "RLCP", "RPCL", "PCRL", "CPRL")
_WHOLE = (15, 15)  # exponents of a precinct that holds a whole resolution
#: What comes of a value that means something else to another protector.
_REFUSALS = (InvalidInputError, ArithmeticError, LookupError, TypeError, ValueError)
_DECLARED = ("progression", "layers", "code_block", "levels", "segmentation_symbols")


def coder_of(codestream: bytes, declared: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments of `encode`, as COD and SIZ state them; values can be hashed.

    Headers say how many layers there are, and not how long: `declared["layers"]` is taken where it means as many, else
    `encode`'s own ratios for that number. Raises CodestreamError where the headers cannot be read.

    >>> coder_of(encode(np.zeros((8, 8, 3), np.uint8), levels=1, layers=2), {})["layers"]
    2
    """
    header = main_header(main_header_bytes(codestream))
    size = header.size
    coder: dict[str, Any] = {
        "progression": _PROGRESSIONS[header.progression],
        "layers": header.layers,
        "code_block": (1 << header.code_block[0], 1 << header.code_block[1]),
        "levels": header.levels,
        "segmentation_symbols": bool(header.style & SEGSYM),
        "style": header.style & ~SEGSYM,
        "sop": header.sop,
        "eph": header.eph,
        "reversible": header.wavelet == 1,
    }
    if any(exponents != _WHOLE for exponents in header.precincts):
        coder["precincts"] = tuple((1 << width, 1 << height) for width, height in reversed(header.precincts))
    if size.tiles != (1, 1):
        coder["tile"] = (size.tile_width, size.tile_height)
    with suppress(*_REFUSALS):
        ratios = tuple(layer_ratios(declared["layers"]))
        coder["layers"] = ratios if len(ratios) == header.layers else header.layers
    return coder


def declared_coder(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Those of a protector's parameters that are called as arguments of `encode` and that it takes.

    >>> declared_coder({"levels": 99, "layers": "jj2000", "progression": ["many"], "offset": 5})
    {'layers': 'jj2000'}
    """
    return {name: parameters[name] for name in _DECLARED if name in parameters and _takes(name, parameters[name])}


def _takes(name: str, value: Any) -> bool:
    try:
        encode(np.zeros((112, 112, 3), np.uint8), **{name: value})
    except _REFUSALS:
        return False
    return True
