"""header-leak: reads headers alone, and tells persons apart a little better than chance."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from loaded_baselines import load_baseline

from benchmark.datasets import open_dataset
from benchmark.errors import InvalidInputError
from benchmark.interfaces import Evidence
from benchmark.jpeg2000 import encode, encrypt, segments
from benchmark.recognisers.cosine import cosine_all

CODER: dict[str, Any] = {"layers": "16", "code_block": 32, "segmentation_symbols": True}
ALGORITHM = {"id": "jpeg2000-window", "parameters": {**CODER, "offset": 0, "size": 100}}
#: Persons that the attack's own statistics do not know, two photographs of each.
FACES = (
    open_dataset("synthetic", {"seed": 2}, None).load([f"s{n:04d}/{k}" for n in range(40) for k in range(2)]).samples
)
PLAIN = [encode(face, **CODER) for face in FACES]
ATTACK = load_baseline("attacks/header-leak")


def run(files: list[bytes]) -> Any:
    return ATTACK.run(Evidence(files, algorithm=ALGORITHM), generator=np.random.default_rng(0))


def test_features_are_the_segment_table_s() -> None:
    features = type(ATTACK).run.__globals__["header_features"](PLAIN[0]).reshape(-1, 33)
    table = segments(PLAIN[0])
    for number, row in enumerate(features):
        own = table[table["code_block"] == number]
        assert row[0] == (own["zero_planes"][0] if len(own) else -1)
        assert row[16] == own["passes"].sum()
        assert np.isclose(row[32], np.log1p(own["length"].sum()))


def test_encrypting_every_body_byte_changes_nothing() -> None:
    window = {"offset": 0, "size": 100, "window_base": "packet-bodies"}
    hidden = [encrypt(data, key=bytes(32), **window) for data in PLAIN[:4]]
    templates = run(hidden)
    assert templates.dtype == np.float32
    assert np.array_equal(templates, run(PLAIN[:4]))
    assert np.array_equal(templates, ATTACK.embed(FACES[:4], algorithm=ALGORITHM, prepared=PLAIN[:4]))
    assert np.array_equal(templates, ATTACK.embed(FACES[:4], algorithm=ALGORITHM))


def test_photographs_of_one_person_are_more_alike() -> None:
    templates = run(PLAIN)
    scores = cosine_all(templates[::2], templates[1::2])
    genuine, impostor = np.diag(scores), scores[~np.eye(40, dtype=bool)]
    above = (genuine[:, None] > impostor[None, :]).mean()
    assert above > 0.54  # 0.5 is chance; nothing here is random, so this cannot flicker


def test_what_has_no_headers_is_like_nothing() -> None:
    assert not run([b"ciphertext", PLAIN[0][:50], encode(FACES[0][:64], layers=2)]).any()
    with pytest.raises(InvalidInputError, match="needs the algorithm"):
        ATTACK.run(Evidence(PLAIN[:1]), generator=np.random.default_rng(0))
