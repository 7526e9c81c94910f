"""Measure recognisers on all 6,000 pairs of LFW View 2: EER and accuracy with intervals, CPU milliseconds a sample.

    python tools/measure_recognisers.py --data ../shared/data [ID ...]

Prints the table of docs/recognisers.md. Nothing is chosen by it: parameters come from people in none of the pairs.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from tabulate import tabulate

from benchmark.datasets import open_dataset, read_pairs
from benchmark.recognisers import load_recogniser, recogniser_ids
from benchmark.record import Value
from benchmark.scoring import Comparisons, score_metrics

VIEW2 = Path(__file__).resolve().parents[1] / "protocols" / "splits" / "lfw-view2.csv"
METRICS = ("eer", "auc", "view2_accuracy", "fnmr_at_fmr_0.01")


def main() -> None:
    """Print one row a recogniser."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the folder with lfw/ and weights/")
    parser.add_argument("ids", nargs="*", help="recognisers; by default all that are here, without further options")
    given = parser.parse_args()
    pairs = read_pairs(VIEW2)
    samples = open_dataset("lfw", {}, given.data).load(pairs.ids).samples
    comparisons = Comparisons.of(pairs, pairs.digest)
    rows = []
    for id in given.ids or recogniser_ids():
        recogniser = load_recogniser(id, data=given.data)
        recogniser.embed(samples[:8])  # what compiles, compiles now
        start = time.process_time()
        templates = recogniser.embed(samples)
        took = 1000 * (time.process_time() - start) / len(samples)
        scores = recogniser.compare(templates[pairs.a_index], templates[pairs.b_index])
        found = score_metrics(scores, comparisons, metrics=METRICS).metrics
        rows.append(
            {
                "recogniser": f"`{id}`",
                "D": recogniser.dimension,
                "EER %": _percent(found["eer"]),
                "accuracy %": _percent(found["view2_accuracy"]),
                "std over folds": f"{100 * (found['view2_accuracy_std'].value or 0):.2f}",
                "FNMR % at FMR 1 %": _percent(found["fnmr_at_fmr_0.01"]),
                "CPU ms a sample": f"{took:.2f}",
            }
        )
        print(
            tabulate(rows[-1:], headers="keys", tablefmt="github", disable_numparse=True).splitlines()[-1], flush=True
        )
    print(tabulate(rows, headers="keys", tablefmt="github", disable_numparse=True))


def _percent(value: Value) -> str:
    if value.value is None or value.low is None or value.high is None:
        return "not estimable"
    return f"{100 * value.value:.2f} ({100 * value.low:.2f} to {100 * value.high:.2f})"


if __name__ == "__main__":
    main()
