"""Fit a Fisher vector codebook to LFW crops of people who are in no pair of View 2, and write it into the package.

    python tools/fit_fisher_vectors.py --data ../shared/data --descriptor sift       (about two minutes on one core)
    python tools/fit_fisher_vectors.py --data ../shared/data --descriptor brief --dry-run --patches 32 48

Needs `lfw/aligned112` and `lfw/aligned112_extra` under the data folder. Prints the error rates of people held out:
subjects are dealt into five folds, and the metric that scores a fold is learned on the other four. `--dry-run` writes
nothing. Fits differ in the last digits between machines, so a refit is a new recogniser with a new digest.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import yaml
from threadpoolctl import threadpool_limits

from benchmark.datasets import open_dataset
from benchmark.digest import digest, generator
from benchmark.recognisers.fisher.codebook import Codebook, parse_codebook, write_codebook
from benchmark.recognisers.fisher.codebooks import FOLDER, KNOWN
from benchmark.recognisers.fisher.descriptors import Sampling, describe
from benchmark.recognisers.fisher.fitting import fit_components, fit_metric, fit_mixture, quantised
from benchmark.recognisers.fisher.mixture import Floats
from benchmark.recognisers.fisher.recogniser import face_vector, local_features
from benchmark.recognisers.lbp import grey
from benchmark.store import write_atomically

VIEW2 = Path(__file__).resolve().parents[1] / "protocols" / "splits" / "lfw-view2.csv"
FOLDERS = ("aligned112", "aligned112_extra")
#: Chosen on people held out, docs/fisher-vectors.md.
DEFAULTS = {"sift": Sampling("sift", (16, 24, 32), 4, 0.6), "brief": Sampling("brief", (32, 48), 4, 0.03)}
COMPONENTS, IMAGES, FEATURES, FOLDS = 64, 500, 80_000, 5

Names = npt.NDArray[np.str_]


@dataclass(frozen=True)
class Crops:
    """The training split: ids, subjects (N each) and grey samples (uint8, N x 112 x 112)."""

    ids: tuple[str, ...]
    subjects: Names
    samples: npt.NDArray[np.uint8]


def training_crops(data: Path) -> Crops:
    """All crops of subjects that are in no pair of View 2, sorted by id."""
    with VIEW2.open(newline="") as file:
        tested = {row[side].split("/")[0] for row in csv.DictReader(file) for side in "ab"}
    paths = [path for folder in FOLDERS for path in (data / "lfw" / folder).glob("*/*.jpg")]
    ids = tuple(sorted({f"{p.parent.name}/{p.stem}" for p in paths if p.parent.name not in tested}))
    if not ids:
        raise SystemExit(f"no crops of people outside View 2 under {data}/lfw/aligned112 and aligned112_extra")
    loaded = open_dataset("lfw", {"folders": list(FOLDERS)}, data).load(ids)
    return Crops(ids, np.array([id.split("/")[0] for id in ids]), grey(loaded.samples))


def fit(crops: Crops, sampling: Sampling, count: int, rank: int, shrinkage: float) -> tuple[Codebook, Floats]:
    """A codebook, and the normalised Fisher vectors (float32, N x P) of the training split."""
    draw = generator("fit_fisher_vectors", sampling.kind)
    chosen = np.sort(draw.permutation(len(crops.ids))[:IMAGES])
    each = FEATURES // len(chosen)

    say("descriptors")
    drawn = []
    for image in crops.samples[chosen]:
        found = describe(image, sampling)
        drawn.append(found[draw.permutation(len(found))[:each]])
    mean, components = fit_components(np.concatenate(drawn), COMPONENTS)
    say(f"mixture of {count}")
    features = []
    for image in crops.samples[chosen]:
        found = local_features(image, sampling, mean, components)
        features.append(found[draw.permutation(len(found))[:each]])
    mixture = fit_mixture(np.concatenate(features), count, generator=draw)
    say("Fisher vectors")
    start = time.process_time()
    vectors = np.stack([face_vector(image, sampling, mean, components, mixture) for image in crops.samples])
    say(f"{1e3 * (time.process_time() - start) / len(vectors):.1f} ms CPU a sample; metric")
    matrix, offset = fit_metric(vectors, crops.subjects, rank=rank, shrinkage=shrinkage)
    rows, scale = quantised(matrix)
    return Codebook(sampling, mean, components, mixture, rows, scale, offset), vectors


def coordinates(vectors: Floats) -> Floats:
    """The same N vectors turned into N dimensions (float32, N x N): metrics fitted to them give the same scores."""
    values, directions = np.linalg.eigh((vectors @ vectors.T).astype(np.float64))
    return np.asarray(directions * np.sqrt(np.maximum(values, 0)), np.float32)


def held_out_errors(vectors: Floats, subjects: Names, *, rank: int, shrinkage: float) -> tuple[float, float]:
    """EER and 1 - AUC (percent) over subjects held out; a subject's genuine pairs count together as its images do."""
    several = {name for name, count in zip(*np.unique(subjects, return_counts=True), strict=True) if count > 1}
    fold = np.empty(len(subjects), int)
    draw = generator("fit_fisher_vectors", "folds")
    for group in (sorted(several), sorted(set(subjects) - several)):
        for position, name in enumerate(draw.permutation(group)):
            fold[subjects == name] = position % FOLDS
    genuine, weights, impostor = [], [], []
    for k in range(FOLDS):
        matrix, offset = fit_metric(vectors[fold != k], subjects[fold != k], rank=rank, shrinkage=shrinkage)
        names = subjects[fold == k]
        templates = vectors[fold == k] @ matrix.T - offset
        templates /= np.linalg.norm(templates, axis=1, keepdims=True)
        a, b = np.triu_indices(len(names), 1)
        scores = (templates @ templates.T)[a, b]
        same = names[a] == names[b]
        genuine.append(scores[same])
        impostor.append(scores[~same])
        weights += [1 / ((names == name).sum() - 1) for name in names[a][same]]
    return errors(np.concatenate(genuine), np.array(weights), np.concatenate(impostor))


def errors(genuine: Floats, weights: npt.NDArray[np.float64], impostor: Floats) -> tuple[float, float]:
    """EER and 1 - AUC in percent, of weighted genuine scores against impostor scores."""
    order = np.argsort(genuine)
    weights = weights[order] / weights.sum()
    below = np.searchsorted(np.sort(impostor), genuine[order]) / len(impostor)
    missed, matched = np.cumsum(weights), 1 - below
    crossing = np.argmin(np.abs(missed - matched))
    return 50 * float(missed[crossing] + matched[crossing]), 100 * float(1 - weights @ below)


def write(id: str, codebook: Codebook, crops: Crops, notes: dict[str, str]) -> None:
    """Write the codebook's file and its line in `codebooks.yaml`."""
    file = f"{id.replace('-', '_')}.safetensors"
    split = {"split.digest": digest(list(crops.ids)), "split.images": str(len(crops.ids))}
    content = write_codebook(codebook, notes={**split, **notes})
    parse_codebook(content, FOLDER / file)  # what is written can be read
    known = yaml.safe_load(KNOWN.read_text("utf-8")) if KNOWN.is_file() else {}
    known[id] = {"file": file, "sha256": hashlib.sha256(content).hexdigest()}
    write_atomically(FOLDER / file, content)
    write_atomically(KNOWN, yaml.safe_dump(known, sort_keys=True).encode())
    say(f"{FOLDER / file}: {len(content) / 2**20:.1f} MiB")


def say(text: str) -> None:
    """Progress, with the seconds since the start."""
    print(f"{time.perf_counter() - STARTED:7.1f} s  {text}", flush=True)


def main() -> None:
    """Fit, measure on people held out, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the folder with lfw/")
    parser.add_argument("--descriptor", choices=sorted(DEFAULTS), required=True)
    parser.add_argument("--patches", type=int, nargs="+", help="sides of the patches, multiples of 8")
    parser.add_argument("--step", type=int, help="pixels between patches")
    parser.add_argument("--blur", type=float, help="deviation in pixels (sift), or as a share of the patch (brief)")
    parser.add_argument("--count", type=int, default=256, help="components of the mixture")
    parser.add_argument("--rank", type=int, default=256, help="numbers in a template")
    parser.add_argument("--shrinkage", type=float, default=0.8, help="1: the metric learns nothing from labels")
    parser.add_argument("--dry-run", action="store_true", help="measure on people held out, and write nothing")
    given = parser.parse_args()
    default = DEFAULTS[given.descriptor]
    patches = tuple(given.patches or default.patches)
    blur = given.blur if given.blur is not None else default.blur
    sampling = Sampling(default.kind, patches, given.step or default.step, blur)
    with threadpool_limits(1):
        crops = training_crops(given.data)
        say(f"{len(crops.ids)} crops of {len(set(crops.subjects))} people outside View 2")
        codebook, vectors = fit(crops, sampling, given.count, given.rank, given.shrinkage)
        if not given.dry_run:
            notes = {"mixture": str(given.count), "rank": str(given.rank), "shrinkage": str(given.shrinkage)}
            write(f"fv-{given.descriptor}", codebook, crops, notes)
        vectors = coordinates(vectors)
        for rank in sorted({128, 400, given.rank}):
            for shrinkage in sorted({1.0, given.shrinkage}):
                eer, area = held_out_errors(vectors, crops.subjects, rank=rank, shrinkage=shrinkage)
                say(f"held out, rank {rank}, shrinkage {shrinkage}: EER {eer:.1f} %, 1 - AUC {area:.2f} %")


STARTED = time.perf_counter()
if __name__ == "__main__":
    main()
