"""Dense correspondence between faces by collection flow (Kemelmacher-Shlizerman, Seitz, CVPR 2012).

Two photographs are hard to register directly: light and expression differ. But a photograph and its own projection on
a few principal components of all of them have nearly the same light, and the projection has the average shape. So:
warp all faces by what is known so far, project them, find the optical flow from each projection to its face, refine.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
from sklearn.utils.extmath import randomized_svd

SIDE, GRID = 112, 28
#: Principal components of each round: few at first, so that only the coarse shape is followed.
RANKS = (3, 6, 10, 16, 20, 24, 28)

Floats = npt.NDArray[np.float32]
_Y, _X = np.mgrid[0:SIDE, 0:SIDE].astype(np.float32)


def collection_flow(light: Floats, report: bool = True) -> Floats:
    """Displacement from the average shape to each face, in pixels (float32, N x 2 x 28 x 28; x, y).

    `light`: luminance, float32, N x 112 x 112.
    """
    count = len(light)
    flows = np.zeros((count, 2, GRID, GRID), np.float32)
    optical = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    optical.setFinestScale(1)
    # Nothing moves at the border: hair and background have no counterpart from face to face.
    inner = np.pad(np.ones((SIDE - 28, SIDE - 32), np.float32), ((16, 12), (16, 16)))
    inner = cv2.GaussianBlur(inner, (0, 0), 6)[..., None]
    for rank in RANKS:
        warped = np.stack([shrunk(even(warp(light[i], flows[i])), 2) for i in range(count)])
        mean = warped.mean(0)
        centred = (warped - mean).reshape(count, -1)
        chosen = np.random.default_rng(rank).permutation(count)[:4000]
        basis = randomized_svd(centred[chosen], rank, n_iter=3, random_state=0)[2]
        projected = (centred @ basis.T @ basis).reshape(warped.shape) + mean
        moved = 0.0
        for i in range(count):
            flow = enlarged(flows[i])
            target = cv2.resize(projected[i], (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
            face = cv2.GaussianBlur(even(warp(light[i], flows[i])), (0, 0), 1)
            step = optical.calc(_to_bytes(target), _to_bytes(face), None)
            step = cv2.GaussianBlur(np.clip(step, -5, 5) * inner, (0, 0), 4.2)
            composed = step + remap(flow, step)
            flows[i] = shrunk(cv2.GaussianBlur(composed, (0, 0), 2.5) * inner, 4).transpose(2, 0, 1)
            moved += float(np.abs(step).mean())
        if report:
            print(f"registration, rank {rank}: mean step {moved / count:.2f} pixel", flush=True)
    return flows


def inverse(flow: Floats) -> Floats:
    """The displacement (2 x 28 x 28) that undoes another, by fixed-point iteration."""
    forth = enlarged(flow)
    back = -forth
    for _ in range(12):
        back = -remap(forth, back)
    return shrunk(back, 4).transpose(2, 0, 1)


def warp(field: Floats, flow: Floats) -> Floats:
    """A field (112 x 112) seen through a displacement (2 x 28 x 28), cubic; mirrored beyond the border."""
    return remap(field, enlarged(flow), cv2.INTER_CUBIC)


def remap(field: Floats, at: Floats, interpolation: int = cv2.INTER_LINEAR) -> Floats:
    """A field (112 x 112 [x C]) seen through a displacement (112 x 112 x 2)."""
    return cv2.remap(field, _X + at[..., 0], _Y + at[..., 1], interpolation, borderMode=cv2.BORDER_REFLECT_101)


def enlarged(flow: Floats) -> Floats:
    """2 x 28 x 28 -> 112 x 112 x 2, bilinear as the model's own drawing does it."""
    return cv2.resize(flow.transpose(1, 2, 0), (SIDE, SIDE), interpolation=cv2.INTER_LINEAR)


def shrunk(field: Floats, factor: int) -> Floats:
    """A field averaged over blocks of factor x factor pixels."""
    side = field.shape[0] // factor
    return cv2.resize(field, (side, side), interpolation=cv2.INTER_AREA)


def even(light: Floats) -> Floats:
    """Luminance with local mean 0 and local deviation about 1, so that lighting does not pull the flow."""
    centred = light - cv2.GaussianBlur(light, (0, 0), 12)
    return centred / np.sqrt(cv2.GaussianBlur(centred**2, (0, 0), 16) + 60)


def _to_bytes(field: Floats) -> npt.NDArray[np.uint8]:
    return np.clip(field * 45 + 128, 0, 255).astype(np.uint8)
