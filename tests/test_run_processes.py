"""Whole runs as processes: interrupted, killed, two at once on one store; how they end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest
from made_submissions import ATTACK, write_submission
from test_run import LOOK, run, write_protocol
from test_run import place as place  # the fixture

from benchmark import runner, tasks
from benchmark.record import read_record
from benchmark.store import Store

SLOW = """
class Method(Attack):
    def run(self, evidence, *, generator):
        time.sleep(2)
        return evidence.protected
"""


def start(*arguments: str, env: dict[str, str] | None = None) -> subprocess.Popen[str]:
    """A `veilbench` process in a group of its own, that Ctrl-C reaches also where the tests run in the background."""
    command = [sys.executable, "-m", "benchmark.cli", *arguments]
    pipe = subprocess.PIPE
    return subprocess.Popen(
        command, stdout=pipe, stderr=pipe, text=True, start_new_session=True, env=env, preexec_fn=_heed_interrupts
    )


def _heed_interrupts() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # a shell's background job is started with it ignored


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_an_interrupted_run_continues_and_leaves_no_process(place: Path, how: signal.Signals) -> None:
    write_submission(place / "submissions", "slow", SLOW, ATTACK)
    write_protocol(place, "long", attacks=[{"id": "look"}, {"id": "slow"}])
    process = start("run", "long", "--board", "board", "--workers", "1")
    store = place / "store"
    deadline = time.monotonic() + 60
    while not list((store / "attacked").glob("*/*")):  # the first job's batch is done
        assert time.monotonic() < deadline, process.communicate(timeout=5)
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    process.send_signal(how)
    _, errors = process.communicate(timeout=30)
    if how == signal.SIGINT:
        assert process.returncode == 130
        assert "interrupted" in errors
        assert "Traceback" not in errors
    done = {path.name for path in (store / "attacked").glob("*/*") if not path.name.startswith(".")}
    time.sleep(2)
    alive = subprocess.run(["pgrep", "-g", str(process.pid)], capture_output=True, text=True, check=False).stdout
    assert alive == "", f"left behind: {alive}"
    report = run("long")
    assert [record.status for record in report.records] == ["ok", "ok"]
    assert "recognise lbp" not in report.run.stages or report.run.stages["attack"][1] <= 40 * (3 - len(done))


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_second_signal_while_the_first_is_answered_does_not_hang(place: Path, how: signal.Signals) -> None:
    write_submission(place / "submissions", "slow", SLOW.replace("sleep(2)", "sleep(40)"), ATTACK)
    write_protocol(place, "long", attacks=[{"id": "look"}, {"id": "slow"}])
    (place / "temporary").mkdir()
    environment = {**os.environ, "TMPDIR": str(place / "temporary")}
    process = start("run", "long", "--board", "board", "--workers", "1", env=environment)
    while not list((place / "store/attacked").glob("*/*")):
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    began = time.monotonic()
    os.killpg(process.pid, how)  # as a terminal, or a cluster's scheduler, does
    time.sleep(0.2)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, how)
    process.communicate(timeout=20)
    # The second one may meet an interpreter that has done everything and is leaving: to a shell that is 130, too.
    assert process.returncode in ((130, -how) if how == signal.SIGINT else (-how,))
    assert time.monotonic() - began < 10, "it waited for what the worker had in hand"
    time.sleep(0.5)
    assert list((place / "temporary").glob("veilbench-*")) == []


def test_a_run_prints_the_ranking_when_asked(place: Path) -> None:
    process = start("run", "small", "--print", "--board", "board", "--workers", "1")
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    ranking = runner.ranking_of(place / "board", "small")
    assert "mirror" in ranking
    assert output.endswith(f"\n\n{ranking}\n")


def test_two_runs_at_once_on_one_store(place: Path) -> None:
    first, second = (start("run", "small", "--board", f"board{n}", "--workers", "1") for n in (1, 2))
    for process in (first, second):
        _, errors = process.communicate(timeout=90)
        assert process.returncode == 0, errors
        assert "damaged" not in errors
    one, two = (read_record(place / f"board{n}/records/small/mirror/look.json") for n in (1, 2))
    assert one.scores == two.scores


def test_exit_codes_and_one_line_errors(place: Path) -> None:
    code = "class Method(Attack):\n    def run(self, evidence, *, generator):\n        raise OSError('no luck today')\n"
    write_submission(place / "submissions", "raises", code, ATTACK)
    write_protocol(place, "failing", attacks=[{"id": "raises"}])
    for arguments, code, text in [
        (["run", "failing", "--board", "board", "--workers", "1"], 1, "no luck today"),
        (["run", "nowhere"], 2, "veilbench: unknown protocol 'nowhere'"),
        (["verify", "nothing.json"], 2, "nothing.json"),
        (["store", "--prune", "lots"], 2, "write it like"),
    ]:
        process = start(*arguments)
        output, errors = process.communicate(timeout=60)
        assert process.returncode == code, (arguments, output, errors)
        assert text in output + errors
        assert "Traceback" not in errors


def test_a_rehearsal_meets_every_submission_on_one_sample_and_keeps_failures_to_itself(place: Path) -> None:
    write_submission(
        place / "submissions", "fail", LOOK.replace("return evidence.protected", "raise ValueError"), ATTACK
    )
    write_protocol(place, "rehearsed", attacks=[{"id": "fail"}, {"id": "look"}])
    tasks.initialise(runner.order("rehearsed").assignment)
    try:
        tasks.rehearse()
    finally:
        tasks.close()
    found = {kind: count for kind, (count, _) in Store(place / "store").sizes().items()}
    assert (found["protected"], found["attacked"]) == (1, 1)
    assert "templates" not in found  # recognisers are left to the originals
    report = runner.execute(runner.order("rehearsed"), workers=2, board=Path("board"))
    assert {record.attack.setting: record.status for record in report.records} == {"fail": "failed", "look": "ok"}
