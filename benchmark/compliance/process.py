"""Decoders in a process of their own: a stream that crashes one, or keeps it busy, is a failure and no more.

Run as `python -m benchmark.compliance.process`, this is that process: each request is a line `FORMAT DECODER LENGTH`
and the stream; each answer is a line, `ok HEIGHT WIDTH` or `failed REASON`.
"""

from __future__ import annotations

import os
import selectors
import subprocess
import sys
from types import TracebackType
from typing import BinaryIO, NamedTuple

from benchmark.compliance.decoders import DECODERS, Format, installed
from benchmark.confinement import confine, limit_resources
from benchmark.locations import PACKAGE

#: Seconds for one stream; a face sample takes milliseconds.
SECONDS = 10.0
_MEMORY = 2 << 30
_ONE_THREAD = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL", "NUMBA")}


class Answer(NamedTuple):
    """What a decoder made of one stream: height and width, or why there is no picture."""

    shape: tuple[int, int] | None
    reason: str = ""
    #: Whether the decoder ended or outstayed its process.
    died: bool = False


class DecodingProcess:
    """Asks decoders in a process that is started when it is needed, and anew where it has ended."""

    def __init__(self, *, seconds: float = SECONDS) -> None:
        self._seconds = seconds
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> DecodingProcess:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def decode(self, kind: Format, decoder: str, stream: bytes) -> Answer:
        """Let one decoder decode one stream."""
        process = self._started()
        assert process.stdin is not None
        try:
            process.stdin.write(f"{kind} {decoder} {len(stream)}\n".encode() + stream)
            process.stdin.flush()
            line = self._line(process)
        except (BrokenPipeError, EOFError, TimeoutError) as error:
            reason = f"took longer than {self._seconds:g} s" if isinstance(error, TimeoutError) else "crashed"
            self.close()
            return Answer(None, reason, died=True)
        word, _, rest = line.partition(" ")
        if word != "ok":
            return Answer(None, rest)
        height, width = rest.split()
        return Answer((int(height), int(width)))

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", __name__],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={**os.environ, **_ONE_THREAD, "PYTHONPATH": str(PACKAGE.parent)},
            )
            assert self._process.stdout is not None
            if self._process.stdout.readline() != b"ready\n":  # not within the limit: the first start compiles
                self.close()
                raise RuntimeError("the process of the decoders does not start")
        return self._process

    def _line(self, process: subprocess.Popen[bytes]) -> str:
        """One line of answer; raises TimeoutError or EOFError where there is none."""
        assert process.stdout is not None
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            if not selector.select(self._seconds):
                raise TimeoutError
        line = process.stdout.readline()
        if not line.endswith(b"\n"):
            raise EOFError
        return line.decode("utf-8", "replace").rstrip("\n")

    def close(self) -> None:
        """End the process; a stream that comes later starts another."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer requests until they end."""
    answers.write(b"ready\n")
    answers.flush()
    for line in iter(requests.readline, b""):
        kind, decoder, length = line.decode().split()
        stream = requests.read(int(length))
        try:
            height, width = DECODERS[kind][decoder](stream)  # type: ignore[index]  # a line that we wrote ourselves
            answer = f"ok {height} {width}"
        except Exception as error:  # whatever a decoder raises is its verdict
            answer = "failed " + " ".join(f"{type(error).__name__}: {error}".split())[:300]
        answers.write(answer.encode() + b"\n")
        answers.flush()


def main() -> None:
    """Keep the pipe to ourselves, give up what decoders do not need, and serve."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what libraries print is no answer
    for kind in DECODERS:
        installed(kind)  # loads their libraries while files may still be read and written
    limit_resources(memory=_MEMORY, file_size=0)
    confine(read=[PACKAGE], write=[])
    serve(sys.stdin.buffer, answers)


if __name__ == "__main__":
    main()
