"""What block-based warping costs beside OpenCV's remap alone and scikit-image's warp.

    python perf/warping.py [--samples 200] [--repetitions 7]

Drawn faces of 112 x 112, a key of its own for each, one thread. CPU time of the process, median of the repetitions, in
which the works take turns; the ratios are of one run, so that the machine cancels out. scikit-image is timed on PEER
samples: building its triangles and finding the one of every pixel takes it seconds.
"""

from __future__ import annotations

import argparse
import importlib.util
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from jpeg2000 import milliseconds
from skimage.transform import PiecewiseAffineTransform
from skimage.transform import warp as skimage_warp
from tabulate import tabulate

from benchmark.cancelable import edges, source_positions, vertex_offsets
from benchmark.crypto import derive_key
from benchmark.datasets import open_dataset
from benchmark.submission import Submission, load_submission

FOLDER = Path(__file__).resolve().parents[1] / "baselines" / "protectors" / "block-warping"
PEER = 4


def loaded(submission: Submission, preset: str) -> Any:
    """The baseline in one of its presets."""
    spec = importlib.util.spec_from_file_location("block_warping", submission.folder / "method.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.BlockWarping(**submission.resolve({}, preset))


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


if __name__ == "__main__":
    main()
