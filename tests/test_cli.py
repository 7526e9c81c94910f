"""How the command ends: its exit codes, one line for whoever uses it, a traceback only under --debug."""

from __future__ import annotations

import pytest
from click.testing import CliRunner, Result

from benchmark import listing
from benchmark.cli import main
from benchmark.errors import InvalidInputError, SubmissionFailedError, SubmissionTimeoutError


def ending(monkeypatch: pytest.MonkeyPatch, error: BaseException, *options: str) -> Result:
    """What `veilbench list protocols` shows and returns when `error` is raised inside."""

    def fail(what: str) -> str:
        raise error

    monkeypatch.setattr(listing, "listing", fail)
    return CliRunner().invoke(main, [*options, "list", "protocols"])


FAULTS = [
    (InvalidInputError("x.yaml: no such key; remove it"), 2, "veilbench: x.yaml: no such key; remove it\n"),
    (PermissionError(13, "Permission denied", "/x/y"), 2, "veilbench: /x/y: Permission denied\n"),
    (OSError(28, "No space left on device"), 2, "veilbench: output: No space left on device\n"),
    (SubmissionTimeoutError("run() took too long"), 1, "veilbench: a submission timed out: run() took too long\n"),
    (SubmissionFailedError("run() raised"), 1, "veilbench: a submission failed: run() raised\n"),
    (
        ValueError("min() arg is an empty sequence"),
        1,
        "veilbench: internal error: ValueError: min() arg is an empty sequence; "
        "this is a bug: report it with what `veilbench --debug ...` shows\n",
    ),
]


@pytest.mark.parametrize(("error", "code", "line"), FAULTS)
def test_an_error_is_one_line_and_a_traceback_only_under_debug(
    monkeypatch: pytest.MonkeyPatch, error: Exception, code: int, line: str
) -> None:
    plain, debug = ending(monkeypatch, error), ending(monkeypatch, error, "--debug")
    assert (plain.exit_code, plain.output) == (code, line)
    assert debug.exit_code == code
    assert "Traceback" in debug.output
    assert debug.output.endswith(line)


def test_interruption_is_not_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    result = ending(monkeypatch, KeyboardInterrupt())
    assert result.exit_code == 130
    assert "run again to continue" in result.output


@pytest.mark.parametrize(
    "arguments",
    [["run"], ["nonsense"], ["run", "demo", "--workers", "0"], ["list", "all"], ["show", "demo", "--samples", "x"]],
)
def test_wrong_usage_is_2_and_says_where_help_is(arguments: list[str]) -> None:
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 2
    assert "--help" in result.output
