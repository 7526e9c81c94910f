"""Each scheme against cases computed by hand and against its formula written out as a loop."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from loaded_baselines import load_baseline

from benchmark.crypto import derive_key
from benchmark.errors import InvalidInputError
from benchmark.template_schemes import biohash, bloom, iom, mlp, poly
from benchmark.template_schemes.keyed import keyed_generator
from benchmark.template_schemes.normals import standard_normals

KEY = derive_key(bytes(32), "system")


def faces(count: int, dimension: int, seed: int = 0) -> np.ndarray:
    values = np.random.default_rng(seed).normal(size=(count, dimension))
    return (values / np.linalg.norm(values, axis=1, keepdims=True)).astype(np.float32)


def test_biohash_by_hand() -> None:
    x = np.array([[0.6, -0.8, 0.0], [-1.0, 2.0, 2.0]], np.float32)
    vectors = np.array([[0.6, 0.8], [-0.8, 0.6], [0, 0]], np.float32)
    # Inner products: 1, 0 and -2.2, 0.4. Equal to tau is not above it.
    assert biohash.biohash(x, vectors).tolist() == [[1, 0], [0, 1]]
    assert biohash.biohash(x, vectors, tau=0.5).tolist() == [[1, 0], [0, 0]]


def test_biohash_scores_follow_the_angle_and_the_key_gives_the_direction_away() -> None:
    a = faces(300, 128)
    b = a + 0.7 * faces(300, 128, 1)
    vectors = biohash.basis(KEY, 128, 128)
    one, other = biohash.biohash(a, vectors), biohash.biohash(b.astype(np.float32), vectors)
    cosines = (a * b).sum(1) / np.linalg.norm(b, axis=1)
    assert (one == other).mean() == pytest.approx(1 - np.arccos(cosines).mean() / np.pi, abs=0.01)
    guessed = (2 * one - 1) @ vectors.T
    assert (a * guessed).sum(1).mean() / np.sqrt(128) == pytest.approx(np.sqrt(2 / np.pi), abs=0.01)
    with pytest.raises(InvalidInputError, match="1 to 128 bits"):
        biohash.basis(KEY, 128, 129)


def test_iom_by_hand() -> None:
    x = np.array([[1.0, 3.0, 2.0]], np.float32)
    # Groups of q = 3: inner products (1, 3, 2), then (-3, -2, -1), then a tie (3, 3, 0).
    vectors = np.array([[1, 0, 0, 0, 0, -1, 0, 3, 0], [0, 1, 0, -1, 0, 0, 1, 0, 0], [0, 0, 1, 0, -1, 0, 0, 0, 0]])
    assert iom.hash_by_projection(x, vectors.astype(np.float32), 3).tolist() == [[1, 2, 0]]
    # Products of the first two entries: (1 x 2, 3 x 3), then (2 x 2, 3 x 1).
    order = np.array([[[0, 1], [2, 1]], [[2, 1], [2, 0]]])
    assert iom.hash_by_permutation(x, order).tolist() == [[1, 0]]


def test_iom_permutations_are_beginnings_of_permutations() -> None:
    order = iom.permutations(KEY, 20, 5, 2, 7)
    assert order.shape == (5, 2, 7)
    assert all(len(set(one)) == 7 for one in order.reshape(-1, 7).tolist())
    x = faces(9, 20)
    expected = [[int(np.argmax(row[one] * row[other])) for one, other in order] for row in x]
    assert iom.hash_by_permutation(x, order).tolist() == expected
    with pytest.raises(InvalidInputError, match="1 to 20 of 20"):
        iom.permutations(KEY, 20, 5, 2, 21)


@pytest.mark.parametrize("p", [1, 3])
def test_iom_products_of_any_order(p) -> None:
    order, x = iom.permutations(KEY, 20, 5, p, 20), faces(9, 20)
    expected = [[int(np.argmax(np.prod([row[one] for one in group], axis=0))) for group in order] for row in x]
    assert iom.hash_by_permutation(x, order).tolist() == expected


def test_iom_permutations_are_all_as_likely() -> None:
    order = iom.permutations(KEY, 4, 4096, 6, 4).reshape(-1, 4)
    _, counts = np.unique(order, axis=0, return_counts=True)
    # Chi-square with 23 degrees of freedom: above 50 in one of a thousand cases.
    assert len(counts) == 24
    assert (np.square(counts - 1024) / 1024).sum() < 50


def test_polyprotect_by_hand() -> None:
    v = np.array([[1, 2, 3, 4, 0.5, -1, 2]], np.float32)
    c, e = np.array([2, -3, 5]), np.array([3, 1, 2])
    # 2 v1^3 - 3 v2 + 5 v3^2, windows (1 2 3), (4 .5 -1), (2 0 0).
    assert poly.polyprotect(v, c, e, 0).tolist() == [[41, 131.5, 16]]
    # windows (1 2 3), (3 4 .5), (.5 -1 2).
    assert poly.polyprotect(v, c, e, 1).tolist() == [[41, 43.25, 23.25]]


@pytest.mark.parametrize(("overlap", "length"), [(0, 103), (1, 128), (2, 170), (3, 255), (4, 508)])
def test_polyprotect_has_the_lengths_of_its_paper(overlap, length) -> None:
    c, e = poly.polynomial(KEY, 5, 50)
    assert poly.polyprotect(faces(1, 512), c, e, overlap).shape == (1, length)


@given(st.integers(1, 6), st.integers(0, 5), st.integers(1, 25), st.binary(min_size=32, max_size=32))
def test_polyprotect_is_its_formula(m, overlap, dimension, key) -> None:
    c, e = poly.polynomial(key, m, 3)
    assert len(set(c.tolist())) == m
    assert 0 not in c
    assert sorted(e) == list(range(1, m + 1))
    v = faces(2, dimension)
    if overlap >= m:
        with pytest.raises(InvalidInputError, match="windows"):
            poly.polyprotect(v, c, e, overlap)
        return
    found = poly.polyprotect(v, c, e, overlap)
    padded = np.pad(v.astype(np.float64), ((0, 0), (0, 40)))
    starts = range(0, found.shape[1] * (m - overlap), m - overlap)
    expected = [[sum(c[i] * row[s + i] ** e[i] for i in range(m)) for s in starts] for row in padded]
    assert np.allclose(found, expected, atol=1e-5)
    assert found.shape[1] == max(math.ceil((dimension - m) / (m - overlap)), 0) + 1


def test_mlp_hash_by_hand() -> None:
    x = np.array([[1, 3], [-2, 1]], np.float32)
    first = np.array([[1, -1, 0], [0, 1, -1]], np.float32)  # (1, 2, -3) and (-2, 3, -1)
    last = np.array([[1, -1], [-1, 1], [9, 9]], np.float32)
    # relu: (1, 2, 0) -> (-1, 1); (0, 3, 0) -> (-3, 3). Without a hidden layer: signs of the first products.
    assert mlp.mlp_hash(x, [first, last], "relu").tolist() == [[0, 1], [0, 1]]
    assert mlp.mlp_hash(x, [first, last], "relu", tau=2).tolist() == [[0, 0], [0, 1]]
    assert mlp.mlp_hash(x, [first], "relu").tolist() == [[1, 1, 0], [0, 1, 0]]
    # tanh: (0.762, 0.964, -0.995) -> both sums are negative by the third; tanh is odd.
    assert mlp.mlp_hash(x, [first, last], "tanh").tolist() == [[0, 0], [0, 0]]
    with pytest.raises(InvalidInputError, match="unknown activation"):
        mlp.mlp_hash(x, [first, last], "sine")


def test_mlp_weights_are_orthonormal_and_independent() -> None:
    layers = [layer.explicit() for layer in mlp.weights(KEY, 8, [12, 6], 6)]
    assert [layer.shape for layer in layers] == [(8, 12), (12, 6), (6, 6)]
    assert np.allclose(layers[0] @ layers[0].T, np.eye(8), atol=1e-6)
    assert np.allclose(layers[1].T @ layers[1], np.eye(6), atol=1e-6)
    assert not np.allclose(layers[1][:6], layers[2])
    with pytest.raises(InvalidInputError, match="at least one neuron"):
        mlp.weights(KEY, 8, [0], 6)


def test_random_projection_by_hand(monkeypatch) -> None:
    protector = load_baseline("protectors/random-projection", m=2)
    x = np.array([[5, 10], [0, -5]], np.float32)
    matrices = {b"one": np.array([[0.6, -0.8], [0.8, 0.6]], np.float32), b"other": np.eye(2, dtype=np.float32)[::-1]}
    monkeypatch.setattr(protector, "drawn", lambda key, dimension: matrices[key])

    def protect(*keys: bytes) -> np.ndarray:
        return protector.protect(x, keys, generator=np.random.default_rng(0))

    # x R: 5 x 0.6 + 10 x 0.8 = 11 and -5 x 0.8 + 10 x 0.6 = 2; -5 x 0.8 = -4 and -5 x 0.6 = -3.
    assert protect(b"one", b"one") == pytest.approx(np.array([[11, 2], [-4, -3]]), abs=1e-6)
    assert protect(b"other", b"one") == pytest.approx(np.array([[10, 5], [-4, -3]]), abs=1e-6)
    # An orthonormal matrix keeps the cosine, -50 / (11.18 x 5); two keys turn it to -55 / (11.18 x 5).
    one, apart = protect(b"one", b"one"), protect(b"other", b"one")
    assert protector.compare(one[:1], one[1:]) == pytest.approx([-2 / math.sqrt(5)], abs=1e-6)
    assert protector.compare(apart[:1], apart[1:]) == pytest.approx([-2.2 / math.sqrt(5)], abs=1e-6)


def test_random_projection_draws_its_matrix_from_the_key_alone() -> None:
    # With g the first numbers that the key draws, Gram-Schmidt's vector in the plane is g / |g|.
    g = standard_normals(2, keyed_generator(KEY, "random projection")).astype(np.float64)
    x = np.array([[3, -4]], np.float32)
    for parameters, column in [({"m": 1}, g / math.hypot(*g)), ({"m": 1, "matrix": "gaussian"}, g)]:
        protector = load_baseline("protectors/random-projection", **parameters)
        found = protector.protect(x, [KEY], generator=np.random.default_rng(0))
        assert found == pytest.approx(np.array([[3 * column[0] - 4 * column[1]]]), rel=1e-6)
    # Entries of variance 1 / m: the first row of two, halved at m = 4.
    g = standard_normals(8, keyed_generator(KEY, "random projection")).reshape(2, 4)
    protector = load_baseline("protectors/random-projection", m=4, matrix="gaussian")
    assert protector.protect(
        np.array([[1, 0]], np.float32), [KEY], generator=np.random.default_rng(0)
    ) == pytest.approx(g[:1] / 2)


def test_bloom_by_hand() -> None:
    bits = np.array([[1, 0, 0, 0, 1, 1, 0, 1]])
    # Two rows of four: columns 11, 01, 00, 01 are words 3, 1, 0, 1; blocks {3, 1} and {0, 1}; XOR 1 and 2.
    filters = bloom.bloom_filters(bits, np.arange(8), np.array([1, 2]), 2, 2)
    assert filters.tolist() == [[1, 0, 1, 0, 0, 0, 1, 1]]
    other = np.array([[1, 0, 0, 0, 0, 0, 1, 1]], np.float32)
    # Blocks: |xor| 1 of 2 + 1, and 0 of 4: 1 - (1 / 3 + 0) / 2.
    assert bloom.filter_similarity(filters, other, 2).tolist() == [pytest.approx(5 / 6)]
    # Order within a block is lost.
    swapped = np.array([[0, 1, 0, 0, 1, 1, 0, 1]])
    assert bloom.bloom_filters(swapped, np.arange(8), np.array([1, 2]), 2, 2).tolist() == filters.tolist()


def test_bloom_fills_up_and_refuses() -> None:
    # Three bits of height 2: columns (1, 1), (0, -); one block not full.
    assert bloom.bloom_filters(np.array([[1, 0, 1]]), np.arange(3), np.array([0]), 2, 8).tolist() == [[1, 0, 0, 1]]
    with pytest.raises(InvalidInputError, match="1 to 12 bits high"):
        bloom.blocks_of(512, 13, 8)
    with pytest.raises(InvalidInputError, match="at least 2 intervals"):
        bloom.binarise(faces(1, 8), 1)
    with pytest.raises(InvalidInputError, match="4 values a block"):
        bloom.filter_similarity(np.ones((1, 6), np.float32), np.ones((1, 6), np.float32), 2)


def test_bloom_intervals_are_equally_probable_and_unary() -> None:
    bits = bloom.binarise(faces(200, 512), 4).reshape(-1, 3)
    assert np.all(np.diff(bits, axis=1) <= 0)
    assert np.bincount(bits.sum(1)) / len(bits) == pytest.approx([0.25] * 4, abs=0.01)


@pytest.mark.parametrize(("height", "blocks"), [(2, 1), (4, 16), (6, 3)])
def test_filters_are_compared_all_with_all_as_row_by_row(height, blocks) -> None:
    random = np.random.default_rng(height)
    a, b = ((random.random((n, blocks << height)) < 0.4).astype(np.float32) for n in (40, 30))
    a[:, :: 1 << height] = 1  # no block is empty
    rows = np.stack([bloom.filter_similarity(np.repeat(row[None], 30, 0), b, height) for row in a])
    assert np.array_equal(bloom.filter_similarity_all(a, b, height), rows)
    with pytest.raises(InvalidInputError, match="filters of"):
        bloom.filter_similarity_all(a, b[:, 1:], height)
