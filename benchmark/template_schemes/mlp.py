"""MLP-hash: the signs of what a perceptron with random orthonormal weights, drawn from the key, makes of a template.

Otroshi Shahreza, Krivokuća Hahn and Marcel, MLP-Hash: protecting face templates via hashing of randomized multi-layer
perceptron, EUSIPCO 2023.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from benchmark.errors import InvalidInputError
from benchmark.interfaces import Templates
from benchmark.template_schemes.keyed import keyed_generator
from benchmark.template_schemes.projection import Projection, project
from benchmark.template_schemes.reflections import Orthonormal, orthonormal


def weights(key: bytes, dimension: int, hidden: Sequence[int], length: int) -> list[Orthonormal]:
    """The key's weight matrices, from the template over the hidden layers' neurons to `length` outputs.

    Columns are orthonormal, or rows where a layer has more neurons than inputs.
    """
    sizes = [dimension, *hidden, length]
    if min(sizes) < 1:
        raise InvalidInputError(f"every layer needs at least one neuron, not {sizes}")
    return [
        orthonormal(inputs, outputs, keyed_generator(key, "layer", str(number)))
        for number, (inputs, outputs) in enumerate(pairwise(sizes))
    ]


def mlp_hash(templates: Templates, layers: Sequence[Projection], activation: str, tau: float = 0.0) -> Templates:
    """Bits (float32 0 or 1, N x L): whether each output of the last layer is above tau.

    `activation` of the hidden layers: `relu`, or `tanh`.

    >>> first, last = np.array([[1, -1], [0, 1]], np.float32), np.array([[1, 1], [-1, 1]], np.float32)
    >>> mlp_hash(np.array([[1, 3]], np.float32), [first, last], "relu").tolist()  # (1, 2) -> (-1, 3)
    [[0.0, 1.0]]
    """
    if activation not in ("relu", "tanh"):
        raise InvalidInputError(f"unknown activation {activation!r}; known: relu, tanh")
    *hidden, last = layers
    values = templates
    for matrix in hidden:
        values = project(values, matrix)
        values = np.maximum(values, 0) if activation == "relu" else np.tanh(values)
    return (project(values, last) > tau).astype(np.float32)
