"""Frames without pickle."""

from __future__ import annotations

import io
import random
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of

from benchmark.npz import FrameError, decode_batch, encode_batch, join_bytes, pack, split_bytes, unpack


@given(
    st.dictionaries(
        st.text(st.characters(codec="ascii", min_codepoint=97), max_size=9),
        arrays_of.arrays(
            st.sampled_from([np.uint8, np.int64, np.float32, np.float64, np.bool_, np.dtype(">i4")]),
            arrays_of.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=5),
        ),
        max_size=4,
    )
)
def test_arrays_come_back_bit_by_bit(arrays: dict[str, np.ndarray]) -> None:
    header, back = unpack(bytearray(pack({"n": 1}, arrays)))
    assert header == {"n": 1}
    assert set(back) == set(arrays)
    for name, array in arrays.items():
        assert back[name].dtype == array.dtype
        assert back[name].shape == array.shape
        assert back[name].tobytes() == array.tobytes()
        assert back[name].flags.aligned
        assert back[name].flags.writeable


def test_equal_content_gives_equal_bytes_and_numpy_reads_them() -> None:
    array = np.arange(6, dtype=np.float32).reshape(2, 3)
    assert pack({"b": 1, "a": 2}, {"x": array}) == pack({"a": 2, "b": 1}, {"x": array.copy()})
    assert np.array_equal(np.load(io.BytesIO(pack({}, {"x": array})), allow_pickle=False)["a:x"], array)


@pytest.mark.parametrize("array", [np.array([{}]), np.array(["a"]), np.zeros(2, [("a", int)]), np.zeros(2, complex)])
def test_only_numbers_travel(array: np.ndarray) -> None:
    with pytest.raises(FrameError, match="not of numbers"):
        pack({}, {"x": array})


def test_pickles_are_not_read() -> None:
    file = io.BytesIO()
    np.savez(file, header=np.frombuffer(b"{}", np.uint8), x=np.array([print], dtype=object))
    with pytest.raises(FrameError, match="object"):
        unpack(file.getvalue())


def test_a_compressed_frame_is_refused() -> None:
    file = io.BytesIO()
    np.savez_compressed(file, header=np.frombuffer(b"{}", np.uint8), x=np.zeros(1 << 20))
    with pytest.raises(FrameError, match="compressed"):
        unpack(file.getvalue())


def test_a_header_that_promises_more_than_is_there_allocates_nothing() -> None:
    npy = io.BytesIO()
    np.lib.format.write_array_header_1_0(npy, {"descr": "|u1", "fortran_order": False, "shape": (1 << 50,)})
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("x.npy", npy.getvalue() + b"abc")
    with pytest.raises(FrameError, match="but holds 3 bytes"):
        unpack(file.getvalue())


def test_damaged_frames_are_named_errors() -> None:
    frame = pack({"a": 1}, {"x": np.arange(6.0), "y": np.arange(5, dtype=np.uint8)})
    chance, refused = random.Random(1), 0
    for _ in range(2000):
        damaged = bytearray(frame[: chance.choice([len(frame), chance.randrange(len(frame))])])
        for _ in range(chance.randint(1, 4)):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256) if damaged else 0
        try:
            unpack(damaged)
        except FrameError:
            refused += 1
    assert refused > 1000


@given(st.lists(st.binary(max_size=9)))
def test_byte_strings_survive(items: list[bytes]) -> None:
    assert split_bytes(*join_bytes(items)) == items


@pytest.mark.parametrize("offsets", [[], [0], [1, 3], [0, 2, 1, 3], [0, 4]])
def test_offsets_that_do_not_cut_the_buffer_are_refused(offsets: list[int]) -> None:
    with pytest.raises(FrameError):
        split_bytes(np.zeros(3, np.uint8), np.array(offsets, np.int64))


def test_a_batch_is_found_among_other_arrays() -> None:
    assert decode_batch({**encode_batch([b"ab", b""]), "ranges": np.zeros(3)}) == [b"ab", b""]
    with pytest.raises(FrameError, match="no batch"):
        decode_batch({"ranges": np.zeros(3)})
