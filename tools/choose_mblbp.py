"""Chooses the block size and the treatment of the border of multi-block LBP, on LFW subjects outside View 2.

    python tools/choose_mblbp.py [--data DIR]

Every crop of a subject that occurs in no pair of View 2 is compared with every other: no pair is drawn, and none of
View 2 is seen. There are only 140 genuine pairs, so that the EER is coarse: the area under the ROC curve decides, and
the shorter template where areas differ by less than the standard error of their difference. (The area is the mean over
genuine scores of the share of impostor scores below; the standard error takes the scores of one subject together.)
"""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image
from tabulate import tabulate

from benchmark.datasets import read_pairs
from benchmark.interfaces import Templates
from benchmark.locations import data_root
from benchmark.metrics.verification import eer
from benchmark.recognisers.all_pairs import all_pairs
from benchmark.recognisers.chi_square import chi_square_all
from benchmark.recognisers.lbp import BINS, CELL, SIDE, grey
from benchmark.recognisers.mblbp import patterns

VIEW2 = Path(__file__).resolve().parents[1] / "protocols" / "splits" / "lfw-view2.csv"
BOXES = (1, 3, 5, 7, 9)
#: Boxes whose histograms stand side by side in one template.
SCALES = [(box,) for box in BOXES] + [(3, 5), (3, 7), (5, 7), (3, 5, 7), (3, 5, 7, 9), BOXES]
#: What lies outside the image; `none`: only pixels whose blocks all lie inside have a label.
BORDERS = {"none": None, "black": "constant", "edge": "edge", "reflect": "reflect"}
Greys = npt.NDArray[np.uint8]


def outside_view2(lfw: Path) -> tuple[Greys, npt.NDArray[np.int64]]:
    """Grey crops (N x 112 x 112) of all subjects that View 2 does not have, and their numbers (N)."""
    known = set(read_pairs(VIEW2).subjects)
    files = [path for folder in ("aligned112", "aligned112_extra") for path in sorted((lfw / folder).glob("*/*.jpg"))]
    chosen = [path for path in files if path.parent.name not in known]
    images = np.stack([grey(np.asarray(Image.open(path).convert("RGB"))) for path in chosen])
    return images, np.unique([path.parent.name for path in chosen], return_inverse=True)[1]


def histograms(images: Greys, box: int, border: str) -> Templates:
    """As `mblbp.histograms`, for any block and border."""
    out = np.empty((len(images), (SIDE // CELL) ** 2 * BINS), np.float32)
    margin = (3 * box - 1) // 2
    cell = np.arange(SIDE) // CELL
    first = BINS * (SIDE // CELL * cell[:, None] + cell)
    for image, counts in zip(images, out, strict=True):
        if mode := BORDERS[border]:
            labels, where = patterns(np.pad(image, margin, mode), box=box), first  # type: ignore[call-overload]  # a name
        else:
            inside = slice(margin, SIDE - margin)
            labels, where = patterns(image, box=box), first[inside, inside]
        counts[:] = np.bincount((where + labels).ravel(), minlength=len(counts))
    return out


def above(genuine: npt.NDArray[np.float32], impostor: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """The share of impostor scores that each genuine score is above; ties count half. Their mean is the AUC."""
    impostor = np.sort(impostor)
    below, up_to = (np.searchsorted(impostor, genuine, side=side) for side in ("left", "right"))
    return (below + up_to) / (2 * len(impostor))


def standard_error(values: npt.NDArray[np.float64], subject: npt.NDArray[np.int64]) -> float:
    """Of the mean of values that are independent only between subjects."""
    return float(np.linalg.norm(np.bincount(subject, values - values.mean())) / len(values))


def minus_chi_square(a: Templates, b: Templates) -> Templates:
    return -chi_square_all(a, b)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder with lfw/ (else VEILBENCH_DATA)")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    data = data_root(options.data)
    if data is None:
        parser.error("needs the LFW crops: give --data or set VEILBENCH_DATA")
    images, subjects = outside_view2(data / "lfw")
    score = partial(all_pairs, subjects=subjects, compare_all=minus_chi_square, threads=options.threads)
    same = np.triu(subjects[:, None] == subjects, 1)
    subject = np.broadcast_to(subjects[:, None], same.shape)[same]
    found = []
    for border in BORDERS:
        # The distance of templates side by side is the sum of their distances.
        scores = {box: score(histograms(images, box, border)) for box in BOXES}
        for scales in SCALES:
            genuine = np.sum([scores[box].genuine for box in scales], axis=0)
            impostor = np.sum([scores[box].impostor for box in scales], axis=0)
            found.append((", ".join(map(str, scales)), border, above(genuine, impostor), eer(genuine, impostor)))
    best = max((shares for _, _, shares, _ in found), key=np.mean)
    rows = [
        [boxes, border, 100 * shares.mean(), 100 * standard_error(best - shares, subject), 100 * rate]
        for boxes, border, shares, rate in sorted(found, key=lambda one: -one[2].mean())
    ]
    print(f"{len(images)} crops, {len(set(subjects.tolist()))} subjects, {len(subject)} genuine pairs")
    print(
        tabulate(rows, ["boxes", "outside", "AUC, %", "+- to the first", "EER, %"], tablefmt="github", floatfmt=".2f")
    )


if __name__ == "__main__":
    main()
