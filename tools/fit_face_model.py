"""Fit the face model of the synthetic data set to LFW's aligned crops, and write benchmark/datasets/face_model.npz.

    python tools/fit_face_model.py --data ../shared/data        (about five minutes on one core)
    python tools/check_face_model.py --data ../shared/data      (then measure what came out)

Needs `lfw/aligned112` and `lfw/aligned112_extra` under the data folder: 13,233 crops, persons by folder name. The
fitted file is committed, the crops are not. Floating-point fits differ in the last digits between machines, so a
refit gives a slightly other file, hence other faces: protocols that use the synthetic data then need a new version.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import scipy.linalg
from face_registration import collection_flow, inverse, shrunk, warp
from PIL import Image
from sklearn.utils.extmath import randomized_svd

from benchmark.datasets.face_model import (
    CHROMA_STEP_BITS,
    GREY_BITS,
    GREY_STEP_BITS,
    MIXING_BITS,
    MODEL_FILE,
    SHAPE_STEP_BITS,
)
from benchmark.datasets.fields import POSITION_BITS

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
GREY, CHROMA, SHAPE = 300, 40, 40  # principal components of each part
PERSON = 100  # directions that tell persons apart; further ones are mostly noise of the estimate
SHAPE_WITHIN = 0.4  # of a person's variation in shape, much is noise of the registration: damped by this factor
KEEP = 0.88  # share of crops kept at each of two cuts: no extreme pose, nothing in front of the face


@dataclass(frozen=True)
class Part:
    """Principal components (K x P) of one part of the faces, with the mean (P) and every face's weights (N x K)."""

    mean: Floats
    basis: Floats
    weights: Floats


def read_crops(root: Path) -> tuple[Floats, Floats, npt.NDArray[np.str_]]:
    """Luminance (N x 112 x 112), Cb and Cr less 128 (N x 2 x 28 x 28) and person of every crop, sorted by file name."""
    files = [file for folder in ("aligned112", "aligned112_extra") for file in (root / "lfw" / folder).glob("*/*.jpg")]
    if not files:
        raise SystemExit(f"no crops under {root}/lfw/aligned112 and aligned112_extra")
    files.sort(key=lambda file: file.name)
    light = np.empty((len(files), 112, 112), np.float32)
    colour = np.empty((len(files), 2, 28, 28), np.float32)
    for i, file in enumerate(files):
        planes = np.asarray(Image.open(file).convert("YCbCr"), np.float32)
        light[i] = planes[..., 0]
        colour[i] = shrunk(planes[..., 1:], 4).transpose(2, 0, 1) - 128
    return light, colour, np.array([file.parent.name for file in files])


def components(faces: Floats, importance: Floats, count: int) -> Part:
    """Weighted principal components of N faces."""
    flat = faces.reshape(len(faces), -1)
    mean = (importance @ flat) / importance.sum()
    centred = flat - mean
    basis = randomized_svd(centred * np.sqrt(importance)[:, None], count, n_iter=2, random_state=0)[2]
    return Part(mean, basis, centred @ basis.T)


def typical(light: Floats, shapes: Floats) -> npt.NDArray[np.bool_]:
    """Which faces to fit: not those whose shape is far out, or which few components describe badly."""
    shape = components(shapes, np.ones(len(shapes), np.float32), SHAPE).weights
    far = ((shape / shape.std(0)) ** 2).sum(1)
    inner = cv2.GaussianBlur(np.pad(np.ones((84, 76), np.float32), ((16, 12), (18, 18))), (0, 0), 6).ravel()
    part = components(light, np.ones(len(light), np.float32), 60)
    rests = (face.ravel() - part.mean - own @ part.basis for face, own in zip(light, part.weights, strict=True))
    odd = np.array([rest**2 @ inner for rest in rests])
    return (far < np.quantile(far, KEEP)) & (odd < np.quantile(odd, KEEP))


def covariances(weights: Doubles, person: npt.NDArray[np.intp]) -> tuple[Doubles, ...]:
    """Mean person, between-person and within-person covariance (one-way analysis of variance; persons count alike)."""
    photographs = np.bincount(person)
    means = np.stack([np.bincount(person, column) for column in weights.T], 1) / photographs[:, None]
    several = photographs[person] >= 2
    off = (weights - means[person])[several]
    within = (off / (photographs[person][several] - 1)[:, None]).T @ off / np.count_nonzero(photographs >= 2)
    total = (weights / photographs[person][:, None]).T @ weights / len(means)
    total -= np.outer(means.mean(0), means.mean(0))
    return means.mean(0), total - within, within


def mixing(between: Doubles, within: Doubles) -> tuple[Doubles, Doubles]:
    """Factors of both covariances (D x P, D x D lower triangular), which sum up to the same total.

    In the directions that diagonalise both, only the P with the greatest between-person share make a person. What the
    estimate says of the others is mostly noise, of backgrounds too, and goes to the within-person part.
    """
    total = between + within
    share, directions = scipy.linalg.eigh(between, total)
    person = (total @ directions)[:, ::-1][:, :PERSON] * np.sqrt(share[::-1][:PERSON])
    shown = share[::-1][[0, PERSON // 2, PERSON - 1]].round(2)
    print(f"between-person share of the variance in the first, middle and last direction: {shown}")
    return person, np.linalg.cholesky(total - person @ person.T)


def residual_texture(light: Floats, part: Part, chosen: npt.NDArray[np.intp]) -> Floats:
    """What the components leave of the chosen faces: deviation in two bands (2 x 28 x 28), fine and coarse, in grey."""
    power = np.zeros((2, 112, 112), np.float32)
    for i in chosen:
        rest = light[i] - (part.mean + part.weights[i] @ part.basis).reshape(112, 112)
        smooth = cv2.GaussianBlur(rest, (0, 0), 1)
        power += np.stack([rest - smooth, smooth - cv2.GaussianBlur(rest, (0, 0), 2.24)]) ** 2
    return np.sqrt(np.stack([shrunk(band, 4) for band in power / len(chosen)]))


def to_bytes(basis: Floats, deviation: Floats, step_bits: int) -> npt.NDArray[np.int8]:
    """Components as 8-bit integers in units of 2^-step_bits per standard deviation of their weight."""
    scaled = np.rint(basis * deviation[:, None] * 2**step_bits)
    if np.abs(scaled).max() > 127:
        print(f"note: {np.count_nonzero(np.abs(scaled) > 127)} of {scaled.size} component values clipped to 8 bits")
    return np.clip(scaled, -127, 127).astype(np.int8)


def fit(root: Path) -> dict[str, npt.NDArray[np.generic]]:
    """The arrays of the model file."""
    light, colour, names = read_crops(root)
    flows = collection_flow(light)
    shapes = np.stack([inverse(flow) for flow in flows])
    # Light and colour in the average shape; the shape itself apart. In place: these are hundreds of megabytes.
    for i, flow in enumerate(flows):
        light[i] = warp(light[i], flow)
        for plane in colour[i]:
            plane[:] = shrunk(warp(cv2.resize(plane, (112, 112), interpolation=cv2.INTER_LINEAR), flow), 4)
    keep = typical(light, shapes)
    light, colour, shapes = light[keep], colour[keep], shapes[keep]
    person = np.unique(names[keep], return_inverse=True)[1]
    photographs = np.bincount(person)
    print(f"fitting {len(light)} crops of {len(photographs)} persons, {np.sum(photographs >= 2)} of them with several")

    importance = (1 / np.sqrt(photographs[person])).astype(np.float32)
    parts = [
        components(*given)
        for given in ((light, importance, GREY), (colour, importance, CHROMA), (shapes, importance, SHAPE))
    ]
    weights = np.hstack([part.weights for part in parts]).astype(np.float64)
    mean, between, within = covariances(weights, person)
    deviation = np.sqrt(np.diag(between) + np.diag(within))
    scale = np.outer(deviation, deviation)
    split = np.split(deviation.astype(np.float32), np.cumsum([GREY, CHROMA]))
    factors = mixing(between / scale, within / scale)
    factors[1][GREY + CHROMA :] *= SHAPE_WITHIN
    texture = residual_texture(light, parts[0], np.random.default_rng(0).permutation(len(light))[:2000])
    whole = {
        "person": mean / deviation * 1024,
        "between": factors[0] * 2**MIXING_BITS,
        "within": factors[1] * 2**MIXING_BITS,
        "mean_grey": parts[0].mean * 2**GREY_BITS,
        "mean_chroma": parts[1].mean * 2**GREY_BITS,
        "mean_shape": parts[2].mean * 2**POSITION_BITS,
        "texture": texture * 2**GREY_BITS,
    }
    steps = {"grey": GREY_STEP_BITS, "chroma": CHROMA_STEP_BITS, "shape": SHAPE_STEP_BITS}
    arrays = {name: np.rint(values).astype(np.int16) for name, values in whole.items()}
    for (name, bits), part, own in zip(steps.items(), parts, split, strict=True):
        arrays[name] = to_bytes(part.basis, own, bits)
    return arrays


def main() -> None:
    """Fit and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the folder with lfw/aligned112 and aligned112_extra")
    parser.add_argument("--output", type=Path, default=MODEL_FILE, help="the model file (default: the package's)")
    arguments = parser.parse_args()
    np.savez_compressed(arguments.output, **fit(arguments.data))
    print(f"{arguments.output}: {arguments.output.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
