"""Time and memory of all comparisons of the 7,701 templates of LFW View 2, beside what others offer.

    python perf/all_pairs.py [--data DIR] [--threads 2] [--recognisers lbp mblbp mobilefacenet-ms1m]

Prints Markdown. Every row is a process of its own, whose peak memory holds Python, the libraries and the templates too.
Peers that would take minutes are timed on two blocks of few templates, and scaled to the number of comparisons; their
memory is that of the few. CPU times of all threads hold on a machine that is busy with other things, wall times do not.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from tabulate import tabulate

from benchmark.datasets import open_dataset, read_pairs
from benchmark.interfaces import Templates
from benchmark.locations import data_root
from benchmark.recognisers import load_recogniser
from benchmark.recognisers.all_pairs import all_pairs, count_all_pairs
from benchmark.recognisers.many import MANY_TILE, compare_many

VIEW2 = Path(__file__).resolve().parents[1] / "protocols" / "splits" / "lfw-view2.csv"
#: Templates in each of two blocks on which slow peers are timed.
FEW = 200
EMBED = "embed"
#: Edges between which impostor scores are counted, as a share of the range of the first scores.
EDGES = np.linspace(0, 1, 1001)
Subjects = npt.NDArray[np.int64]
#: Compares templates of subjects on some threads; gives how many comparisons were made.
Contestant = Callable[[str, Templates, Subjects, int], int]


def embed(id: str, data: Path | None, folder: Path) -> dict[str, float]:
    """Files templates (N x D) and subjects (N); CPU microseconds a sample, and N."""
    pairs = read_pairs(VIEW2)
    samples = open_dataset("lfw", {}, data).load(pairs.ids).samples
    recogniser = load_recogniser(id, data=data)
    recogniser.embed(samples[:2])
    start = time.process_time()
    templates = recogniser.embed(samples)
    took = time.process_time() - start
    np.save(folder / f"{id}.npy", templates)
    np.save(folder / "subjects.npy", np.unique(pairs.subjects, return_inverse=True)[1])
    return {"microseconds": 1e6 * took / len(samples), "count": len(samples)}


def ours(id: str, templates: Templates, subjects: Subjects, threads: int) -> int:
    scores = all_pairs(templates, subjects, load_recogniser(id).compare_all, threads=threads)
    return len(scores.genuine) + len(scores.impostor)


def ours_many(id: str, templates: Templates, subjects: Subjects, threads: int) -> int:
    """As whole score sets are compared, where a recogniser has a quicker way for them."""
    quicker = compare_many(load_recogniser(id))
    assert quicker is not None
    scores = all_pairs(
        templates, subjects, quicker.compare_all, threads=threads, tile=MANY_TILE, prepare=quicker.prepare
    )
    return len(scores.genuine) + len(scores.impostor)


def ours_counted(id: str, templates: Templates, subjects: Subjects, threads: int) -> int:
    compare_all = load_recogniser(id).compare_all
    some = compare_all(templates[:100], templates[:100])
    edges = some.min() + (some.max() - some.min()) * EDGES
    counts = count_all_pairs(templates, subjects, compare_all, edges, threads=threads)
    return len(counts.genuine) + int(counts.impostor.sum())


def sklearn_chi2(id: str, templates: Templates, subjects: Subjects, threads: int) -> int:
    from sklearn.metrics.pairwise import additive_chi2_kernel

    return int(additive_chi2_kernel(templates[:FEW], templates[FEW : 2 * FEW]).size)


def opencv_chi2(id: str, templates: Templates, subjects: Subjects, threads: int) -> int:
    import cv2

    for a in templates[:FEW]:
        for b in templates[FEW : 2 * FEW]:
            cv2.compareHist(a, b, cv2.HISTCMP_CHISQR_ALT)
    return FEW * FEW


def numpy_chi2(id: str, templates: Templates, subjects: Subjects, threads: int) -> int:
    others = templates[FEW : 2 * FEW]
    for a in templates[:FEW]:
        total = a + others
        np.divide((a - others) ** 2, total, out=np.zeros_like(total), where=total > 0).sum(axis=1)
    return FEW * FEW


def scipy_cosine(id: str, templates: Templates, subjects: Subjects, threads: int) -> int:
    from scipy.spatial.distance import cdist

    return apart(1 - cdist(templates, templates, "cosine"), subjects)


def sklearn_cosine(id: str, templates: Templates, subjects: Subjects, threads: int) -> int:
    from sklearn.metrics.pairwise import cosine_similarity

    return apart(cosine_similarity(templates), subjects)


def numpy_cosine(id: str, templates: Templates, subjects: Subjects, threads: int) -> int:
    unit = templates / np.linalg.norm(templates, axis=1, keepdims=True)
    return apart(unit @ unit.T, subjects)


def numpy_product(id: str, templates: Templates, subjects: Subjects, threads: int) -> int:
    """Nothing but the product, the least that can be done; its scores are not told apart."""
    unit = templates / np.linalg.norm(templates, axis=1, keepdims=True)
    unit @ unit.T
    return len(templates) * (len(templates) - 1) // 2


def apart(whole: npt.NDArray[Any], subjects: Subjects) -> int:
    """Genuine and impostor scores of the upper triangle, as one would take them out of a matrix."""
    later = np.triu(np.ones(whole.shape, bool), 1)
    same = subjects[:, None] == subjects
    return len(whole[later & same]) + len(whole[later & ~same])


OURS: dict[str, Contestant] = {"all_pairs": ours, "count_all_pairs": ours_counted}
CHI_SQUARE: dict[str, Contestant] = {
    "all_pairs, `compare_many`": ours_many,
    "scikit-learn `additive_chi2_kernel`": sklearn_chi2,
    "OpenCV `compareHist`, a loop": opencv_chi2,
    "numpy, row by row": numpy_chi2,
}
COSINE: dict[str, Contestant] = {
    "numpy, product alone": numpy_product,
    "numpy, whole matrix": numpy_cosine,
    "scikit-learn `cosine_similarity`": sklearn_cosine,
    "scipy `cdist`": scipy_cosine,
}


def peers(id: str) -> dict[str, Contestant]:
    return COSINE if id.startswith("mobilefacenet") else CHI_SQUARE


def measure(id: str, name: str, threads: int, folder: Path) -> dict[str, float]:
    """Seconds, and peak memory of this process in MiB."""
    templates, subjects = np.load(folder / f"{id}.npy"), np.load(folder / "subjects.npy")
    work = (OURS | peers(id))[name]
    work(id, templates[: 2 * FEW], subjects[: 2 * FEW], threads)  # compiled, loaded, warm
    wall, cpu = time.perf_counter(), time.process_time()
    pairs = work(id, templates, subjects, threads)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"pairs": pairs, "wall": wall, "cpu": cpu, "peak": peak}


def in_a_process(id: str, name: str, options: argparse.Namespace, folder: Path) -> dict[str, float]:
    """What `embed` or `measure` gives in a fresh process. (This one must stay small: peaks are handed down.)"""
    data = ["--data", str(options.data)] if options.data else []
    command = [sys.executable, __file__, "--one", id, name, "--folder", str(folder), "--threads", str(options.threads)]
    found: dict[str, float] = json.loads(subprocess.run([*command, *data], check=True, stdout=subprocess.PIPE).stdout)
    return found


def table(id: str, options: argparse.Namespace, folder: Path) -> str:
    embedded = in_a_process(id, EMBED, options, folder)
    comparisons = embedded["count"] * (embedded["count"] - 1) / 2
    rows: list[list[object]] = []
    reference = 0.0
    for name in OURS | peers(id):
        found = in_a_process(id, name, options, folder)
        scale, cost = comparisons / found["pairs"], found["cpu"] / found["pairs"]
        reference = reference or cost
        times = [found["wall"] * scale, found["cpu"] * scale, 1e6 * cost, reference / cost]
        rows.append([name, int(found["pairs"]), *times, round(found["peak"])])
    headers = [id, "comparisons timed", "wall, s", "CPU, s", "CPU, us a pair", "all_pairs / this", "peak, MiB"]
    text = tabulate(rows, headers, tablefmt="github", floatfmt=".3g", intfmt=",")
    return f"{id}: embedding takes {embedded['microseconds']:.0f} us CPU a sample\n\n{text}\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder with lfw/ and weights/ (else VEILBENCH_DATA)")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--recognisers", nargs="+", default=["lbp", "mblbp", "mobilefacenet-ms1m"])
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    data = data_root(options.data)
    if options.one:
        id, name = options.one
        folder, threads = options.folder, options.threads
        found = embed(id, data, folder) if name == EMBED else measure(id, name, threads, folder)
        print(json.dumps(found))
        return
    with tempfile.TemporaryDirectory() as folder:
        for id in options.recognisers:
            print(table(id, options, Path(folder)), flush=True)


if __name__ == "__main__":
    main()
