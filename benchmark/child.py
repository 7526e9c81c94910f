"""The harness's end of a submission's process: starting it, one exchange at a time within a limit, ending it.

Everything that comes back is taken for hostile: lengths are bounded, replies carry the number of their request, and
what does not fit ends the process.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import selectors
import signal
import site
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmark.errors import SubmissionFailedError, SubmissionTimeoutError
from benchmark.locations import PACKAGE
from benchmark.npz import Arrays, FrameError, pack, unpack

#: How often a silent process is looked at, in seconds.
_GLANCE = 0.2
#: Bytes of printed text that are kept.
_LOG = 4096


class Child:
    """A running `benchmark.worker`; raises SubmissionFailedError for everything that goes wrong with it."""

    def __init__(self, *, compiler_cache: Path) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="veilbench-", ignore_cleanup_errors=True)
        self.folder = Path(self._folder.name)
        self._log = b""
        requests, self._requests = os.pipe()
        self._replies, replies = os.pipe()
        self._printed, printed = os.pipe()
        try:
            self._process = subprocess.Popen(
                # -P: the folder it starts in is no place to import from.
                [sys.executable, "-P", "-m", "benchmark.worker", str(requests), str(replies)],
                pass_fds=(requests, replies),
                stdin=subprocess.DEVNULL,
                stdout=printed,
                stderr=printed,
                cwd=self.folder,
                env=_environment(self.folder, compiler_cache),
                start_new_session=True,  # a group of its own, which ends as one
            )
        finally:
            for descriptor in (requests, replies, printed):
                os.close(descriptor)
        for descriptor in (self._requests, self._replies, self._printed):
            os.set_blocking(descriptor, False)
        for descriptor in (self._requests, self._replies):
            _widen(descriptor)

    def ask(
        self, header: Mapping[str, Any], arrays: Arrays, *, seconds: float, most: int
    ) -> tuple[dict[str, Any], Arrays]:
        """Send a request, wait at most `seconds` for its reply of at most `most` bytes.

        Raises SubmissionFailedError with the submission's own error (the process goes on), or after ending the
        process: where it died, answered out of turn or too much; SubmissionTimeoutError where it took too long.
        """
        turn = secrets.token_hex(8)
        request = pack({**header, "turn": turn}, arrays)
        call = f"{header['call']}()"
        try:
            data = self._exchange(len(request).to_bytes(8, "little") + request, call, time.monotonic() + seconds, most)
            reply, results = unpack(data)
            if reply.get("turn") != turn:
                raise FrameError("a reply to another request")
        except FrameError as error:
            self.end()
            raise SubmissionFailedError(f"{call} put something else on the result channel: {error}") from None
        except SubmissionTimeoutError:
            self.end()
            raise SubmissionTimeoutError(f"{call} took longer than its limit of {seconds:g} s") from None
        except BaseException:  # an interrupt too: a half-read reply leaves the process of no use
            self.end()
            raise
        if "error" in reply:
            raise SubmissionFailedError(str(reply["error"])[:1000])
        return reply, results

    @property
    def running(self) -> bool:
        """Whether it can be asked again."""
        return self._process.poll() is None

    def end(self) -> None:
        """End the process and its group, close the pipes, delete its folder; harmless when repeated."""
        if self._requests < 0:
            return
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            self._process.kill()
        self._process.wait()
        for descriptor in (self._requests, self._replies, self._printed):
            os.close(descriptor)
        self._requests = -1
        self._folder.cleanup()

    def _exchange(self, request: bytes, call: str, deadline: float, most: int) -> bytearray:
        """Write the request, read the reply and drain what is printed, all at once: no side waits for the other."""
        left, reply, size = memoryview(request), bytearray(), -1
        with selectors.DefaultSelector() as selector:
            selector.register(self._printed, selectors.EVENT_READ)
            selector.register(self._replies, selectors.EVENT_READ)
            selector.register(self._requests, selectors.EVENT_WRITE)
            while size < 0 or len(reply) < 8 + size:
                events = selector.select(min(_GLANCE, max(0.0, deadline - time.monotonic())))
                for key, _ in events:
                    if key.fd == self._requests:
                        left = left[self._send(left, call) :]
                        if not left:
                            selector.unregister(self._requests)
                    elif key.fd == self._printed:
                        if not self._drain():
                            selector.unregister(self._printed)
                    else:
                        reply += self._receive(call)
                if size < 0 and len(reply) >= 8:
                    size = int.from_bytes(reply[:8], "little")
                    if size > most:
                        raise SubmissionFailedError(f"{call} returned {size} bytes, more than the {most} allowed")
                if not events and self._process.poll() is not None:
                    raise SubmissionFailedError(self._death(call))
                if time.monotonic() > deadline:
                    raise SubmissionTimeoutError(call)
        if left or len(reply) != 8 + size:
            raise FrameError("bytes before the request was read, or after the reply")
        return reply[8:]

    def _send(self, data: memoryview, call: str) -> int:
        try:
            return os.write(self._requests, data[: 1 << 20])
        except BlockingIOError:
            return 0
        except BrokenPipeError:
            raise SubmissionFailedError(self._death(call)) from None

    def _receive(self, call: str) -> bytes:
        try:
            data = os.read(self._replies, 1 << 20)
        except BlockingIOError:
            return b""
        if not data:
            raise SubmissionFailedError(self._death(call))
        return data

    def _drain(self) -> bool:
        """Keep the end of what was printed; False where nothing more can come."""
        try:
            data = os.read(self._printed, 1 << 16)
        except BlockingIOError:
            return True
        self._log = (self._log + data)[-_LOG:]
        return bool(data)

    def _death(self, call: str) -> str:
        """How it ended, with the last lines that it printed."""
        try:
            code: int | None = self._process.wait(timeout=1)
        except subprocess.TimeoutExpired:
            code = None  # it closed its pipes and went on
        while self._log_waits():
            pass
        how = "closed its result channel" if code is None else f"ended with exit code {code}"
        if code is not None and code < 0:
            how = f"was killed by {signal.Signals(-code).name}"
        lines = [line.strip() for line in self._log.decode("utf-8", "replace").splitlines() if line.strip()]
        said = f"; it printed last: {' | '.join(lines[-3:])[:300]}" if lines else ""
        return f"during {call} its process {how}{said}"

    def _log_waits(self) -> bool:
        before = self._log
        return self._drain() and self._log != before


def _widen(descriptor: int) -> None:
    """Let a pipe hold 1 MiB where the system can (Linux): fewer turns for a batch of images."""
    if hasattr(fcntl, "F_SETPIPE_SZ"):
        with contextlib.suppress(OSError):  # the user's pipes may hold too much already
            fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, 1 << 20)


def _environment(folder: Path, compiler_cache: Path) -> dict[str, str]:
    """Nothing of the user's environment but where programs are; one thread for every library."""
    single = ("OMP", "OPENBLAS", "MKL", "NUMBA", "NUMEXPR")
    variables = {
        "PATH": os.environ.get("PATH", os.defpath),
        "LANG": "C.UTF-8",
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "PYTHONPATH": str(PACKAGE.parent),
        "PYTHONHASHSEED": "0",  # the order of sets is part of being deterministic
        "PYTHONDONTWRITEBYTECODE": "1",
        "NUMBA_CACHE_DIR": str(compiler_cache),
        **{f"{name}_NUM_THREADS": "1" for name in single},
    }
    if site.ENABLE_USER_SITE:
        variables["PYTHONUSERBASE"] = site.getuserbase()  # HOME is another now
    return variables
