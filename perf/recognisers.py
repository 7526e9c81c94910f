"""Speed of the recognisers against bare loops over the same networks, and of the LBP kernels against named peers.

    python perf/recognisers.py --data DIR [--threads 1 2] [--batches 1 8 32] [--seconds 2] [--compile]

Prints Markdown. All engines of one table take turns in one run and the best call of each counts, in CPU time where
there is one thread, so that ratios hold on a machine that is busy with other things. Figures for several threads are
wall times and need an idle machine. `--compile` adds torch.compile (needs a C++ compiler).
"""

from __future__ import annotations

import argparse
import copy
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import onnxruntime
import torch
import torch._inductor.config
from skimage.feature import local_binary_pattern
from sklearn.metrics.pairwise import additive_chi2_kernel
from tabulate import tabulate
from torch import nn
from torch.fx.experimental.optimization import fuse

from benchmark.interfaces import Samples, Templates
from benchmark.locations import data_root
from benchmark.recognisers import load_recogniser
from benchmark.recognisers.architecture import shapes
from benchmark.recognisers.chi_square import chi_square, chi_square_all
from benchmark.recognisers.lbp import BINS, CELL, grey, histograms
from benchmark.recognisers.onnx_network import model
from benchmark.recognisers.torch_network import network
from benchmark.recognisers.weights import find_weights, known_weights, read_weights

Task = Callable[[], object]


def best_seconds(tasks: dict[str, Task], seconds: float, threads: int = 1) -> dict[str, float]:
    """The shortest call of each task, which take turns of a quarter second until each had `seconds`.

    CPU time for one thread, wall time for several. The first call of a turn, with caches cold, does not count.
    """
    clock = time.process_time if threads == 1 else time.perf_counter
    best = dict.fromkeys(tasks, float("inf"))
    for _ in range(max(1, round(4 * seconds))):
        for name, task in tasks.items():
            task()
            end = time.perf_counter() + 0.25
            while time.perf_counter() < end:
                start = clock()
                task()
                best[name] = min(best[name], clock() - start)
    return best


def channels_last(net: nn.Module) -> nn.Module:
    moved: nn.Module = net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # missing in its hints
    return moved


def torch_tasks(id: str, data: Path | None, batch: int, compiled: bool) -> dict[str, Task]:
    """Bare loops over the torch network, on images that are normalised already."""
    weights = known_weights()[id]
    path = find_weights(weights, data=data)
    plain = network(weights.variant, read_weights(path, sha256=weights.sha256, shapes=shapes(weights.variant)))
    first, end = weights.input.columns
    images = torch.randn(batch, 3, 112, end - first)
    last = images.contiguous(memory_format=torch.channels_last)
    folded = channels_last(fuse(copy.deepcopy(plain)))
    tasks: dict[str, tuple[Callable[[torch.Tensor], object], torch.Tensor]] = {
        "torch": (plain, images),
        "torch, channels last": (channels_last(copy.deepcopy(plain)), last),
        "torch, folded, channels last": (folded, last),
    }
    if compiled:
        torch._dynamo.reset()
        # As an option of torch.compile it does not reach every pass, and the network is half as fast.
        torch._inductor.config.freezing = True
        tasks["torch.compile, frozen, channels last"] = (
            torch.compile(channels_last(copy.deepcopy(plain)), dynamic=False),
            last,
        )

    def run(net: Callable[[torch.Tensor], object], x: torch.Tensor) -> Task:
        def task() -> object:
            with torch.inference_mode():
                return net(x)

        return task

    return {name: run(*task) for name, task in tasks.items()}


def onnx_task(id: str, data: Path | None, batch: int, threads: int) -> Task:
    """A bare loop over an onnxruntime session at this batch size."""
    weights = known_weights()[id]
    path = find_weights(weights, data=data)
    tensors = read_weights(path, sha256=weights.sha256, shapes=shapes(weights.variant))
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = threads, 3
    graph = model(weights.variant, tensors, weights.input, batch=batch)
    session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    first, end = weights.input.columns
    samples = np.random.default_rng(0).integers(0, 256, (batch, 112, end - first, 3), dtype=np.uint8)
    return lambda: session.run(None, {"samples": samples})


def embedding_table(data: Path | None, threads: list[int], batches: list[int], seconds: float, compiled: bool) -> str:
    rows = []
    for id in known_weights():
        for count in threads:
            torch.set_num_threads(count)
            recogniser = load_recogniser(id, data=data, threads=count)
            for batch in batches:
                samples = np.random.default_rng(0).integers(0, 256, (batch, 112, 112, 3), dtype=np.uint8)
                tasks: dict[str, Task] = {"ours": partial(recogniser.embed, samples)}
                tasks["onnxruntime"] = onnx_task(id, data, batch, count)
                tasks |= torch_tasks(id, data, batch, compiled)
                rate = {name: batch / best for name, best in best_seconds(tasks, seconds, count).items()}
                rows += [[id, count, batch, name, round(rate[name]), rate["ours"] / rate[name]] for name in tasks]
    headers = ["network", "threads", "batch", "engine", "samples/s", "ours / engine"]
    return tabulate(rows, headers, tablefmt="github", floatfmt=".2f")


def numpy_chi_square(a: Templates, b: Templates) -> Templates:
    total = a + b
    terms: Templates = np.divide((a - b) ** 2, total, out=np.zeros_like(total), where=total > 0).sum(axis=1)
    return terms


def skimage_histograms(samples: Samples) -> Templates:
    out = np.empty((len(samples), 64, BINS), np.float32)
    for sample, cells in zip(grey(samples), out, strict=True):
        pattern: Templates = local_binary_pattern(sample, 8, 2, "nri_uniform")  # type: ignore[no-untyped-call]  # no hints
        labels = pattern.astype(np.int64)
        blocks = labels.reshape(8, CELL, 8, CELL).swapaxes(1, 2).reshape(64, -1)
        for cell, block in zip(cells, blocks, strict=True):
            cell[:] = np.bincount(block, minlength=BINS)
    return out.reshape(len(samples), -1)


def kernel_table(seconds: float) -> str:
    samples = np.random.default_rng(0).integers(0, 256, (64, 112, 112, 3), dtype=np.uint8)
    a = histograms(samples)
    b = a[::-1].copy()
    measured = {
        ("LBP histograms, a sample", "scikit-image", 64): (
            lambda: histograms(samples),
            lambda: skimage_histograms(samples),
        ),
        ("chi-square, a pair of rows", "numpy", 64): (lambda: chi_square(a, b), lambda: numpy_chi_square(a, b)),
        ("chi-square, a pair of all pairs", "scikit-learn", 64 * 64): (
            lambda: chi_square_all(a, b),
            lambda: additive_chi2_kernel(a, b),
        ),
    }
    rows = []
    for (what, peer, count), (ours, theirs) in measured.items():
        best = best_seconds({"ours": ours, "peer": theirs}, seconds)
        rows.append([what, 1e6 * best["ours"] / count, peer, 1e6 * best["peer"] / count, best["peer"] / best["ours"]])
    return tabulate(rows, ["what", "ours, us", "peer", "peer, us", "times faster"], tablefmt="github", floatfmt=".2f")


def main() -> None:
    parser = argparse.ArgumentParser(description="Speed of the recognisers.")
    parser.add_argument("--data", type=Path, help="folder with weights/ (else VEILBENCH_DATA)")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 8, 32])
    parser.add_argument("--seconds", type=float, default=2.0, help="time for each engine")
    parser.add_argument("--compile", action="store_true", help="measure torch.compile too")
    options = parser.parse_args()
    data = data_root(options.data)
    print(kernel_table(options.seconds), end="\n\n")
    print(embedding_table(data, options.threads, options.batches, options.seconds, options.compile))


if __name__ == "__main__":
    main()
