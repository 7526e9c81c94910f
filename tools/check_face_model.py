"""Measure the drawn faces against real ones, and draw their contact sheet.

    python tools/check_face_model.py --data ../shared/data            (about three minutes on one core)
    python tools/check_face_model.py --data ../shared/data --sheet docs/synthetic-faces.jpg

Three questions: do recognisers tell the drawn persons apart about as hard as real ones; is any of them a real person;
do the pixels compress like a photograph's? docs/synthetic-faces.md holds the answers of the committed model.
"""

from __future__ import annotations

import argparse
import time
from io import BytesIO
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from benchmark.datasets import open_dataset, read_pairs
from benchmark.datasets.face_model import MODEL_FILE, load_model
from benchmark.interfaces import Recogniser, Samples
from benchmark.metrics.verification import eer, threshold_at_fmr
from benchmark.recognisers import load_recogniser

SPLITS = Path(__file__).resolve().parents[1] / "protocols" / "splits"
PERSONS, PHOTOGRAPHS = 250, 4
Floats = npt.NDArray[np.floating]


def real_crops(root: Path) -> tuple[Samples, list[str]]:
    """All crops that the model was fitted to, with their persons, sorted."""
    dataset = open_dataset("lfw", {"folders": ["aligned112", "aligned112_extra"]}, root)
    files = [file for folder in ("aligned112", "aligned112_extra") for file in (root / "lfw" / folder).glob("*/*.jpg")]
    ids = sorted(f"{file.parent.name}/{file.stem}" for file in files)
    return dataset.load(ids).samples, [dataset.subject(sample_id) for sample_id in ids]


def error_rates(recognisers: list[Recogniser]) -> None:
    """EER on the demo's pairs and on all pairs of more persons, with the default parameters."""
    dataset = open_dataset("synthetic", {}, None)
    pairs = read_pairs(SPLITS / "demo.csv")
    ids = [f"s{person:04d}/{photograph}" for person in range(PERSONS) for photograph in range(PHOTOGRAPHS)]
    demo, samples = dataset.load(pairs.ids).samples, dataset.load(ids).samples
    person = np.repeat(np.arange(PERSONS), PHOTOGRAPHS)
    first, second = np.triu_indices(len(ids), 1)
    same = person[first] == person[second]
    for recogniser in recognisers:
        templates = recogniser.embed(demo)
        scores = recogniser.compare(templates[pairs.a_index], templates[pairs.b_index])
        templates = recogniser.embed(samples)
        every = recogniser.compare_all(templates, templates)[first, second]
        print(
            f"EER of {recogniser.id}: {100 * eer(scores[pairs.genuine], scores[~pairs.genuine]):.1f} % on demo.csv; "
            f"{100 * eer(every[same], every[~same]):.1f} % on all {len(every)} pairs of {PERSONS} persons"
        )


def nearest(recogniser: Recogniser, root: Path) -> None:
    """How near the drawn faces come to real persons, beside how near real persons come to each other.

    Both are searches through all real crops: of a drawn face, and of one crop of each real person through the crops
    of all others.
    """
    crops, names = real_crops(root)
    templates = recogniser.embed(crops)
    persons, first, number = np.unique(names, return_index=True, return_inverse=True)
    among_real = recogniser.compare_all(templates[first], templates)
    among_real[number[None, :] == np.arange(len(persons))[:, None]] = -1
    dataset = open_dataset("synthetic", {}, None)
    drawn = dataset.load([f"s{person:04d}/{k}" for person in range(PERSONS) for k in range(PHOTOGRAPHS)]).samples
    of_drawn = recogniser.compare_all(recogniser.embed(drawn), templates)

    pairs = read_pairs(SPLITS / "lfw-view2.csv")
    templates = recogniser.embed(open_dataset("lfw", {}, root).load(pairs.ids).samples)
    scores = recogniser.compare(templates[pairs.a_index], templates[pairs.b_index])
    threshold = threshold_at_fmr(scores[~pairs.genuine], 0.001)
    print(f"{recogniser.id}: match threshold at FMR 0.1 % of LFW View 2: cosine {threshold:.3f}")
    for what, cosines in (("drawn face", of_drawn), ("real person", among_real)):
        best = cosines.max(1)
        median, high, top = np.percentile(best, [50, 95, 99])
        print(
            f"nearest person to a {what} among {len(crops)} real crops ({len(best)} searches): cosine median "
            f"{median:.3f}, 95 % {high:.3f}, 99 % {top:.3f}, highest {best.max():.3f}; above the threshold "
            f"{100 * np.mean(best > threshold):.1f} % of searches, {100 * np.mean(cosines > threshold):.4f} % of pairs"
        )


def codestreams(root: Path) -> None:
    """Size of the lossless codestream of drawn faces and of LFW View 2's crops."""
    view2 = read_pairs(SPLITS / "lfw-view2-dev.csv").ids[:PERSONS]
    real = open_dataset("lfw", {}, root).load(view2).samples
    drawn = open_dataset("synthetic", {}, None).load([f"s{person:04d}/0" for person in range(PERSONS)]).samples
    sizes = [np.array([_lossless(sample) for sample in samples]) for samples in (drawn, real)]
    for what, size in zip(("drawn faces", "real crops"), sizes, strict=True):
        low, high = np.percentile(size, [5, 95])
        print(f"lossless codestream of {what}: mean {size.mean():.0f} bytes (5 to 95 %: {low:.0f} to {high:.0f})")
    print(f"ratio of the means: {sizes[0].mean() / sizes[1].mean():.3f}")


def _lossless(sample: Samples) -> int:
    """Bytes of the JPEG 2000 codestream: reversible 5/3 wavelet and colour transform, one layer, OpenJPEG."""
    file = BytesIO()
    Image.fromarray(sample).save(file, "JPEG2000", irreversible=False, mct=1, no_jp2=True)
    return len(file.getvalue())


def speed() -> None:
    """Samples drawn per second, the model already loaded."""
    dataset = open_dataset("synthetic", {}, None)
    ids = [f"s{person:04d}/0" for person in range(500)]
    dataset.load(ids[:1])
    start = time.process_time()
    dataset.load(ids)
    model = MODEL_FILE.stat().st_size / 1e6
    print(f"drawing: {len(ids) / (time.process_time() - start):.0f} samples per CPU second; model file {model:.2f} MB")


def contact_sheet(path: Path, persons: int = 8, photographs: int = 8) -> None:
    """A picture with a row for each of the first persons, a column for each of their photographs."""
    ids = [f"s{person:04d}/{photograph}" for person in range(persons) for photograph in range(photographs)]
    samples = open_dataset("synthetic", {}, None).load(ids).samples
    rows = samples.reshape(persons, photographs, *samples.shape[1:]).transpose(0, 2, 1, 3, 4)
    Image.fromarray(rows.reshape(persons * 112, photographs * 112, 3)).save(path, quality=90)


def main() -> None:
    """Print every figure, or write the contact sheet."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="the folder with lfw/ and weights/")
    parser.add_argument("--sheet", type=Path, help="write the contact sheet there, and nothing else")
    arguments = parser.parse_args()
    if arguments.sheet is not None:
        contact_sheet(arguments.sheet)
        return
    if arguments.data is None:
        parser.error("--data or --sheet is needed")
    print(f"model {load_model().digest}")
    ms1m, casia = (load_recogniser(f"mobilefacenet-{name}", data=arguments.data) for name in ("ms1m", "casia"))
    speed()
    codestreams(arguments.data)
    error_rates([ms1m, casia, load_recogniser("lbp")])
    nearest(ms1m, arguments.data)


if __name__ == "__main__":
    main()
