"""Speed of the recognisers against bare loops over the same networks, and of the LBP kernels against named peers.

    python perf/recognisers.py --data DIR [--networks ...] [--threads 1 2] [--batches 1 32 128] [--seconds 2]
        [--compile] [--bf16] [--openvino]

Prints Markdown. Networks without weights here run with random ones. All engines of one table take turns in one run and
the best call of each counts, in CPU time where there is one thread, so that ratios hold on a machine that is busy with
other things. Figures for several threads are wall times and need an idle machine. `--compile` adds torch.compile (needs
a C++ compiler). With `--networks` the LBP kernels are left out.
"""

from __future__ import annotations

import argparse
import io
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
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
from benchmark.recognisers.architecture import Input
from benchmark.recognisers.chi_square import chi_square, chi_square_all
from benchmark.recognisers.lbp import BINS, CELL, grey, histograms
from benchmark.recognisers.networks.catalogue import network_names, network_table
from benchmark.recognisers.networks.gpu import network as table_network
from benchmark.recognisers.networks.graph import model as table_graph
from benchmark.recognisers.networks.modules import Network
from benchmark.recognisers.networks.normalised import table_engine
from benchmark.recognisers.onnx_network import model as mobilefacenet_graph
from benchmark.recognisers.torch_network import network
from benchmark.recognisers.weights import find_weights, network_shapes, read_weights, weights_of

Task = Callable[[], object]
#: What is measured unless others are named: the two with weights of their own, and the two that are embedded.
NETWORKS = ("mobilefacenet-ms1m", "mobilefacenet-casia", "shufflefacenet-0.5", "iresnet-narrow")


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


@dataclass(frozen=True)
class Case:
    """A network as we run it, as its own torch module, and the shape of what that takes."""

    name: str
    #: Threads -> samples (uint8, N x 112 x 112 x 3) -> templates.
    ours: Callable[[int], Callable[[Samples], Templates]]
    #: A new module each time.
    plain: Callable[[], nn.Module]
    width: int
    #: Batch size -> our ONNX graph for it.
    graph: Callable[[int], bytes]


def cases(data: Path | None, names: Sequence[str]) -> Iterator[Case]:
    """The named networks: the MobileFaceNets with their weights, others with random ones, which are as fast."""
    for name in names:
        if name in network_names():
            table = network_table(name)
            torch.manual_seed(0)
            tensors = {key: value.numpy() for key, value in Network(table).state_dict().items()}
            image = Input((0, 112), (127.5,) * 3, (128.0,) * 3)
            graph = partial(table_graph, table, tensors, image)
            engine = partial(table_engine, table, lambda batch, graph=graph: graph(batch=batch), image.columns)
            yield Case(
                name,
                lambda threads, engine=engine: engine(threads=threads),
                partial(table_network, table, tensors),
                112,
                lambda batch, graph=graph: graph(batch=batch),
            )
        else:
            weights = weights_of(name)
            path = find_weights(weights, data=data)
            known = read_weights(path, sha256=weights.sha256, shapes=network_shapes(weights.network))
            first, end = weights.input.columns

            def embed(threads: int, name: str = name) -> Callable[[Samples], Templates]:
                return load_recogniser(name, data=data, threads=threads).embed

            graph = partial(mobilefacenet_graph, weights.variant, known, weights.input)
            plain = partial(network, weights.variant, known)
            yield Case(name, embed, plain, end - first, lambda batch, graph=graph: graph(batch=batch))


def channels_last(net: nn.Module) -> nn.Module:
    moved: nn.Module = net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # missing in its hints
    return moved


def torch_tasks(case: Case, batch: int, options: argparse.Namespace) -> dict[str, Task]:
    """Bare loops over the torch network, on images that are normalised already."""
    images = torch.randn(batch, 3, 112, case.width)
    last = images.contiguous(memory_format=torch.channels_last)
    tasks: dict[str, tuple[Callable[[torch.Tensor], object], torch.Tensor]] = {
        "torch": (case.plain(), images),
        "torch, channels last": (channels_last(case.plain()), last),
    }
    if not isinstance(case.plain(), Network):  # tables are no modules that `fuse` can trace
        tasks["torch, folded, channels last"] = (channels_last(fuse(case.plain())), last)
    if options.bf16:
        half = channels_last(case.plain()).to(torch.bfloat16)
        tasks["torch, channels last, bf16"] = (half, last.to(torch.bfloat16))
    if options.compile:
        torch._dynamo.reset()
        # As an option of torch.compile it does not reach every pass, and the network is half as fast.
        torch._inductor.config.freezing = True
        compiled = torch.compile(channels_last(case.plain()), dynamic=False)
        tasks["torch.compile, frozen, channels last"] = (compiled, last)

    def run(net: Callable[[torch.Tensor], object], x: torch.Tensor) -> Task:
        def task() -> object:
            with torch.inference_mode():
                return net(x)

        return task

    return {name: run(*task) for name, task in tasks.items()}


def exported(case: Case, batch: int) -> bytes:
    """The network as torch's exporter writes it, for one batch size."""
    file = io.BytesIO()
    shuffle = nn.functional.channel_shuffle
    # The exporter has no rule for it; written out, as public code has it.
    nn.functional.channel_shuffle = lambda x, groups: (  # type: ignore[assignment]
        x.unflatten(1, (groups, -1)).transpose(1, 2).flatten(1, 2)
    )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # this exporter is the older of two; the newer one needs one package more
            images = torch.zeros(batch, 3, 112, case.width)
            torch.onnx.export(case.plain(), (images,), file, input_names=["images"], dynamo=False)
    finally:
        nn.functional.channel_shuffle = shuffle
    return file.getvalue()


def graph_tasks(case: Case, batch: int, threads: int, options: argparse.Namespace) -> dict[str, Task]:
    """Bare loops over the exported graph and over ours, one call a batch."""
    graph = exported(case, batch)
    shape = (batch, 112, case.width, 3)
    samples = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    images = np.random.default_rng(0).normal(size=(batch, 3, 112, case.width)).astype(np.float32)
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads, settings.log_severity_level = threads, 3
    session = onnxruntime.InferenceSession(graph, settings, providers=["CPUExecutionProvider"])
    tasks: dict[str, Task] = {"onnxruntime, as exported": lambda: session.run(None, {"images": images})}
    own = onnxruntime.InferenceSession(case.graph(batch), settings, providers=["CPUExecutionProvider"])
    tasks["onnxruntime, our graph, one call"] = lambda: own.run(None, {"samples": samples})
    if options.openvino:
        import openvino  # no dependency of ours: pip install openvino

        precision = {"INFERENCE_NUM_THREADS": threads, "INFERENCE_PRECISION_HINT": "f32"}
        compiled = openvino.Core().compile_model(openvino.Core().read_model(graph, b""), "CPU", precision)
        tasks["OpenVINO"] = lambda: compiled(images)
    return tasks


def embedding_table(data: Path | None, options: argparse.Namespace) -> str:
    """Samples a second of every engine; in the last column ours over each, and over the fastest in float32."""
    rows: list[list[object]] = []
    for case in cases(data, options.networks):
        for threads in options.threads:
            torch.set_num_threads(threads)
            embed = case.ours(threads)
            for batch in options.batches:
                samples = np.random.default_rng(0).integers(0, 256, (batch, 112, 112, 3), dtype=np.uint8)
                tasks: dict[str, Task] = {"ours": partial(embed, samples)}
                tasks |= graph_tasks(case, batch, threads, options) | torch_tasks(case, batch, options)
                rate = {name: batch / best for name, best in best_seconds(tasks, options.seconds, threads).items()}
                rows += [
                    [case.name, threads, batch, name, round(rate[name]), rate["ours"] / rate[name]] for name in tasks
                ]
                fastest = max((name for name in rate if name != "ours" and "bf16" not in name), key=rate.__getitem__)
                ratio = rate["ours"] / rate[fastest]
                rows.append([case.name, threads, batch, f"**fastest: {fastest}**", round(rate[fastest]), ratio])
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
    parser.add_argument("--networks", nargs="+", default=list(NETWORKS), help="recognisers' ids, or networks' names")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 32, 128])
    parser.add_argument("--seconds", type=float, default=2.0, help="time for each engine")
    parser.add_argument("--compile", action="store_true", help="measure torch.compile too")
    parser.add_argument("--bf16", action="store_true", help="measure torch in bfloat16 too; it is in no ratio")
    parser.add_argument("--openvino", action="store_true", help="measure OpenVINO too (pip install openvino)")
    options = parser.parse_args()
    data = data_root(options.data)
    if options.networks == list(NETWORKS):
        print(kernel_table(options.seconds), end="\n\n")
    print(embedding_table(data, options))


if __name__ == "__main__":
    main()
