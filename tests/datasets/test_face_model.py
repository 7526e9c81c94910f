"""The integer drawing, step by step, against floating-point references."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from benchmark.datasets import face_model
from benchmark.datasets.face_model import coefficients, load_model, normals, placement, raw_bytes
from benchmark.digest import generator

MODEL = load_model()


def test_raw_bytes_are_the_bit_generator_s_in_little_endian_order() -> None:
    words = np.random.default_rng(3).bit_generator.random_raw(2)
    expected = b"".join(int(word).to_bytes(8, "little") for word in words)
    assert raw_bytes(np.random.default_rng(3), 13).tobytes() == expected[:13]


def test_normals_have_normal_moments() -> None:
    values = normals(np.random.default_rng(4), 400_000) / face_model._DEVIATION
    assert abs(values.mean()) < 0.005
    assert values.std() == pytest.approx(1, abs=0.005)
    # Irwin-Hall of order 8: excess kurtosis -6 / (5 x 8).
    assert (values**4).mean() == pytest.approx(3 - 0.15, abs=0.03)
    assert np.quantile(values, 0.975) == pytest.approx(1.96, abs=0.015)


def test_coefficients_have_the_covariances_of_the_file() -> None:
    count, (who, how) = 6_000, MODEL.sizes
    draw = np.random.default_rng(5)
    persons, photographs = (normals(draw, count * size).reshape(count, size) for size in (who, how))
    values = (coefficients(MODEL, persons, photographs, 128) - MODEL.person) / 2**face_model.COEFFICIENT_BITS
    between, within = (
        factor @ factor.T / 2 ** (2 * face_model.MIXING_BITS) for factor in (MODEL.between, MODEL.within)
    )
    expected = between + within / 4
    assert np.abs(np.cov(values.T) - expected).max() < 0.08  # six standard errors of the largest entry
    assert np.trace(np.cov(values.T)) == pytest.approx(np.trace(expected), rel=0.01)


def test_products_are_exact_whole_numbers() -> None:
    who, how = MODEL.sizes
    extreme = np.full((1, max(who, how)), 2 * 8 * 255 - 8 * 255, np.int64)
    mixed = 256 * (np.abs(MODEL.between) @ extreme[0, :who]) + 512 * (np.abs(MODEL.within) @ extreme[0, :how])
    assert mixed.max() < 2**53
    assert mixed.max() * face_model._TO_COEFFICIENT < 2**63
    # Far beyond what can be drawn: every coefficient at eight standard deviations.
    for part in (MODEL.grey, MODEL.chroma, MODEL.shape):
        assert (np.abs(part).sum(0) * 8 * 2**face_model.COEFFICIENT_BITS).max() < 2**53
    values = coefficients(MODEL, extreme[:, :who], extreme[:, :how], 512)
    grey = values[:, : len(MODEL.grey)]
    assert (grey @ MODEL.grey).astype(np.int64).tolist() == (
        grey.astype(np.int64) @ MODEL.grey.astype(np.int64)
    ).tolist()


def test_placement_is_a_similarity_transform() -> None:
    moved = placement(np.array([[512, -256, 0, 0], [0, 0, 100, 0], [0, 0, 0, 100]]), 112) / 256
    assert np.allclose(moved[0, 0], 2)
    assert np.allclose(moved[0, 1], -1)
    distance = np.arange(112) - 55.5
    rate = 2 * 100 / 128 / 256
    assert np.allclose(moved[1, 0], rate * distance, atol=0.003)
    assert np.allclose(moved[1, 1], rate * distance[:, None], atol=0.003)
    assert np.allclose(moved[2, 0], -rate * distance[:, None], atol=0.003)
    assert np.allclose(moved[2, 1], rate * distance, atol=0.003)
    coarse = placement(np.array([[40, 30, 200, -90]]), 28)
    fine = placement(np.array([[40, 30, 200, -90]]), 112).reshape(1, 2, 28, 4, 28, 4).mean((3, 5))
    assert np.abs(coarse - fine).max() <= 1


def test_colour_conversion_is_that_of_jpeg() -> None:
    planes = generator("tests", "colour").integers(0, 256, (3, 64, 64), dtype=np.uint8)
    ours = face_model._rgb(planes[:1].astype(np.int32) << 4, (planes[None, 1:].astype(np.int32) - 128) << 4)[0]
    expected = np.asarray(Image.merge("YCbCr", [Image.fromarray(plane) for plane in planes]).convert("RGB"))
    assert np.abs(ours.astype(int) - expected).max() <= 1
