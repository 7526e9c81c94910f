"""How fast whole runs are: `--help`, the demo from nothing, one setting of LFW View 2, all in fresh stores.

    python perf/runs.py                  # --help and the demo
    python perf/runs.py --data DATA      # and one setting on all 6,000 pairs of View 2 (minutes)

Prints a Markdown table from one run. `busy` is the CPU seconds of all stages / worker processes: what the wall time
would be if nothing but the stages took any, so wall / busy says what everything around them costs.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tabulate import tabulate

from benchmark import runner

VEILBENCH = [sys.executable, "-m", "benchmark.cli"]
#: (protocol, setting) whose run stands for the others: an encrypted layer-progressive stream and three recognisers.
VIEW2 = "lfw-jpeg2000-named", "jpeg2000-window@lw4o6-document"


def seconds(command: list[str], environment: dict[str, str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, env={**os.environ, **environment}, check=True, capture_output=True)
    return time.perf_counter() - start


def help_row() -> list[object]:
    times = [seconds([*VEILBENCH, "--help"], {}) for _ in range(10)]
    return ["`veilbench --help`", f"{statistics.median(times):.3f} s", "", ""]


def demo_row(folder: Path) -> list[object]:
    """The demo in a new store, with nothing compiled yet."""
    places = {"VEILBENCH_STORE": str(folder / "demo"), "XDG_CACHE_HOME": str(folder / "cache"),
              "NUMBA_CACHE_DIR": str(folder / "numba")}  # fmt: skip
    took = seconds([*VEILBENCH, "run", "demo", "--board", str(folder / "board")], places)
    return ["demo, compilation included", f"{took:.1f} s", "", ""]


def view2_row(folder: Path, data: Path, workers: int) -> list[object]:
    order = runner.order(VIEW2[0], protectors=[VIEW2[1]], data=data, store=folder / "view2")
    report = runner.execute(order, workers=workers, board=folder / "board")
    busy = sum(cpu for cpu, _ in report.run.stages.values()) / workers
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / (1 << 20)  # the largest process, in GiB
    name = f"{VIEW2[1]}, View 2, {workers} workers"
    return [name, f"{report.run.wall:.1f} s", f"{report.run.wall / busy:.2f}", f"{peak:.2f} GiB"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder with lfw/ and weights/")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows = [help_row(), demo_row(folder)]
        if arguments.data:
            rows.append(view2_row(folder, arguments.data, arguments.workers))
    print(tabulate(rows, headers=["run", "wall", "wall / busy", "peak of a process"], tablefmt="github"))


if __name__ == "__main__":
    main()
