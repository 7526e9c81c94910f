"""What selective encryption of JPEG files costs beside AES-256-GCM over the whole file, and decoding beside Pillow.

    python perf/jpeg.py [--samples 300] [--repetitions 7]

Real LFW crops from $VEILBENCH_DATA or ../shared/data. CPU time of one process and thread, median of the repetitions;
the ratios are of one run, so that the machine cancels out.
"""

from __future__ import annotations

import argparse
import statistics
from typing import Any

import numpy as np
from Crypto.Cipher import AES
from jpeg2000 import crops, milliseconds
from tabulate import tabulate

from benchmark.crypto import derive_key
from benchmark.jpeg import decode, decode_standard, encode, encrypt, encrypted_ranges

SETTINGS: dict[str, tuple[str, dict[str, Any]]] = {
    "amplitude": ("amplitude-bits", {}),
    "raw": ("raw-scan", {}),
    "progressive": ("raw-scan", {"progressive": True}),
}
SIZES = [1, 4, 12, 100]


def protection(samples: list[np.ndarray], repetitions: int) -> list[list[Any]]:
    """Rows: a sample's key from the master key, parsing and encrypting, beside AES-256-GCM over the whole file."""
    rows = []
    master, names = bytes(range(32)), [str(number) for number in range(len(samples))]
    for name, (mode, coder) in SETTINGS.items():
        plain = [encode(sample, **coder) for sample in samples]
        keys = [derive_key(master, "sample", name) for name in names]
        for size in SIZES:

            def whole(plain: list[bytes] = plain, keys: list[bytes] = keys) -> None:
                for data, key in zip(plain, keys, strict=True):
                    AES.new(key, AES.MODE_GCM, nonce=key[:12]).encrypt_and_digest(data)

            def window(plain: list[bytes] = plain, mode: str = mode, size: int = size) -> None:
                for data, name in zip(plain, names, strict=True):
                    encrypt(data, key=derive_key(master, "sample", name), offset=0, size=size, mode=mode)

            took = milliseconds({"whole": whole, "window": window}, len(samples), repetitions)
            kilobytes = statistics.mean(map(len, plain)) / 1000
            label = f"{name}, first {size} %"
            rows.append([label, f"{kilobytes:.1f}", took["window"], took["whole"], took["window"] / took["whole"]])
    return rows


def decoding(samples: list[np.ndarray], repetitions: int) -> list[list[Any]]:
    """Rows: our decoder on plain files and around an erased window, beside Pillow's on the same files."""
    rows = []
    for name, (mode, coder) in SETTINGS.items():
        plain = [encode(sample, **coder) for sample in samples]
        hidden = [encrypt(data, key=bytes(32), offset=0, size=4, mode=mode) for data in plain]
        spans = [encrypted_ranges(data, 0, 4, mode)[:2] for data in hidden]
        works: dict[str, tuple[Any, Any]] = {
            "plain": (
                lambda plain=plain: [decode(data) for data in plain],
                lambda plain=plain: [decode_standard(data) for data in plain],
            ),
            "4 % erased": (
                lambda hidden=hidden, spans=spans, mode=mode: [
                    decode(data, erase=span, mode=mode) for data, span in zip(hidden, spans, strict=True)
                ],
                lambda hidden=hidden: [decode_standard(data) for data in hidden],
            ),
        }
        for what, (ours, theirs) in works.items():
            took = milliseconds({"ours": ours, "theirs": theirs}, len(samples), repetitions)
            rows.append([f"{name}, {what}", took["ours"], took["theirs"], took["ours"] / took["theirs"]])
    return rows


def main() -> None:
    """Prints two Markdown tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=300)
    parser.add_argument("--repetitions", type=int, default=7)
    arguments = parser.parse_args()
    samples = crops(arguments.samples)
    print(f"{len(samples)} LFW crops, CPU ms a sample, medians of {arguments.repetitions} repetitions\n")
    headers = ["setting", "kB", "derive, parse, encrypt", "AES-256-GCM, whole file", "ratio"]
    print(tabulate(protection(samples, arguments.repetitions), headers, "github", ".3f"))
    print()
    rows = decoding(samples, max(3, arguments.repetitions // 2))
    print(tabulate(rows, ["decode", "ours", "Pillow", "ratio"], "github", ".3f"))


if __name__ == "__main__":
    main()
