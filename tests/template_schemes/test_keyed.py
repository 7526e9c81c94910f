"""Keys: one derivation for each, whatever the order; errors in words."""

from __future__ import annotations

import numpy as np
import pytest

from benchmark.crypto import derive_key
from benchmark.errors import InvalidInputError
from benchmark.template_schemes.keyed import keyed_generator, protect_by_key

KEYS = [derive_key(bytes(32), "subject", str(number)) for number in range(3)]


def test_a_transform_is_called_once_for_each_key_and_rows_go_back_to_their_places() -> None:
    asked: list[bytes] = []

    def transform(rows, key):
        asked.append(key)
        return rows[:, :1] + KEYS.index(key)

    templates = np.arange(12, dtype=np.float32).reshape(6, 2)
    keys = [KEYS[number] for number in (0, 1, 0, 2, 1, 0)]
    assert protect_by_key(templates, keys, transform)[:, 0].tolist() == [0, 3, 4, 8, 9, 10]
    assert asked == KEYS


def test_labels_and_keys_give_generators_of_their_own() -> None:
    drawn = {float(keyed_generator(key, label).random()) for key in KEYS for label in ("a", "b")}
    assert len(drawn) == 6


@pytest.mark.parametrize(
    ("templates", "keys", "message"),
    [
        (np.ones(3, np.float32), 3, "N x D"),
        (np.ones((3, 2), np.float32), 2, "3 templates need as many keys, not 2"),
        (np.full((1, 2), np.nan, np.float32), 1, "NaN or infinity"),
    ],
)
def test_what_cannot_be_protected_is_said(templates, keys, message) -> None:
    with pytest.raises(InvalidInputError, match=message):
        protect_by_key(templates, KEYS[:1] * keys, lambda rows, key: rows)
    with pytest.raises(InvalidInputError, match="32 bytes"):
        keyed_generator(b"short")
