"""What photographs of one aligned face may differ in: placement, light, colour, sharpness, compression, occlusion.

Also faces that nobody has: two crops blended, or cut together. A teacher labels them as they come out, so they widen
what a student sees without claiming an identity.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from benchmark.interfaces import Samples

Image = npt.NDArray[np.uint8]
#: Standard deviations of a misplaced crop: shift in pixels, growth, rotation in degrees.
SHIFT, GROWTH, TURN = 2.0, 0.04, 4.0


def blended(a: Image, b: Image, random: np.random.Generator) -> Image:
    """Two crops (uint8, H x W x 3) laid over each other, neither with less than a quarter."""
    share = float(random.uniform(0.25, 0.75))
    return np.asarray(cv2.addWeighted(a, share, b, 1 - share, 0), np.uint8)


def cut(a: Image, b: Image, random: np.random.Generator) -> Image:
    """A rectangle of b (a fifth to a half of the area) in a (Yun et al., "CutMix", ICCV 2019)."""
    side = np.array(a.shape[:2])
    size = (side * np.sqrt(random.uniform(0.2, 0.5))).astype(int)
    top, left = random.integers(0, side - size + 1)
    mixed = a.copy()
    mixed[top : top + size[0], left : left + size[1]] = b[top : top + size[0], left : left + size[1]]
    return mixed


def varied(image: Image, random: np.random.Generator) -> Image:
    """One crop as another photograph might show it (uint8, H x W x 3): mirrored, misplaced, relit, softened.

    >>> varied(np.full((112, 112, 3), 90, np.uint8), np.random.default_rng(1)).shape
    (112, 112, 3)
    """
    if random.random() < 0.5:
        image = image[:, ::-1]
    image = _placed(image, random)
    image = _lit(image, random)
    chance = random.random(4)
    if chance[0] < 0.15:
        image = np.asarray(cv2.GaussianBlur(image, (0, 0), float(random.uniform(0.4, 1.6))), np.uint8)
    if chance[1] < 0.15:
        image = _compressed(image, int(random.integers(30, 90)))
    if chance[2] < 0.1:
        grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
        image = np.repeat(grey[:, :, None], 3, axis=2)
    if chance[3] < 0.1:
        image = _covered(image, random)
    return np.ascontiguousarray(image)


def varied_batch(samples: Samples, random: np.random.Generator) -> Samples:
    """`varied` of each of N samples (uint8, N x H x W x 3)."""
    return np.stack([varied(sample, random) for sample in samples])


def _placed(image: Image, random: np.random.Generator) -> Image:
    height, width = image.shape[:2]
    scale = float(np.exp(GROWTH * random.standard_normal()))
    turned = cv2.getRotationMatrix2D((width / 2, height / 2), TURN * random.standard_normal(), scale)
    matrix = np.asarray(turned, np.float64)
    matrix[:, 2] += SHIFT * random.standard_normal(2)
    # LFW crops have black beyond the photograph's border; a repeated border is as common elsewhere.
    border = cv2.BORDER_CONSTANT if random.random() < 0.5 else cv2.BORDER_REPLICATE
    return np.asarray(
        cv2.warpAffine(image, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=border), np.uint8
    )


def _lit(image: Image, random: np.random.Generator) -> Image:
    """Gain, offset and gamma for all channels, a little gain for each: one table of 256 values a channel."""
    levels = np.arange(256) / 255
    gain, gamma = np.exp(random.normal(0, (0.15, 0.2)))
    offset, tint = random.normal(0, 0.05), np.exp(random.normal(0, 0.04, 3))
    tables = np.clip(gain * levels[:, None] ** gamma * tint + offset, 0, 1)
    table = np.ascontiguousarray((255 * tables + 0.5).astype(np.uint8)[:, None, :]).reshape(256, 1, 3)
    return np.asarray(cv2.LUT(np.ascontiguousarray(image), table.reshape(1, 256, 3)), np.uint8)


def _compressed(image: Image, quality: int) -> Image:
    _, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)


def _covered(image: Image, random: np.random.Generator) -> Image:
    """A rectangle of one colour over up to a fifth of the area."""
    side = np.array(image.shape[:2])
    size = (side * random.uniform(0.1, 0.45, 2)).astype(int)
    top, left = random.integers(0, side - size + 1)
    image = np.array(image)
    image[top : top + size[0], left : left + size[1]] = random.integers(0, 256, 3)
    return image
