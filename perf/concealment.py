"""What our own JPEG 2000 decoder costs beside OpenJPEG, what it shows of encrypted samples, and how it scales.

    python perf/concealment.py [--samples 300] [--repetitions 5] [--quality 100]

Real LFW crops from $VEILBENCH_DATA or ../shared/data; 12 layers, 32 x 32 code-blocks, segmentation symbols, windows
over packet bodies. CPU time of one process, median of the repetitions; the ratios are of one run, so that the machine
cancels out. OpenJPEG is the same binding's `decode_standard`, both from bytes to a picture.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from jpeg2000 import crops, milliseconds
from tabulate import tabulate

from benchmark.jpeg2000 import (
    decode,
    decode_standard,
    decode_with_report,
    encode,
    encrypt,
    encrypted_ranges,
    openjpeg_version,
)
from benchmark.jpeg2000.tier1 import CONCEALMENT
from benchmark.metrics.visual import psnr, ssim

CODER: dict[str, Any] = {"layers": 12, "code_block": 32, "segmentation_symbols": True}
#: Name: progression, offset and size of the window in percent of the packet bodies; the named ones of the literature
#: first, then the beginnings of the stream.
WINDOWS = {
    "lw4o0": ("layer", 0, 4),
    "lw4o6": ("layer", 6, 4),
    "lw8o4": ("layer", 4, 8),
    "layer, first 1 %": ("layer", 0, 1),
    "layer, first 12 %": ("layer", 0, 12),
    "rw4o6": ("resolution", 6, 4),
    "resolution, first 12 %": ("resolution", 0, 12),
    "layer, all": ("layer", 0, 100),
}
RULES = (*CONCEALMENT, "known-window erase")


Streams = tuple[list[bytes], list[bytes], list[tuple[int, int]]]


def streams(samples: list[np.ndarray], name: str, **coder: Any) -> Streams:
    """Plain and encrypted codestreams under a window, and what is encrypted in each."""
    progression, offset, size = WINDOWS[name]
    window: dict[str, Any] = {"offset": offset, "size": size, "window_base": "packet-bodies"}
    plain = [encode(sample, progression=progression, **{**CODER, **coder}) for sample in samples]
    keys = [number.to_bytes(32, "big") for number in range(1, len(samples) + 1)]
    hidden = [encrypt(data, key=key, **window) for data, key in zip(plain, keys, strict=True)]
    return plain, hidden, [encrypted_ranges(data, **window)[:2] for data in plain]


def shown(data: bytes, rule: str, window: tuple[int, int]) -> np.ndarray:
    """A picture by our own decoder."""
    if rule == "known-window erase":
        return decode(data, erase=window)
    return decode_with_report(data, conceal=rule)[0]


def cost(samples: list[np.ndarray], repetitions: int) -> list[list[Any]]:
    """Rows: CPU ms of OpenJPEG, and of every rule as a multiple of it."""
    one_layer = {"layers": 1, "code_block": 64, "segmentation_symbols": False}
    works = [("plain", streams(samples, "lw4o6")[0], None)]
    works.append(("plain, 1 layer, 64 x 64", streams(samples, "lw4o6", **one_layer)[0], None))
    works += [(name, *streams(samples, name)[1:]) for name in ("lw4o6", "layer, first 12 %", "rw4o6", "layer, all")]
    return [[name, *ratios(data, windows, repetitions)] for name, data, windows in works]


def ratios(data: list[bytes], windows: list[tuple[int, int]] | None, repetitions: int) -> list[float | None]:
    """OpenJPEG's milliseconds a sample, and each rule's as a multiple; erasing only where there is a window."""
    works: dict[str, Callable[[], object]] = {"OpenJPEG": lambda: [decode_standard(item) for item in data]}
    for rule in RULES if windows else RULES[:-1]:
        places = windows or [(0, 0)] * len(data)
        works[rule] = lambda rule=rule, places=places: [
            shown(item, rule, place) for item, place in zip(data, places, strict=True)
        ]
    took = milliseconds(works, len(data), repetitions)
    return [took["OpenJPEG"], *(took[rule] / took["OpenJPEG"] if rule in took else None for rule in RULES)]


def scaling(samples: list[np.ndarray], repetitions: int) -> list[list[Any]]:
    """Rows: samples a second on 1 and 2 threads, and how much of two cores two threads had."""
    data = streams(samples, "lw4o6")[1]
    rows = []
    for threads in (1, 2):
        walls, shares = [], []
        with ThreadPoolExecutor(threads) as pool:
            for _ in range(repetitions):
                wall, processor = time.perf_counter(), time.process_time()
                list(pool.map(lambda item: decode_with_report(item, conceal="forget-plane"), data))
                wall, processor = time.perf_counter() - wall, time.process_time() - processor
                walls.append(wall)
                shares.append(processor / wall)
        rows.append([threads, len(data) / statistics.median(walls), len(data) / min(walls), statistics.median(shares)])
    return rows


def quality(samples: list[np.ndarray]) -> list[list[Any]]:
    """Rows: mean PSNR and SSIM of what each rule shows."""
    rows = []
    originals = np.stack(samples)
    for name, symbols in itertools.product(WINDOWS, (True, False)):
        _, hidden, ranges = streams(samples, name, segmentation_symbols=symbols)
        cells = []
        for rule in RULES:
            pictures = np.stack([shown(data, rule, window) for data, window in zip(hidden, ranges, strict=True)])
            cells.append(f"{np.mean(psnr(originals, pictures)):.2f} / {np.mean(ssim(originals, pictures)):.3f}")
        rows.append([name, "yes" if symbols else "no", *cells])
    return rows


def main() -> None:
    """Prints three Markdown tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=300)
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--quality", type=int, default=100, help="samples of the table of pictures' quality")
    arguments = parser.parse_args()
    samples = crops(arguments.samples)
    print(f"{len(samples)} LFW crops, OpenJPEG {openjpeg_version()}, CPU, medians of {arguments.repetitions}\n")
    heads = ["streams", "OpenJPEG, ms a sample", *(f"{rule}, times that" for rule in RULES)]
    print(tabulate(cost(samples, arguments.repetitions), heads, "github", ".2f"), "\n")
    heads = ["threads", "samples/s, median", "samples/s, best", "cores busy"]
    print(tabulate(scaling(samples, arguments.repetitions), heads, "github", ".2f"), "\n")
    print(tabulate(quality(crops(arguments.quality)), ["PSNR in dB / SSIM", "symbols", *RULES], "github"))


if __name__ == "__main__":
    main()
