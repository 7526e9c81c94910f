"""Speed of the stages of Fisher vector recognisers, against OpenCV's SIFT and scikit-image's Fisher vector.

    OMP_NUM_THREADS=1 python perf/fisher_vectors.py [--seconds 3]

Prints Markdown: CPU milliseconds a sample on one thread, the best call of each; peers take turns with ours, so that
ratios hold on a machine that is busy with other things. Faces are drawn from the embedded model: no data are needed.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import cv2
import numpy as np
from skimage.feature import fisher_vector as peer_vector
from sklearn.mixture import GaussianMixture
from tabulate import tabulate
from threadpoolctl import threadpool_limits

from benchmark.datasets import open_dataset
from benchmark.recognisers import load_recogniser
from benchmark.recognisers.fisher.codebook import read_codebook
from benchmark.recognisers.fisher.codebooks import codebook_path, codebook_sha256
from benchmark.recognisers.fisher.descriptors import describe, grid
from benchmark.recognisers.fisher.encoding import fisher_vector, normalised
from benchmark.recognisers.fisher.metric import product
from benchmark.recognisers.fisher.mixture import Mixture
from benchmark.recognisers.fisher.recogniser import local_features
from benchmark.recognisers.lbp import grey

Task = Callable[[], object]


def best_milliseconds(tasks: dict[str, Task], seconds: float, turns: int = 3) -> dict[str, float]:
    """The shortest call of each task in CPU time; they take turns until each had `seconds`."""
    best = dict.fromkeys(tasks, float("inf"))
    for _ in range(turns):
        for name, task in tasks.items():
            task()  # compiles, and fills the caches
            spent = 0.0
            while spent < seconds / turns:
                start = time.process_time()
                task()
                taken = time.process_time() - start
                best[name], spent = min(best[name], taken), spent + taken
    return {name: 1e3 * value for name, value in best.items()}


def sklearn_mixture(mixture: Mixture) -> GaussianMixture:
    """The same mixture as scikit-learn's, which scikit-image's Fisher vector takes."""
    theirs = GaussianMixture(len(mixture.weights), covariance_type="diag")
    theirs.weights_, theirs.means_, theirs.covariances_ = mixture.weights, mixture.means, mixture.variances
    theirs.precisions_cholesky_ = 1 / np.sqrt(mixture.variances)
    return theirs


def stages(id: str, seconds: float) -> list[list[object]]:
    """One row a stage: ours, the peer's name and time, the ratio."""
    book = read_codebook(codebook_path(id), sha256=codebook_sha256(id))
    recogniser = load_recogniser(id)
    samples = open_dataset("synthetic", {}, None).load(["s0001/0"]).samples
    image = grey(samples)[0]
    features = local_features(image, book.sampling, book.mean, book.components)
    vector = fisher_vector(features, book.mixture)
    flat = normalised(vector).reshape(-1)
    theirs = sklearn_mixture(book.mixture)
    tasks: dict[str, Task] = {
        "descriptors": lambda: describe(image, book.sampling),
        "descriptors and principal components": lambda: local_features(
            image, book.sampling, book.mean, book.components
        ),
        "Fisher vector": lambda: fisher_vector(features, book.mixture),
        "scikit-image": lambda: peer_vector(features, theirs, improved=False),
        "power, norm, metric": lambda: product(book.metric, normalised(vector).reshape(-1)),
        "metric alone": lambda: product(book.metric, flat),
        "whole": lambda: recogniser.embed(samples),
    }
    peers = {"Fisher vector": "scikit-image"}
    if book.sampling.kind == "sift":
        sift = cv2.SIFT_create()
        # The same number of descriptors at the same places and of the same sizes, of the face and its mirror image.
        points = [
            cv2.KeyPoint(float(x), float(y), patch / 6, 0)
            for patch in book.sampling.patches
            for y, x in np.stack(np.meshgrid(*grid(patch, book.sampling.step)), -1).reshape(-1, 2)
        ]
        tasks["OpenCV"] = lambda: [sift.compute(side, points) for side in (image, np.ascontiguousarray(image[:, ::-1]))]
        peers["descriptors"] = "OpenCV"
    found = best_milliseconds(tasks, seconds)
    return [
        [id, name, found[name], peers.get(name), found.get(peers.get(name, "")), _ratio(found, name, peers.get(name))]
        for name in tasks
        if name not in peers.values()
    ]


def _ratio(found: dict[str, float], name: str, peer: str | None) -> float | None:
    return found[name] / found[peer] if peer else None


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=3, help="for each task")
    seconds = parser.parse_args().seconds
    cv2.setNumThreads(1)
    with threadpool_limits(1):
        rows = [row for id in ("fv-sift", "fv-brief") for row in stages(id, seconds)]
    headers = ["recogniser", "stage", "ours, ms", "peer", "theirs, ms", "ours / theirs"]
    print(tabulate(rows, headers, tablefmt="github", floatfmt=".2f"))


if __name__ == "__main__":
    main()
