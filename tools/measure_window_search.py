"""Measures window-search: the rates that it rests on, on drawn faces, and how often it finds LFW's windows.

    python tools/measure_window_search.py DATA [SAMPLES]

DATA is the folder with lfw/. Prints the rates (constants of benchmark/jpeg2000/window_search.py) and rewrites the table
in the attack's README, over SAMPLES (default 300) evenly spread samples of the pairs in
protocols/splits/lfw-view2-dev.csv.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from benchmark.datasets import open_dataset
from benchmark.datasets.pairs import read_pairs
from benchmark.interfaces import Samples
from benchmark.jpeg2000 import decode, decode_standard, decode_with_report, encode, encrypt, encrypted_ranges
from benchmark.jpeg2000.encoder import BYPASS, TERMALL
from benchmark.jpeg2000.window_search import AHEAD, find_window
from benchmark.metrics.visual import psnr
from benchmark.submission import load_submission

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "baselines/attacks/window-search/README.md"
PROTECTOR = load_submission(ROOT / "baselines/protectors/jpeg2000-window")
SETTINGS = ["lw4o6", "lw6o6", "lw8o4", "rw4o6", "lw4o0", "lw8o0", "lw12o0"]
READINGS = ["document", "bodies"]
WINDOW = ("offset", "size", "window_base")
KEY = bytes(32)
#: Coders that say less of where encryption begins; no preset has them.
HARD: dict[str, dict[str, Any]] = {
    "1 layer, blocks of 64": {},
    "1 layer, blocks of 16": {"code_block": 16},
    "3 layers, blocks of 32": {"layers": 3, "code_block": 32},
    "12 layers, TERMALL": {"layers": 12, "style": TERMALL},
    "12 layers, BYPASS": {"layers": 12, "style": BYPASS},
}
HARD_WINDOWS = {"w4o6": (6, 4), "w8o0": (0, 8), "w10o30": (30, 10)}


class Found(NamedTuple):
    """One sample: the true and the found window, and PSNR in dB of the file as it is and after erasing either."""

    true: tuple[int, int]
    found: tuple[int, int]
    psnr: tuple[float, float, float]


def parameters(preset: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The coder's and the window's parameters of a preset."""
    chosen = PROTECTOR.resolve({}, preset)
    return {k: v for k, v in chosen.items() if k not in WINDOW}, {k: chosen[k] for k in WINDOW}


def measure(sample: npt.NDArray[np.uint8], coder: dict[str, Any], window: dict[str, Any]) -> Found:
    hidden = encrypt(encode(sample, **coder), key=KEY, **window)
    start, end, _ = encrypted_ranges(hidden, **window)
    found = find_window(hidden)
    shown = decode_standard(hidden), decode(hidden, erase=(start, end)), decode(hidden, erase=found)
    as_it_is, known, searched = (float(psnr(sample[None], image[None])[0]) for image in shown)
    return Found((start, end), found, (as_it_is, known, searched))


def row(name: str, samples: Samples, coder: dict[str, Any], window: dict[str, Any]) -> str:
    """One line of the table."""
    all_found = [measure(sample, coder, window) for sample in samples]
    seen = [one for one in all_found if one.found[1]]
    covered = sum(one.found[0] <= one.true[0] and one.found[1] >= one.true[1] for one in seen)
    before = np.array([one.true[0] - one.found[0] for one in seen])
    after = np.array([one.found[1] - one.true[1] for one in seen])
    length = np.mean([one.true[1] - one.true[0] for one in all_found])
    as_it_is, known, searched = np.mean([one.psnr for one in all_found], axis=0)
    return (
        f"| {name} | {length:.0f} | {100 * len(seen) / len(samples):.1f} | {100 * covered / len(samples):.1f} "
        f"| {_spread(before)} | {_spread(after)} | {as_it_is:.2f} | {known:.2f} | {searched:.2f} |"
    )


def _spread(excess: npt.NDArray[np.int64]) -> str:
    low, middle, high = np.percentile(excess, [5, 50, 95])
    return f"{middle:.0f} ({low:.0f} to {high:.0f})"


def unprotected(name: str, samples: Samples, coder: dict[str, Any]) -> str:
    alarms = sum(find_window(encode(sample, **coder)) != (0, 0) for sample in samples)
    return f"| unprotected, {name} | 0 | {100 * alarms / len(samples):.1f} | | | | | | |"


def table(samples: Samples) -> str:
    head = f"""\
Over {len(samples)} samples of `lfw-view2-dev`. *Found*: how often it sees a window at all; *covered*: how often what
it found holds the whole window. *Before* and *after*: bytes found too many at either end, median (5 % to 95 %),
negative where some of the window was missed. PSNR in dB of the file as it is (`direct-decode`), after erasing the known
window (`known-window-erase`) and after erasing the found one. What is found too many after the end lies mostly in
code-blocks that are lost already, and costs nothing.

| setting | window, bytes | found, % | covered, % | before | after | PSNR as is | PSNR known | PSNR found |
|---|---|---|---|---|---|---|---|---|
"""
    named = [f"{name}-{reading}" for reading in READINGS for name in SETTINGS]
    rows = [row(name, samples, *parameters(name)) for name in named]
    rows += [unprotected(reading, samples, parameters(f"lw4o6-{reading}")[0]) for reading in READINGS]
    for coder, arguments in HARD.items():
        for name, (offset, size) in HARD_WINDOWS.items():
            window = {"offset": offset, "size": size, "window_base": "packet-bodies"}
            rows.append(row(f"{name}, {coder}", samples, arguments, window))
        rows.append(unprotected(coder, samples, arguments))
    return head + "\n".join(rows) + "\n"


def segments_of(samples: Samples) -> Iterator[tuple[str, int, bool]]:
    """(clear, touched or following; bytes from where encryption begins; whether it agrees) of every segment."""
    for sample in samples:
        for reading in READINGS:
            for progression in ("layer", "resolution"):
                coder = parameters(f"lw4o6-{reading}")[0] | {"progression": progression}
                for offset, size in ((0, 12), (4, 8), (6, 4), (30, 5), (60, 10)):
                    window = {"offset": offset, "size": size, "window_base": "packet-bodies"}
                    hidden = encrypt(encode(sample, **coder), key=KEY, **window)
                    yield from _classified(hidden, *encrypted_ranges(hidden, **window)[:2])


def _classified(hidden: bytes, start: int, end: int) -> Iterator[tuple[str, int, bool]]:
    report = decode_with_report(hidden)[1]
    stated: dict[int, int] = {}
    touched: set[int] = set()
    for segment, consumed in zip(report.segments.tolist(), report.consumed.tolist(), strict=True):
        block, first, length = segment[1], segment[3], segment[4]
        stated[block] = stated.get(block, 0) + length
        agrees = 1 <= consumed - stated[block] <= AHEAD
        if not length:
            continue
        if block in touched:
            yield "following", length, agrees
        elif first < end and first + length > start:
            touched.add(block)
            yield "touched", first + length - max(first, start), agrees
        else:
            yield "clear", length, agrees


def rates(samples: Samples) -> None:
    """Print how often segments agree, by kind and, where encryption begins in them, by bytes."""
    counts: dict[tuple[str, int], list[int]] = {}
    for kind, length, agrees in segments_of(samples):
        entry = counts.setdefault((kind, min(length, 9) if kind == "touched" else 0), [0, 0])
        entry[0] += agrees
        entry[1] += 1
    for (kind, length), (agreeing, total) in sorted(counts.items()):
        print(f"{kind:9} {length or '':2} {agreeing / total:.4f} of {total}")


def main(data: Path, count: int) -> None:
    drawn = [f"s{number:04d}/0" for number in range(40)]
    rates(open_dataset("synthetic", {"seed": 3}, None).load(drawn).samples)
    ids = read_pairs(ROOT / "protocols/splits/lfw-view2-dev.csv").ids
    chosen = [ids[place] for place in np.linspace(0, len(ids) - 1, count).astype(int)]
    text = table(open_dataset("lfw", {}, data).load(chosen).samples)
    print(text)
    marks = r"(<!-- measured -->\n).*?(<!-- /measured -->)"
    README.write_text(re.sub(marks, lambda found: f"{found[1]}{text}{found[2]}", README.read_text(), flags=re.DOTALL))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="the folder with lfw/")
    parser.add_argument("samples", type=int, nargs="?", default=300)
    arguments = parser.parse_args()
    if not (arguments.data / "lfw").is_dir():
        parser.error(f"there is no folder {arguments.data / 'lfw'}")
    main(arguments.data, arguments.samples)
