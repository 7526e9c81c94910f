"""What can go wrong through a user's input, said in one line that tells how to mend it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class InvalidInputError(Exception):
    """Wrong usage or invalid input: the command prints its one line and ends with exit code 2.

    The message says what is wrong, where, and what to do.
    """


class CodestreamError(InvalidInputError):
    """A codestream is truncated, malformed, or uses something that is not supported (named in the message)."""


class SubmissionFailedError(Exception):
    """A submission raised, returned what its contract does not allow, or died; `reason` goes into the record."""

    status = "failed"

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class SubmissionTimeoutError(SubmissionFailedError):
    """A submission did not answer within its limit and was stopped."""

    status = "timeout"


def unknown(kind: str, name: str, known: Iterable[str]) -> InvalidInputError:
    """The error for an id that nobody knows, with the nearest known one.

    >>> print(unknown("protector", "jpg2000-window", ["identity", "jpeg2000-window"]))
    unknown protector 'jpg2000-window'; did you mean 'jpeg2000-window'?
    """
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(names) or 'none'}"
    return InvalidInputError(f"unknown {kind} {name!r}; {hint}")
