"""What block-based warping costs beside OpenCV's remap alone and scikit-image's warp, and what undoing it costs.

    python perf/warping.py [--samples 200] [--repetitions 7]

Drawn faces of 112 x 112, a key of its own for each, one thread. CPU time of the process, median of the repetitions, in
which the works take turns; the ratios are of one run, so that the machine cancels out. scikit-image is timed on PEER
samples: building its triangles and finding the one of every pixel takes it seconds. So is what undoes a warp with
public tools: SciPy's LinearNDInterpolator for the inverse map, through which OpenCV's remap goes back; remap alone is
given that map. The baseline `unwarp` derives the key's mesh too, and sharpens what interpolation has smoothed: hence
PSNR beside.
"""

from __future__ import annotations

import argparse
import importlib.util
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from jpeg2000 import milliseconds
from scipy.interpolate import LinearNDInterpolator
from skimage.transform import PiecewiseAffineTransform
from skimage.transform import warp as skimage_warp
from tabulate import tabulate

from benchmark.cancelable import edges, source_positions, vertex_offsets
from benchmark.crypto import derive_key
from benchmark.datasets import open_dataset
from benchmark.interfaces import Evidence
from benchmark.submission import Submission, load_submission

BASELINES = Path(__file__).resolve().parents[1] / "baselines"
FOLDER = BASELINES / "protectors" / "block-warping"
PEER = 4


def method(folder: Path) -> Any:
    """The module of a baseline."""
    spec = importlib.util.spec_from_file_location(folder.name.replace("-", "_"), folder / "method.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def loaded(submission: Submission, preset: str) -> Any:
    """The baseline in one of its presets."""
    return method(submission.folder).BlockWarping(**submission.resolve({}, preset))


def row(preset: str, protector: Any, samples: np.ndarray, keys: list[bytes], repetitions: int) -> list[object]:
    """Preset; samples a second and ratios to remap, under a key for each and one for all; ratio to scikit-image."""
    shape, block_size = samples.shape[1:3], protector.block_size
    offsets = vertex_offsets(keys, shape=shape, block_size=block_size, max_offset=protector.max_offset)
    positions = source_positions(offsets, shape=shape, block_size=block_size)
    x, y = np.meshgrid(edges(shape[1], block_size) - 0.5, edges(shape[0], block_size) - 0.5)
    vertices = np.column_stack([x.ravel(), y.ravel()])
    unused = np.random.default_rng(0)

    def remap() -> list[np.ndarray]:
        return [
            cv2.remap(sample, across, down, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
            for sample, (across, down) in zip(samples, positions, strict=True)
        ]

    def skimage() -> None:
        for sample, offset in zip(samples[:PEER], offsets[:PEER], strict=True):
            moved = vertices + offset.reshape(2, -1).T
            transform = PiecewiseAffineTransform.from_estimate(vertices, moved)
            skimage_warp(sample, transform, order=1, mode="symmetric", preserve_range=True)

    took = milliseconds({
        "remap": remap,
        "ours": lambda: protector.protect(samples, keys, generator=unused),
        "system": lambda: protector.protect(samples, keys[:1] * len(keys), generator=unused),
    }, len(samples), repetitions)  # fmt: skip
    peer = milliseconds({"skimage": skimage}, PEER, 1)["skimage"]
    ratios = took["ours"] / took["remap"], took["system"] / took["remap"], took["ours"] / peer
    return [preset, 1000 / took["remap"], 1000 / took["ours"], *ratios, peer]


def inverse_maps(positions: np.ndarray) -> np.ndarray:
    """Where each pixel of the originals is seen, N x 2 x H x W: linear between the triangles of the `positions`."""
    y, x = np.indices(positions.shape[2:], np.float32)
    shown = np.stack([x.ravel(), y.ravel()], axis=1)
    maps = [LinearNDInterpolator(there.reshape(2, -1).T, shown)(x, y) for there in positions]
    inverse = np.stack(maps).transpose(0, 3, 1, 2).astype(np.float32)
    return np.where(np.isnan(inverse), np.stack([x, y]), inverse)


def undone(preset: str, protector: Any, samples: np.ndarray, keys: list[bytes], repetitions: int) -> list[object]:
    """Preset; samples a second; ratios to remap and to remap with the inverse map found; PSNR of ours and theirs."""
    mesh: dict[str, Any] = {"shape": samples.shape[1:3], "block_size": protector.block_size}
    hidden = protector.protect(samples, keys, generator=np.random.default_rng(0))
    positions = source_positions(vertex_offsets(keys, max_offset=protector.max_offset, **mesh), **mesh)
    parameters = {"block_size": protector.block_size, "max_offset": protector.max_offset}
    evidence = Evidence(hidden, keys=keys, algorithm={"id": "block-warping", "parameters": parameters})
    unwarp, unused = method(BASELINES / "attacks" / "unwarp").Unwarp(), np.random.default_rng(0)
    known = inverse_maps(positions[:PEER])

    def remap(maps: np.ndarray) -> list[np.ndarray]:
        return [
            cv2.remap(sample, across, down, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
            for sample, (across, down) in zip(hidden, maps, strict=False)
        ]

    def psnr(restored: Any) -> float:
        error = np.square(np.asarray(restored, float) - samples[: len(restored)]).mean(axis=(1, 2, 3))
        return float(np.mean(10 * np.log10(255**2 / error)))

    ours = milliseconds({"ours": lambda: unwarp.run(evidence, generator=unused)}, len(samples), repetitions)["ours"]
    took = milliseconds({"remap": lambda: [remap(known) for _ in range(10)]}, 10 * PEER, repetitions)["remap"]
    peer = milliseconds({"scipy": lambda: remap(inverse_maps(positions[:PEER]))}, PEER, 1)["scipy"]
    restored = unwarp.run(evidence, generator=unused)
    return [preset, 1000 / ours, ours, ours / took, ours / peer, peer, psnr(restored[:PEER]), psnr(remap(known))]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=200)
    parser.add_argument("--repetitions", type=int, default=7)
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    names = [f"s{number:04d}/0" for number in range(arguments.samples)]
    samples = open_dataset("synthetic", {}, None).load(names).samples
    keys = [derive_key(bytes(32), "sample", name) for name in names]
    submission = load_submission(FOLDER)
    rows = [
        row(preset, loaded(submission, preset), samples, keys, arguments.repetitions)
        for preset in submission.manifest.presets
    ]
    heads = ["preset", "remap, samples/s", "ours, samples/s", "ours / remap", "one key for all / remap",
             "ours / scikit-image", "scikit-image, ms"]  # fmt: skip
    print(tabulate(rows, headers=heads, tablefmt="github", floatfmt=("", ".0f", ".0f", ".2f", ".2f", ".4f", ".0f")))
    rows = [
        undone(preset, loaded(submission, preset), samples, keys, arguments.repetitions)
        for preset in submission.manifest.presets
    ]
    heads = ["preset", "unwarp, samples/s", "ms", "unwarp / remap", "unwarp / SciPy and remap", "SciPy and remap, ms",
             "PSNR, unwarp", "PSNR, SciPy and remap"]  # fmt: skip
    formats = ("", ".0f", ".3f", ".1f", ".4f", ".0f", ".1f", ".1f")
    print("\n" + tabulate(rows, headers=heads, tablefmt="github", floatfmt=formats))


if __name__ == "__main__":
    main()
