"""Speed of `veilbench data prepare` by step, on one thread.

    python perf/alignment.py --data DIR

Takes the photographs in DIR/lfw/raw; prints Markdown. CPU time, the best of three rounds.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import torch
from tabulate import tabulate

from benchmark.alignment.align import align
from benchmark.alignment.detector import load_detector
from benchmark.alignment.network import RetinaFace, load_network
from benchmark.alignment.photographs import read_photograph
from benchmark.alignment.weights import find_detector, read_detector

ROUNDS = 3
BATCH = 16


def milliseconds(task: Callable[[], object], count: int) -> str:
    """CPU milliseconds for each of `count`."""
    task()
    best = float("inf")
    for _ in range(ROUNDS):
        start = time.process_time()
        task()
        best = min(best, time.process_time() - start)
    return f"{1000 * best / count:.1f}"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the folder with lfw/raw and weights/")
    data = parser.parse_args().data
    paths = sorted((data / "lfw" / "raw").glob("*/*.jpg"))
    detector = load_detector(data)
    pictures = [read_photograph(path).pixels for path in paths]
    odd = [picture[: 250 - i % 40, : 250 - i % 37] for i, picture in enumerate(pictures)]
    torch.set_num_threads(1)
    tensors = read_detector(find_detector(data))
    plain = RetinaFace().eval()
    plain.load_state_dict({name: torch.tensor(tensor) for name, tensor in tensors.items()})
    folded = load_network(tensors)
    images = torch.rand(BATCH, 3, 250, 250) * 255 - 117
    last = images.contiguous(memory_format=torch.channels_last)
    with torch.inference_mode():
        rows = [
            ["read", milliseconds(lambda: [read_photograph(path) for path in paths], len(paths))],
            ["detect", milliseconds(lambda: detector.detect(pictures), len(paths))],
            ["read, detect, crop, encode", milliseconds(lambda: align(paths, detector), len(paths))],
            ["detect, sizes that differ", milliseconds(lambda: detector.detect(odd), len(paths))],
            ["network as trained", milliseconds(lambda: plain(images), BATCH)],
            ["network folded, channels last (as used)", milliseconds(lambda: folded(last), BATCH)],
        ]
    print(tabulate(rows, headers=["step", "CPU ms a photograph"], tablefmt="github"))


if __name__ == "__main__":
    main()
