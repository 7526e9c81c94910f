"""Says that the first use of compiled code takes long, since it is compiled then."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

#: Seconds. Loading what was compiled before takes less, compiling anew up to half a minute.
PATIENCE = 2.0
_said: set[str] = set()


@contextmanager
def compiling(what: str, functions: Sequence[Any]) -> Iterator[None]:
    """Around the use of compiled `functions`: says on stderr, once a process, if one has to be compiled for long.

    >>> with compiling("nothing", []):
    ...     pass
    """
    if all(function.signatures for function in functions):
        yield
        return
    timer = threading.Timer(PATIENCE, _say, [what])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _say(what: str) -> None:
    if what not in _said:
        _said.add(what)
        print(f"compiling the {what}, once; the next start finds it compiled", file=sys.stderr, flush=True)
