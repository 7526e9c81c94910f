"""Fisher vector recognisers: the contract, their codebooks, damaged files, and sanity on real faces."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open

from benchmark.datasets import open_dataset, read_pairs
from benchmark.digest import digest
from benchmark.errors import InvalidInputError
from benchmark.interfaces import Recogniser, Samples
from benchmark.metrics.verification import eer
from benchmark.recognisers import load_recogniser, recogniser_digest
from benchmark.recognisers.fisher.codebook import (
    Codebook,
    parse_codebook,
    read_codebook,
    write_codebook,
)
from benchmark.recognisers.fisher.codebooks import codebook_path, codebook_sha256
from benchmark.recognisers.fisher.descriptors import describe, positions
from benchmark.recognisers.fisher.encoding import POWER
from benchmark.recognisers.lbp import grey

IDS = ["fv-sift", "fv-brief"]
SPLITS = Path(__file__).resolve().parents[3] / "protocols" / "splits"


@pytest.fixture(scope="module", params=IDS)
def recogniser(request: pytest.FixtureRequest) -> Recogniser:
    return load_recogniser(request.param)


@pytest.fixture(scope="module")
def faces() -> Samples:
    ids = [f"s{person:04d}/{image}" for person in range(3) for image in range(2)]
    return open_dataset("synthetic", {}, None).load(ids).samples


def _book(id: str) -> Codebook:
    return read_codebook(codebook_path(id), sha256=codebook_sha256(id))


def test_template_is_independent_of_its_batch(recogniser: Recogniser, faces: Samples) -> None:
    before = faces.copy()
    templates = recogniser.embed(faces)
    assert templates.dtype == np.float32
    assert templates.shape == (len(faces), recogniser.dimension)
    assert np.array_equal(faces, before)
    assert np.array_equal(recogniser.embed(faces), templates)
    assert np.array_equal(recogniser.embed(faces[3:4]), templates[3:4])
    assert np.array_equal(recogniser.embed(faces[::-1]), templates[::-1])
    assert recogniser.embed(faces[:0]).shape == (0, recogniser.dimension)


def test_a_mirrored_face_has_the_same_template(recogniser: Recogniser, faces: Samples) -> None:
    mirrored = recogniser.embed(np.ascontiguousarray(faces[:, :, ::-1]))
    assert (recogniser.compare(recogniser.embed(faces), mirrored) > 0.9999).all()


def test_faces_without_anything_in_them_have_finite_templates(recogniser: Recogniser) -> None:
    flat = np.stack([np.full((112, 112, 3), value, np.uint8) for value in (0, 128, 255)])
    assert np.isfinite(recogniser.embed(flat)).all()


def test_images_of_one_person_are_more_alike(recogniser: Recogniser, faces: Samples) -> None:
    templates = recogniser.embed(faces)
    scores = recogniser.compare_all(templates, templates)
    assert np.allclose(np.diag(scores), 1, atol=1e-5)
    assert np.allclose(recogniser.compare(templates[:3], templates[3:]), scores[range(3), range(3, 6)], atol=1e-5)
    same = np.kron(np.eye(3), np.ones((2, 2))).astype(bool) & ~np.eye(6, dtype=bool)
    assert scores[same].mean() > scores[~same & ~np.eye(6, dtype=bool)].mean()


@pytest.mark.parametrize("id", IDS)
def test_template_is_what_the_formulas_say(id: str, faces: Samples) -> None:
    """All in float64 and in plain loops over components, from the descriptors on."""
    book, image = _book(id), grey(faces[:1])[0]
    x = (describe(image, book.sampling).astype(np.float64) - book.mean) @ book.components.astype(np.float64)
    x = np.concatenate([x, positions(book.sampling.patches, book.sampling.step)], axis=1)
    weights, means, variances = (a.astype(np.float64) for a in vars(book.mixture).values() if isinstance(a, np.ndarray))
    logs = np.stack(
        [
            np.log(w) - 0.5 * (np.log(2 * np.pi * v) + (x - m) ** 2 / v).sum(axis=1)
            for w, m, v in zip(weights, means, variances, strict=True)
        ]
    )
    q = np.exp(logs - logs.max(axis=0))
    q /= q.sum(axis=0)
    parts = [
        (q[k][:, None] * (x - means[k]) / np.sqrt(variances[k])).sum(axis=0) / np.sqrt(weights[k])
        for k in range(len(q))
    ]
    vector = np.concatenate(parts) / len(x)
    vector = np.sign(vector) * np.abs(vector) ** float(POWER)
    expected = (book.metric * book.scale[:, None].astype(np.float64)) @ (vector / np.linalg.norm(vector)) - book.offset
    assert np.allclose(load_recogniser(id).embed(faces[:1])[0], expected, atol=2e-3 * np.abs(expected).max())


@pytest.mark.parametrize("id", IDS)
def test_digest_names_the_codebook(id: str) -> None:
    loaded = load_recogniser(id)
    assert loaded.digest == recogniser_digest(id)
    path = codebook_path(id)
    assert dict(loaded.weights) == {path.name: hashlib.sha256(path.read_bytes()).hexdigest()}
    assert path.stat().st_size < 12 << 20


def test_damaged_codebook_is_refused_in_one_line(tmp_path: Path) -> None:
    content = codebook_path("fv-brief").read_bytes()
    damaged = tmp_path / "fv_brief.safetensors"
    damaged.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(InvalidInputError, match=r"fv_brief.*SHA-256 is .*, expected .*; install") as caught:
        read_codebook(damaged, sha256=codebook_sha256("fv-brief"))
    assert "\n" not in str(caught.value)
    with pytest.raises(InvalidInputError, match="cannot be read"):
        read_codebook(tmp_path / "absent.safetensors", sha256="")


@pytest.mark.parametrize("content", [b"", b"x" * 40, (2).to_bytes(8, "little") + b"{}"])
def test_other_content_is_no_codebook(content: bytes) -> None:
    with pytest.raises(InvalidInputError, match="is no codebook of Fisher vectors"):
        parse_codebook(content, Path("some.safetensors"))


def test_tensors_must_fit_each_other() -> None:
    book = _book("fv-brief")
    path = Path("some.safetensors")
    assert np.array_equal(parse_codebook(write_codebook(book, notes={}), path).metric, book.metric)
    bad = book.offset.copy()
    bad[3] = np.nan
    for wrong, message in (
        (replace(book, metric=book.metric[:, :-1]), "metric.rows is int8"),
        (replace(book, mean=book.mean.astype(np.float64)), "descriptor.mean is float64"),
        (replace(book, offset=bad), "metric.offset holds values that are no numbers"),
        (replace(book, mixture=replace(book.mixture, variances=0 * book.mixture.variances)), "above 0"),
        (replace(book, sampling=replace(book.sampling, kind="surf")), "'surf'"),  # type: ignore[arg-type]
    ):
        with pytest.raises(InvalidInputError, match=message):
            parse_codebook(write_codebook(wrong, notes={}), path)


@pytest.mark.parametrize("id", IDS)
def test_other_samples_are_refused(id: str) -> None:
    with pytest.raises(InvalidInputError, match="N x 112 x 112 x 3"):
        load_recogniser(id).embed(np.zeros((1, 100, 112, 3), np.uint8))


@pytest.mark.data
@pytest.mark.parametrize("id", IDS)
def test_codebooks_know_nobody_who_is_tested(id: str, data_root: Path) -> None:
    """The training split that the file names is the one of all people who are in no pair of View 2."""
    tested = set(read_pairs(SPLITS / "lfw-view2.csv").subjects)
    crops = [path for folder in ("aligned112", "aligned112_extra") for path in (data_root / "lfw" / folder).glob("*/*")]
    ids = sorted({f"{path.parent.name}/{path.stem}" for path in crops if path.parent.name not in tested})
    with safe_open(codebook_path(id), framework="np") as file:
        notes = file.metadata()
    assert notes["split.images"] == str(len(ids))
    assert notes["split.digest"] == digest(ids)


@pytest.mark.data
def test_real_faces_are_told_apart(data_root: Path, recogniser: Recogniser) -> None:
    """Not a measurement: 200 pairs, far from chance. docs/fisher-vectors.md has the figures."""
    pairs = read_pairs(SPLITS / "lfw-view2-dev.csv")
    chosen = np.arange(len(pairs))[:: len(pairs) // 200]
    used, at = np.unique(np.concatenate([pairs.a_index[chosen], pairs.b_index[chosen]]), return_inverse=True)
    templates = recogniser.embed(open_dataset("lfw", {}, data_root).load([pairs.ids[i] for i in used]).samples)
    a, b = np.split(templates[at], 2)
    scores, genuine = recogniser.compare(a, b), pairs.genuine[chosen]
    assert 0 < genuine.sum() < len(genuine)
    assert eer(scores[genuine], scores[~genuine]) < 0.35
