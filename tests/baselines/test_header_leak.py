"""header-leak: reads headers alone, and tells persons apart better than chance, whatever the protector's parameters."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
from jp2_files import boxed
from loaded_baselines import load_baseline

from benchmark.datasets import open_dataset
from benchmark.errors import InvalidInputError
from benchmark.interfaces import Evidence
from benchmark.jpeg2000 import encode, encrypt, segments
from benchmark.recognisers.cosine import cosine_all

CODER: dict[str, Any] = {"layers": "16", "code_block": 32, "segmentation_symbols": True}
WINDOW = {"offset": 0, "size": 100, "window_base": "packet-bodies"}
PARAMETERS: dict[str, Any] = {**CODER, "offset": 0, "size": 100}
#: Persons that the attack's own statistics do not know, two photographs of each.
FACES = (
    open_dataset("synthetic", {"seed": 2}, None).load([f"s{n:04d}/{k}" for n in range(40) for k in range(2)]).samples
)
ATTACK = load_baseline("attacks/header-leak")
by_side = pytest.mark.parametrize("side", [64, 32, 16])


@cache
def plain(side: int) -> list[bytes]:
    return [encode(face, **{**CODER, "code_block": side}) for face in FACES]


def algorithm(**parameters: Any) -> dict[str, Any]:
    return {"id": "any", "parameters": {**PARAMETERS, **parameters}}


def run(files: list[bytes], **parameters: Any) -> Any:
    return ATTACK.run(Evidence(files, algorithm=algorithm(**parameters)), generator=np.random.default_rng(0))


@by_side
def test_features_are_the_segment_table_s(side: int) -> None:
    data = plain(side)[0]
    features = type(ATTACK).run.__globals__["header_features"](data).reshape(-1, 33)
    table = segments(data)
    for number, row in enumerate(features):
        own = table[table["code_block"] == number]
        assert row[0] == (own["zero_planes"][0] if len(own) else -1)
        assert row[16] == own["passes"].sum()
        assert np.isclose(row[32], np.log1p(own["length"].sum()))


@by_side
def test_encrypting_every_body_byte_changes_nothing(side: int) -> None:
    own, known = plain(side)[:4], algorithm(code_block=side)
    templates = run([encrypt(data, key=bytes(32), **WINDOW) for data in own], code_block=side)
    assert templates.dtype == np.float32
    assert np.array_equal(templates, run(own, code_block=side))
    assert np.array_equal(templates, ATTACK.embed(FACES[:4], algorithm=known, prepared=own))
    assert np.array_equal(templates, ATTACK.embed(FACES[:4], algorithm=known))


@by_side
def test_photographs_of_one_person_are_more_alike(side: int) -> None:
    templates = run(plain(side), code_block=side)
    scores = cosine_all(templates[::2], templates[1::2])
    genuine, impostor = np.diag(scores), scores[~np.eye(40, dtype=bool)]
    above = (genuine[:, None] > impostor[None, :]).mean()
    assert above > 0.62  # 0.5 is chance; nothing here is random, so this cannot flicker


@pytest.mark.parametrize(
    "foreign", [{"levels": 99}, {"layers": "many"}, {"code_block": "big"}, {"progression": ["LRCP"]}, {"layers": "8"}]
)
def test_another_protector_s_parameters_are_not_believed(foreign: dict[str, Any]) -> None:
    files = plain(32)[:3]
    assert np.array_equal(run(files, **foreign), run(files))
    assert np.array_equal(ATTACK.embed(FACES[:3], algorithm=algorithm(**foreign), prepared=files), run(files))
    assert ATTACK.embed(FACES[:3], algorithm=algorithm(**foreign)).any(axis=1).all()


def test_a_coder_that_no_parameter_tells_of_is_read_from_the_file() -> None:
    evidence = Evidence(plain(16)[:3], algorithm={"id": "other", "parameters": {}})
    assert np.array_equal(ATTACK.run(evidence, generator=np.random.default_rng(0)), run(plain(16)[:3]))


def test_a_jp2_file_has_its_codestream_s_template() -> None:
    assert np.array_equal(run([boxed(plain(32)[0])]), run(plain(32)[:1]))


def test_what_has_no_headers_or_shows_no_face_is_like_nothing() -> None:
    assert not run([b"ciphertext", plain(32)[0][:50], encode(FACES[0][:64], layers=2)]).any()
    with pytest.raises(InvalidInputError, match="needs the algorithm"):
        ATTACK.run(Evidence(plain(32)[:1]), generator=np.random.default_rng(0))
