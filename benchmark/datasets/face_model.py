"""A statistical model of aligned faces: random numbers -> coefficients -> shape and appearance -> pixels.

An active appearance model (Cootes, Edwards, Taylor, "Active appearance models", PAMI 23(6), 2001) whose dense shape was
found by collection flow (Kemelmacher-Shlizerman, Seitz, CVPR 2012), with separate between-person and within-person
covariances, as in probabilistic linear discriminant analysis (Prince, Elder, ICCV 2007). `tools/fit_face_model.py`
fits it; docs/synthetic-faces.md describes it.

**Every step is integer arithmetic**, so that a sample has the same bytes on every machine. The matrix products run in
float64 through BLAS, yet on whole numbers whose sums stay under 2^53: they are exact in whatever order they are added.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from benchmark.datasets.base import SIDE
from benchmark.datasets.fields import POSITION_BITS, Integers, blur, enlarge, shift, warp
from benchmark.interfaces import Samples

Whole: TypeAlias = npt.NDArray[np.float64]  # whole numbers, held as float64 for exact BLAS products

MODEL_FILE = Path(__file__).with_name("face_model.npz")
#: Side of the grid that holds shape and colour, in pixels.
GRID = SIDE // 4
#: Fixed-point bits: of coefficients (in standard deviations), mixing matrices and grey levels.
COEFFICIENT_BITS, MIXING_BITS, GREY_BITS = 10, 8, 4
#: Units of the 8-bit components, as bits below one: half a grey level, 1/8 of a chroma level, 1/16 pixel.
GREY_STEP_BITS, CHROMA_STEP_BITS, SHAPE_STEP_BITS = 1, 3, 4

# A normal number is the sum of 8 random bytes (Irwin-Hall: light tails, never beyond 4.9 standard deviations), doubled
# to make its centre whole. Its standard deviation is sqrt(8 * 4 * (2^16 - 1) / 12).
_BYTES, _CENTRE = 8, 8 * 255
_DEVIATION = 418.0446  # of one normal number, as above
_TO_COEFFICIENT_BITS = 32  # of the multiplier below
_TO_COEFFICIENT = round(2 ** (_TO_COEFFICIENT_BITS + COEFFICIENT_BITS - MIXING_BITS - 8) / _DEVIATION)


@dataclass(frozen=True)
class FaceModel:
    """What the file holds, with D coefficients = grey + chroma + shape components. Digest: SHA-256 of the file."""

    digest: str
    #: D x P: mixes P normal numbers into what makes a person; D x D: D of them into a photograph's difference from it.
    between: Whole
    within: Whole
    #: D: the average person's coefficients.
    person: Whole
    #: grey x 112*112, chroma x 2*28*28 (Cb, Cr), shape x 2*28*28 (x, y displacement).
    grey: Whole
    chroma: Whole
    shape: Whole
    #: The means in the same layouts: grey and chroma in 1/16 level, shape in 1/256 pixel.
    mean_grey: Whole
    mean_chroma: Whole
    mean_shape: Whole
    #: 2 x 28 x 28: standard deviation of what the components leave of real crops, fine and coarse, in 1/16 grey level.
    texture: Integers

    @property
    def sizes(self) -> tuple[int, int]:
        """P and D: how many normal numbers make a person, and a photograph."""
        return self.between.shape[1], self.within.shape[1]


@cache
def load_model() -> FaceModel:
    """The embedded model.

    >>> load_model().grey.shape[1]
    12544
    """
    data = MODEL_FILE.read_bytes()
    with np.load(BytesIO(data), allow_pickle=False) as file:
        arrays: dict[str, Any] = {name: file[name].astype(np.float64) for name in file.files}
    arrays["texture"] = arrays["texture"].astype(np.int32)
    return FaceModel(digest=hashlib.sha256(data).hexdigest(), **arrays)


def raw_bytes(generator: np.random.Generator, count: int) -> npt.NDArray[np.uint8]:
    """Random bytes (uint8, count) from the bit generator itself, whose stream NumPy keeps for good, unlike those of
    its distributions.
    """
    words = generator.bit_generator.random_raw(-(-count // 8))
    return np.asarray(words).astype("<u8").view(np.uint8)[:count]


def normals(generator: np.random.Generator, count: int) -> npt.NDArray[np.int64]:
    """Whole numbers (int64, count) from nearly a normal distribution: mean 0, standard deviation 418.04.

    >>> normals(np.random.default_rng(1), 3).tolist()
    [374, 372, 260]
    """
    sums = raw_bytes(generator, _BYTES * count).reshape(count, _BYTES).sum(1, dtype=np.int64)
    return np.asarray(2 * sums - _CENTRE, np.int64)


def coefficients(
    model: FaceModel, person: npt.NDArray[np.int64], photograph: npt.NDArray[np.int64], amount: int
) -> Whole:
    """Coefficients (N x D, in 1/1024 standard deviations) from normal numbers of person (N x P) and photograph (N x D).

    `amount` scales the within-person part, in 1/256: 256 varies a person as the fitted photographs do.
    """
    mixed = 256 * (person.astype(np.float64) @ model.between.T) + amount * (
        photograph.astype(np.float64) @ model.within.T
    )
    scaled = (mixed.astype(np.int64) * _TO_COEFFICIENT) >> _TO_COEFFICIENT_BITS
    return np.asarray(model.person + scaled, np.float64)


@dataclass(frozen=True)
class Camera:
    """What N photographs owe to how they were taken and cut out."""

    #: int64, N x 4: shift right and down, growth, turn (normal numbers, see `placement`).
    place: npt.NDArray[np.int64]
    #: int32, N, in 1/256: how much fine detail is lifted to what a lens resolves; how strong the texture is.
    sharpness: Integers
    grain: Integers
    #: uint8, N x `NOISE_BYTES`: random bytes of texture.
    noise: npt.NDArray[np.uint8]


def render(model: FaceModel, values: Whole, camera: Camera) -> Samples:
    """Faces (uint8, N x 112 x 112 x 3, RGB) from coefficients (N x D) and camera."""
    grey, chroma, shape = np.split(values, np.cumsum([len(model.grey), len(model.chroma)]), axis=1)
    count = len(values)
    flow = _combine(model.mean_shape, shape @ model.shape, SHAPE_STEP_BITS, POSITION_BITS).reshape(-1, 2, GRID, GRID)
    colour = _combine(model.mean_chroma, chroma @ model.chroma, CHROMA_STEP_BITS, GREY_BITS)
    colour = warp(colour.reshape(count, 2, GRID, GRID), shift(flow + placement(camera.place, GRID), 2))
    light = _combine(model.mean_grey, grey @ model.grey, GREY_STEP_BITS, GREY_BITS).reshape(count, 1, SIDE, SIDE)
    light = warp(light, enlarge(enlarge(flow)) + placement(camera.place, SIDE))[:, 0]
    light = add_detail(light, enlarge(enlarge(model.texture)), camera)
    return _rgb(light, enlarge(enlarge(colour)))


def placement(place: npt.NDArray[np.int64], side: int) -> Integers:
    """Displacement (N x 2 x side x side, in 1/256 pixel of 112) of a face that was aligned a little wrongly.

    One standard deviation is 1.6 pixels of shift in either direction, 2.6 % of size, 1.5 degrees of rotation.
    """
    step = SIDE // side
    centred = (2 * np.arange(side, dtype=np.int64) + 1) * step - SIDE  # twice the distance from the centre, in pixels
    x, y = centred, centred[:, None]
    right, down, growth, turn = (place[:, i, None, None] for i in range(4))
    moved = np.stack([right + shift(growth * x - turn * y, 7), down + shift(growth * y + turn * x, 7)], axis=1)
    return moved.astype(np.int32)


#: Random bytes that the texture of one sample takes: a full and a half resolution field.
NOISE_BYTES = SIDE * SIDE + SIDE * SIDE // 4


def add_detail(light: Integers, gain: Integers, camera: Camera) -> Integers:
    """Lift the two finest bands of an undecimated wavelet transform (a trous, B3 spline), and add texture in them.

    Components average fine detail away; lifting gives edges back where they are, and texture fills in what no component
    holds: as strong as the fitted residual there (`gain`), stronger where the face itself has detail, as in hair.
    """
    smooth = blur(light, 1)
    coarse = blur(smooth, 2)
    fine_band, coarse_band = light - smooth, smooth - coarse
    activity = blur(np.abs(fine_band) + np.abs(coarse_band), 2)
    count = len(light)
    fine_noise = camera.noise[:, : SIDE * SIDE].reshape(count, SIDE, SIDE).astype(np.int32) - 128
    half = SIDE // 2
    coarse_noise = enlarge(camera.noise[:, SIDE * SIDE :].reshape(count, half, half).astype(np.int32) - 128)
    texture = fine_noise * (gain[0] + activity) + coarse_noise * (gain[1] + activity)
    lifted = (4 * fine_band + 3 * coarse_band) * camera.sharpness[:, None, None]
    detailed: Integers = light + shift(lifted, 10) + shift(shift(texture, 4) * camera.grain[:, None, None], 13)
    return detailed


def _combine(mean: Whole, product: Whole, step_bits: int, bits: int) -> Integers:
    """Mean plus a product in units of 2^-(COEFFICIENT_BITS + step_bits), both to 2^-bits, as integers."""
    whole = product.astype(np.int64) + (mean.astype(np.int64) << (COEFFICIENT_BITS + step_bits - bits))
    return shift(whole, COEFFICIENT_BITS + step_bits - bits).astype(np.int32)


def _rgb(light: Integers, colour: Integers) -> Samples:
    """RGB from luminance and Cb, Cr (all in 1/16 level), JPEG's full-range matrix (ITU-T T.871) in 1/2^14."""
    light, cb, cr = light << 14, colour[:, 0], colour[:, 1]
    red, green, blue = light + 22970 * cr, light - 5638 * cb - 11700 * cr, light + 29032 * cb
    colours: Integers = np.stack([red, green, blue], axis=-1)
    return np.clip(shift(colours, 14 + GREY_BITS), 0, 255).astype(np.uint8)
