"""The first use of compiled code says that it compiles, where that takes long; once."""

from __future__ import annotations

import time

import pytest

from benchmark import compiling


class Function:
    """Stands for a compiled function: known signatures, or none yet."""

    def __init__(self, *signatures: str) -> None:
        self.signatures = signatures


@pytest.mark.parametrize(
    ("patience", "functions", "lines"),
    [
        (0.02, [Function("known"), Function()], ["compiling the press, once; the next start finds it compiled"]),
        (5.0, [Function()], []),
        (0.02, [Function("known")], []),
    ],
)
def test_one_line_where_it_takes_long(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    patience: float,
    functions: list[Function],
    lines: list[str],
) -> None:
    monkeypatch.setattr(compiling, "PATIENCE", patience)
    monkeypatch.setattr(compiling, "_said", set())
    for _ in range(2):
        with compiling.compiling("press", functions), compiling.compiling("press", functions):
            time.sleep(0.1)
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.splitlines() == lines
