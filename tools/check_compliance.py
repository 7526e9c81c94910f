"""Show the default setting and every preset of a codestream protector to every decoder that is installed, on LFW crops.

    python tools/check_compliance.py --data ../shared/data [--protector jpeg2000-window] [--samples 300] [--out FILE]

Each setting's verdicts are appended to FILE (JSON lines; default: compliance-PROTECTOR.jsonl); what is there already
is not done again. Ends with 1 where a decoder refuses a stream, or marker codes stand where none may; what decoders say
that are stricter than any viewer (ffmpeg-strict) is told, and does not count.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tabulate import tabulate

from benchmark.compliance import OUT_OF_CURIOSITY, check
from benchmark.compliance.process import DecodingProcess
from benchmark.crypto import derive_key
from benchmark.datasets import open_dataset
from benchmark.digest import generator
from benchmark.errors import InvalidInputError, SubmissionFailedError, unknown
from benchmark.interfaces import Codestreams, Samples
from benchmark.sandbox import SubmissionProcess
from benchmark.submission import Submission, discover

ROOT = Path(__file__).resolve().parents[1]
PAIRS = ROOT / "protocols" / "splits" / "lfw-view2.csv"
#: Name of the setting without a preset.
DEFAULT = "default"


def find_protector(name: str) -> Submission:
    """A protector whose files others can decode; raises InvalidInputError."""
    found = discover()
    if ("protector", name) not in found:
        raise unknown("protector", name, [one for kind, one in found if kind == "protector"])
    submission = found["protector", name]
    if submission.protector.format not in ("jpeg2000", "jpeg"):
        what = submission.protector.format or f"of domain {submission.protector.domain}"
        raise InvalidInputError(f"protector {name!r} is {what}: only files of format jpeg2000 or jpeg can be compliant")
    return submission


def read_samples(data: Path, count: int) -> tuple[list[str], Samples]:
    """The first samples of LFW View 2 that are there, in the order of the protocol's pairs; InvalidInputError: none."""
    rows = [line.split(",") for line in PAIRS.read_text().splitlines()[1:]]
    ids = list(dict.fromkeys(name for row in rows for name in row[2:4]))[:count]
    loaded = open_dataset("lfw", {}, data).load(ids)
    present = [name for name, failed in zip(ids, loaded.failed, strict=True) if not failed]
    if not present:
        raise InvalidInputError(f"{data}: no LFW crops here; name the folder that holds lfw/ with --data")
    return present, loaded.samples[~loaded.failed]


def protected(
    submission: Submission, settings: Sequence[str], ids: list[str], samples: Samples
) -> Iterator[Codestreams]:
    """The samples under each setting in turn; settings that prepare alike share what was prepared."""
    keys = [derive_key(bytes(32), "check_compliance", name) for name in ids]
    kept: dict[str, Any] = {}
    with SubmissionProcess(submission) as process:
        for setting in settings:
            parameters = submission.resolve({}, None if setting == DEFAULT else setting)
            process.configure(parameters)
            depends = submission.protector.prepare
            shared = json.dumps({name: parameters[name] for name in depends or ()}, sort_keys=True)
            if shared not in kept:
                kept[shared] = samples if depends is None else process.prepare(samples)
            streams = process.protect(kept[shared], keys, generator=generator("check_compliance", setting))
            assert isinstance(streams, list)
            yield streams


def table(results: dict[str, dict[str, Any]]) -> tuple[str, int]:
    """Streams tried and refused by decoder, over all settings; and how many were refused that must not be."""
    tried: Counter[tuple[str, str]] = Counter()
    refused: Counter[tuple[str, str]] = Counter()
    for verdicts in results.values():
        for decoder, (version, streams, failures, _) in verdicts.items():
            tried[decoder, version or "not installed"] += streams
            refused[decoder, version or "not installed"] += failures
    rows = [(*name, len(results), count, refused[name]) for name, count in tried.items()]
    wrong = sum(count for (decoder, _), count in refused.items() if decoder not in OUT_OF_CURIOSITY)
    return tabulate(rows, ["decoder", "version", "settings", "streams", "refused"]), wrong


def measure(submission: Submission, data: Path, count: int, out: Path) -> dict[str, dict[str, Any]]:
    """{setting: {decoder: verdict}}; what is not in `out` yet is measured and appended."""
    lines = out.read_text().splitlines() if out.exists() else []
    results = {one["setting"]: one["verdicts"] for one in map(json.loads, lines)}
    waiting = [setting for setting in (DEFAULT, *submission.manifest.presets) if setting not in results]
    ids, samples = read_samples(data, count)
    with out.open("a") as file, DecodingProcess() as decoders:
        for setting, streams in zip(waiting, protected(submission, waiting, ids, samples), strict=True):
            verdicts = check(streams, shape=samples.shape[1:3], process=decoders)
            if not verdicts:
                raise InvalidInputError(f"{setting}: no file is of format jpeg2000 or jpeg, whatever the manifest says")
            results[setting] = {decoder: list(verdict) for decoder, verdict in verdicts.items()}
            file.write(json.dumps({"setting": setting, "verdicts": results[setting]}) + "\n")
            file.flush()
    return results


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--protector", default="jpeg2000-window")
    parser.add_argument("--samples", type=int, default=300)
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    out = arguments.out or Path(f"compliance-{arguments.protector}.jsonl")
    try:
        results = measure(find_protector(arguments.protector), arguments.data, arguments.samples, out)
    except (InvalidInputError, SubmissionFailedError, OSError) as error:
        parser.error(str(error))  # ends with 2
    for setting, verdicts in results.items():
        for decoder, (_, _, failures, reasons) in verdicts.items():
            if failures:
                print(f"{setting}: {decoder} refuses {failures}, such as sample {reasons[0][0]}: {reasons[0][1]}")
    text, refused = table(results)
    print(text)
    return int(refused > 0)


if __name__ == "__main__":
    raise SystemExit(main())
