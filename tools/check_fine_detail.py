"""How well the recognisers know a face by fine detail alone: a second way to a surprising result of erasure.

    python tools/check_fine_detail.py --data DATA

Erasing the first 12 % of a resolution-progressive codestream leaves the fine resolutions, by which the networks still
tell faces apart. Here OpenCV's Gaussian pyramid takes the coarse picture away instead of JPEG 2000, encryption and our
decoder: a face less its own blurred copy, on mid-grey, for 0 (nothing taken away) to 4 halvings of the resolution.
Prints the EER (%) on 1,000 pairs of LFW View 2.
"""

from __future__ import annotations

from pathlib import Path

import click
import cv2
import numpy as np

import benchmark
from benchmark.datasets import open_dataset, read_pairs
from benchmark.interfaces import Samples
from benchmark.metrics.verification import eer

PAIRS = Path(__file__).resolve().parents[1] / "protocols" / "splits" / "lfw-view2-dev.csv"
RECOGNISERS = ("lbp", "mobilefacenet-casia", "mobilefacenet-ms1m")


def fine_detail(sample: Samples, halvings: int) -> Samples:
    """A face (uint8, H x W x 3) less what is left of it after so many halvings of its resolution, on mid-grey."""
    if not halvings:
        return sample
    coarse = sample.astype(np.float32)
    for _ in range(halvings):
        coarse = cv2.pyrDown(coarse)
    for _ in range(halvings):
        coarse = cv2.pyrUp(coarse)
    return np.clip(np.round(sample - coarse + 128), 0, 255).astype(np.uint8)


@click.command()
@click.option("--data", type=click.Path(path_type=Path, file_okay=False), required=True)
def main(data: Path) -> None:
    pairs = read_pairs(PAIRS)
    originals = open_dataset("lfw", {}, data).load(pairs.ids).samples
    print("halvings  " + "  ".join(RECOGNISERS))
    for halvings in range(5):
        samples = np.stack([fine_detail(sample, halvings) for sample in originals])
        cells = []
        for name in RECOGNISERS:
            recogniser = benchmark.load_recogniser(name, data=data)
            templates = recogniser.embed(samples)
            scores = recogniser.compare(templates[pairs.a_index], templates[pairs.b_index])
            cells.append(f"{100 * eer(scores[pairs.genuine], scores[~pairs.genuine]):{len(name)}.1f}")
        print(f"{halvings:8d}  " + "  ".join(cells))


if __name__ == "__main__":
    main()
