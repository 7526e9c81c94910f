"""Random quantities out of a key, derived once for all templates of a batch that share it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from benchmark.crypto import derive_key
from benchmark.errors import InvalidInputError
from benchmark.interfaces import Templates

#: Protects the templates (float32, N x D) of one key.
Transform: TypeAlias = Callable[[Templates, bytes], Templates]


def keyed_generator(key: bytes, *label: str) -> np.random.Generator:
    """The generator that a 32-byte key seeds for one use, which `label` names.

    Raises InvalidInputError on a key of another length.

    >>> one, other = keyed_generator(bytes(32), "a"), keyed_generator(bytes(32), "b")
    >>> bool(one.random() == keyed_generator(bytes(32), "a").random() != other.random())
    True
    """
    return np.random.default_rng(int.from_bytes(derive_key(key, "template scheme", *label), "big"))


def rows_by_key(keys: Sequence[bytes]) -> Iterator[tuple[bytes, npt.NDArray[np.int64]]]:
    """Each different key with the rows (int64) that it protects, in the order of their first occurrence.

    >>> [(key.decode(), rows.tolist()) for key, rows in rows_by_key([b"k", b"q", b"k"])]
    [('k', [0, 2]), ('q', [1])]
    """
    rows: dict[bytes, list[int]] = {}
    for row, key in enumerate(keys):
        rows.setdefault(key, []).append(row)
    for key, held in rows.items():
        yield key, np.array(held, np.int64)


def protect_by_key(templates: Templates, keys: Sequence[bytes], transform: Transform) -> Templates:
    """N protected templates (float32, N x L): `transform` is called once for each different key, on all of its rows.

    Raises InvalidInputError where templates are no N x D array of numbers, or keys are not one for each.

    >>> protect_by_key(np.ones((2, 3), np.float32), [bytes(32)] * 2, lambda rows, key: 2 * rows).tolist()
    [[2.0, 2.0, 2.0], [2.0, 2.0, 2.0]]
    """
    if templates.ndim != 2 or not templates.size:
        raise InvalidInputError(f"templates to protect are N x D numbers, not an array of shape {templates.shape}")
    if len(keys) != len(templates):
        raise InvalidInputError(f"{len(templates)} templates need as many keys, not {len(keys)}")
    if not np.isfinite(templates).all():
        raise InvalidInputError("templates to protect hold NaN or infinity; leave failures to process out")
    protected: Templates | None = None
    for key, rows in rows_by_key(keys):
        part = transform(np.ascontiguousarray(templates[rows], np.float32), key)
        if protected is None:
            protected = np.empty((len(templates), part.shape[1]), np.float32)
        protected[rows] = part
    assert protected is not None  # there is at least one template
    return protected
