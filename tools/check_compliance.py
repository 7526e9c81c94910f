"""Show every preset of a codestream protector to every decoder that is installed, over many LFW crops.

    python tools/check_compliance.py --data ../shared/data [--protector jpeg2000-window] [--samples 300] [--out FILE]

Each preset's verdicts are appended to FILE (JSON lines); what is there already is not done again. Ends with 1 where a
decoder refuses a stream, or marker codes stand where none may.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tabulate import tabulate

from benchmark.compliance import check
from benchmark.compliance.process import DecodingProcess
from benchmark.crypto import derive_key
from benchmark.datasets import open_dataset
from benchmark.digest import generator
from benchmark.interfaces import Codestreams, Samples
from benchmark.sandbox import SubmissionProcess
from benchmark.submission import Submission, discover

ROOT = Path(__file__).resolve().parents[1]
PAIRS = ROOT / "protocols" / "splits" / "lfw-view2.csv"


def read_samples(data: Path, count: int) -> tuple[list[str], Samples]:
    """The first samples of LFW View 2 that are there, in the order of the protocol's pairs."""
    rows = [line.split(",") for line in PAIRS.read_text().splitlines()[1:]]
    ids = list(dict.fromkeys(name for row in rows for name in row[2:4]))[:count]
    loaded = open_dataset("lfw", {}, data).load(ids)
    present = [name for name, failed in zip(ids, loaded.failed, strict=True) if not failed]
    return present, loaded.samples[~loaded.failed]


def protected(
    submission: Submission, presets: Sequence[str], ids: list[str], samples: Samples
) -> Iterator[Codestreams]:
    """The samples under each preset in turn; presets that prepare alike share what was prepared."""
    keys = [derive_key(bytes(32), "check_compliance", name) for name in ids]
    kept: dict[str, Any] = {}
    with SubmissionProcess(submission) as process:
        for preset in presets:
            parameters = submission.resolve({}, preset)
            process.configure(parameters)
            depends = submission.protector.prepare
            shared = json.dumps({name: parameters[name] for name in depends or ()}, sort_keys=True)
            if shared not in kept:
                kept[shared] = samples if depends is None else process.prepare(samples)
            streams = process.protect(kept[shared], keys, generator=generator("check_compliance", preset))
            assert isinstance(streams, list)
            yield streams


def table(results: dict[str, dict[str, Any]]) -> tuple[str, int]:
    """Streams tried and refused by decoder, over all presets; and how many were refused."""
    tried: Counter[tuple[str, str]] = Counter()
    refused: Counter[tuple[str, str]] = Counter()
    for verdicts in results.values():
        for decoder, (version, streams, failures, _) in verdicts.items():
            tried[decoder, version or "not installed"] += streams
            refused[decoder, version or "not installed"] += failures
    rows = [(*name, len(results), count, refused[name]) for name, count in tried.items()]
    return tabulate(rows, ["decoder", "version", "presets", "streams", "refused"]), sum(refused.values())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--protector", default="jpeg2000-window")
    parser.add_argument("--samples", type=int, default=300)
    parser.add_argument("--out", type=Path, default=Path("compliance.jsonl"))
    arguments = parser.parse_args()
    submission = discover()["protector", arguments.protector]
    lines = arguments.out.read_text().splitlines() if arguments.out.exists() else []
    results = {one["preset"]: one["verdicts"] for one in map(json.loads, lines)}
    waiting = [preset for preset in submission.manifest.presets if preset not in results]
    ids, samples = read_samples(arguments.data, arguments.samples)
    with arguments.out.open("a") as out, DecodingProcess() as decoders:
        for preset, streams in zip(waiting, protected(submission, waiting, ids, samples), strict=True):
            verdicts = check(streams, shape=samples.shape[1:3], process=decoders)
            results[preset] = {decoder: list(verdict) for decoder, verdict in verdicts.items()}
            out.write(json.dumps({"preset": preset, "verdicts": results[preset]}) + "\n")
            out.flush()
    for preset, verdicts in results.items():
        for decoder, (_, _, failures, reasons) in verdicts.items():
            if failures:
                print(f"{preset}: {decoder} refuses {failures}, such as sample {reasons[0][0]}: {reasons[0][1]}")
    text, refused = table(results)
    print(text)
    return int(refused > 0)


if __name__ == "__main__":
    raise SystemExit(main())
