"""Submissions that raise, lie, hang, flood, die or pry: each ends with its named status, and the caller goes on."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_submissions import ATTACK, made

from benchmark.digest import generator
from benchmark.errors import SubmissionFailedError, SubmissionTimeoutError
from benchmark.interfaces import Evidence
from benchmark.protocol_schema import Limits
from benchmark.sandbox import SubmissionProcess

SHAPE = (4, 4, 3)
SAMPLES = np.arange(3 * 48, dtype=np.uint8).reshape(3, *SHAPE)
KEYS = [bytes([number]) * 32 for number in range(3)]
QUICK = Limits(seconds_per_sample=0.2, memory_gib=1, seconds_to_start=20)

#: Behaves well for `recover`, whatever `protect` does: shows that the caller can go on.
METHOD = """
class Method(Protector):
    def protect(self, prepared, keys, *, generator):
        {body}
    def recover(self, protected, keys):
        return protected
"""


@contextmanager
def process(root: Path, body: str, limits: Limits = QUICK, **manifest: Any) -> Iterator[SubmissionProcess]:
    submission = made(root, "hostile", METHOD.format(body=body.replace("\n", "\n        ")), **manifest)
    with SubmissionProcess(submission, limits=limits, sample_shape=SHAPE, compiler_cache=root / "cache") as it:
        it.configure({})
        yield it


def protect(it: SubmissionProcess) -> Any:
    return it.protect(SAMPLES, KEYS, generator=generator("hostile"))


def goes_on(it: SubmissionProcess) -> bool:
    """The same object serves the next call, in a new process where the old one had to be ended."""
    return np.array_equal(it.recover(SAMPLES, KEYS).values, SAMPLES)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("raise ValueError('no such thing')", r"protect\(\) raised ValueError: no such thing \(method.py:\d+\)"),
        ("raise SystemExit(0)", r"raised SystemExit"),
        ("raise KeyboardInterrupt", r"raised KeyboardInterrupt"),
        ("return protect(1)", r"raised NameError"),
        ("return self.protect(prepared, keys, generator=generator)", r"raised RecursionError"),
        ("return None", r"returned nothing; images is expected"),
        ("return 'x'", r"returned a str"),
        ("return [1, None]", r"returned a list of NoneType, int"),
        ("return prepared[:2]", r"images of uint8 \(2, 4, 4, 3\); uint8 \(3, 4, 4, 3\) is expected"),
        ("return prepared[..., :1]", r"images of uint8 \(3, 4, 4, 1\)"),
        ("return prepared.astype(np.float32)", r"images of float32"),
        ("return list(prepared[:2]) + [None]", r"returned None for 1 of 3 samples"),
        ("return [prepared[0], prepared[1][:2], prepared[2]]", r"images of 2 shapes"),
        ("return np.array([{}, {}, {}], dtype=object)", r"an array of object, not of numbers"),
        ("return [b'x', b'y', b'z']", r"returned bytes; images is expected"),
        ("return {'x': prepared}", r"returned a dict"),
        ("return np.broadcast_to(np.uint8(1), (1 << 28,))", r"more than the \d+ allowed"),
    ],
)
def test_what_protect_may_not_do_fails_with_its_reason(tmp_path: Path, body: str, reason: str) -> None:
    with process(tmp_path, body) as it:
        with pytest.raises(SubmissionFailedError, match=reason) as caught:
            protect(it)
        assert caught.value.status == "failed"
        assert goes_on(it)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("return np.full((3, 5), np.nan, np.float32)", "NaN or infinity in 15 of 15 values"),
        ("return np.full((3, 5), np.inf, np.float32)", "NaN or infinity"),
        ("return np.zeros((3, 5))", "templates of float64"),
        ("return np.zeros((3, 0), np.float32)", "N x D is expected"),
        ("return np.zeros(3, np.float32)", "N x D is expected"),
    ],
)
def test_templates_have_to_be_finite_rows(tmp_path: Path, body: str, reason: str) -> None:
    with process(tmp_path, body, domain="template") as it, pytest.raises(SubmissionFailedError, match=reason):
        it.protect(np.zeros((3, 5), np.float32), KEYS, generator=generator("hostile"))


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("return [b'x', b'y']", "returned 2 codestreams for 3 samples"),
        ("return [b'x', b'', b'z']", "codestream 1 has 0 bytes"),
        ("return [b'x', b'y', bytes(1 << 20)]", "codestream 2 has 1048576 bytes"),
        ("return prepared", "a list of bytes is expected"),
    ],
)
def test_codestreams_have_to_be_as_many_and_of_sane_size(tmp_path: Path, body: str, reason: str) -> None:
    with process(tmp_path, body, domain="codestream") as it, pytest.raises(SubmissionFailedError, match=reason):
        protect(it)


@pytest.mark.parametrize("rows", ["[[5, 4, 0]]", "[[0, 2, 0]]", "[[0, 1, 2]]", "[[-1, 1, 1]]", "[[0, 1, -1]]"])
def test_ranges_lie_within_the_file(tmp_path: Path, rows: str) -> None:
    code = f"""
    class Method(Protector):
        def protect(self, prepared, keys, *, generator): return prepared
        def encrypted_ranges(self, protected): return np.array({rows})
    """
    with SubmissionProcess(made(tmp_path, "ranges", code), limits=QUICK, compiler_cache=tmp_path / "cache") as it:
        it.configure({})
        with pytest.raises(SubmissionFailedError, match="is no range of codestream 0"):
            it.encrypted_ranges([b"x"])


@pytest.mark.parametrize("body", ["time.sleep(60)", "while True: pass", "signal.pause()"])
def test_one_that_does_not_answer_is_stopped(tmp_path: Path, body: str) -> None:
    limits = Limits(seconds_per_sample=0.2, memory_gib=1, seconds_to_start=2)
    with process(tmp_path, body, limits) as it:
        start = time.monotonic()
        with pytest.raises(SubmissionTimeoutError, match=r"protect\(\) took longer than its limit of 2.6 s") as caught:
            protect(it)
        assert caught.value.status == "timeout"
        assert time.monotonic() - start < 6
        assert goes_on(it)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("os._exit(3)", r"during protect\(\) its process ended with exit code 3"),
        ("os.kill(os.getpid(), signal.SIGKILL)", "was killed by SIGKILL"),
        ("import ctypes; ctypes.string_at(0)", "was killed by SIGSEGV"),
        ("print('last words'); sys.stdout.flush(); os._exit(1)", "exit code 1; it printed last: last words"),
        ("os.close(int(sys.argv[2])); time.sleep(60)", "closed its result channel|took longer"),
        ("os.closerange(0, 64); os._exit(0)", "ended with exit code 0"),
    ],
)
def test_one_that_dies_is_started_anew(tmp_path: Path, body: str, reason: str) -> None:
    with process(tmp_path, body) as it:
        with pytest.raises(SubmissionFailedError, match=reason):
            protect(it)
        assert goes_on(it)


@pytest.mark.parametrize(
    "garbage",
    [
        "b'garbage' * 9",
        "bytes(8)",
        "(1 << 60).to_bytes(8, 'little')",
        "(3).to_bytes(8, 'little') + b'abc'",
    ],
)
@pytest.mark.parametrize("when", ["; return prepared", "; time.sleep(60)"])
def test_garbage_on_the_result_channel_ends_the_process(tmp_path: Path, garbage: str, when: str) -> None:
    with process(tmp_path, f"os.write(int(sys.argv[2]), {garbage}){when}") as it:
        with pytest.raises(SubmissionFailedError, match=r"on the result channel|more than the .* allowed"):
            protect(it)
        assert goes_on(it)


def test_a_reply_that_is_forged_ahead_of_its_request_is_refused(tmp_path: Path) -> None:
    body = """
from benchmark.npz import pack
answer = pack({'turn': 'guess', 'kind': 'array'}, {'result': prepared})
os.write(int(sys.argv[2]), len(answer).to_bytes(8, 'little') + answer)
time.sleep(60)"""
    with process(tmp_path, body) as it:
        with pytest.raises(SubmissionFailedError, match="a reply to another request"):
            protect(it)
        assert goes_on(it)


def test_what_it_prints_cannot_get_between(tmp_path: Path) -> None:
    flood = "sys.stdout.write('x' * (1 << 22)); sys.stderr.write('y' * (1 << 22)); os.write(1, b'z' * 99)"
    with process(tmp_path, f"{flood}; return prepared") as it:
        assert np.array_equal(protect(it), SAMPLES)


def test_memory_is_limited(tmp_path: Path) -> None:
    with process(tmp_path, "return np.ones(1 << 31, np.uint8)") as it:
        with pytest.raises(SubmissionFailedError, match="MemoryError"):
            protect(it)
        assert goes_on(it)


def test_files_are_limited(tmp_path: Path) -> None:
    body = "file = open('x', 'wb')\nfor _ in range(300): file.write(bytes(1 << 20))"
    with process(tmp_path, body, Limits(seconds_per_sample=5)) as it:
        with pytest.raises(SubmissionFailedError, match="OSError"):
            protect(it)
        assert goes_on(it)


def test_arguments_are_copies(tmp_path: Path) -> None:
    before = SAMPLES.copy()
    with process(tmp_path, "prepared[:] = 0; return prepared") as it:
        assert not protect(it).any()
    assert np.array_equal(SAMPLES, before)


def test_a_fork_cannot_answer_twice(tmp_path: Path) -> None:
    with process(tmp_path, "os.fork(); return prepared") as it:
        for _ in range(3):
            assert np.array_equal(protect(it), SAMPLES)
        assert goes_on(it)


def test_what_it_has_started_ends_with_it(tmp_path: Path) -> None:
    body = """
child = subprocess.Popen(['sleep', '300'])
number = np.array(list(child.pid.to_bytes(3, 'big')), np.uint8)
return np.zeros_like(prepared) + number"""
    with process(tmp_path, body) as it:
        pid = int.from_bytes(bytes(protect(it)[0, 0, 0].tolist()), "big")
        os.kill(pid, 0)
    deadline = time.monotonic() + 5
    while Path(f"/proc/{pid}").exists() and "Z" not in Path(f"/proc/{pid}/stat").read_text().split()[2]:
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("raise OSError('at import')", "the import raised OSError: at import"),
        ("x = (", "the import raised SyntaxError|not valid Python"),
        ("class Other: pass", "the import raised AttributeError"),
        ("class Method: pass", "the import raised TypeError: Method is not a subclass"),
        ("class Method(Protector): pass", "the constructor raised TypeError"),
        ("os._exit(1)", r"during open\(\) its process ended with exit code 1"),
    ],
)
def test_what_cannot_be_imported_or_made(tmp_path: Path, code: str, reason: str) -> None:
    with (
        SubmissionProcess(made(tmp_path, "x", code), limits=QUICK, compiler_cache=tmp_path / "c") as it,
        pytest.raises(SubmissionFailedError, match=reason),
    ):
        it.configure({})


def test_an_attack_may_leave_samples_out_but_not_change_their_number(tmp_path: Path) -> None:
    code = """
    class Method(Attack):
        def run(self, evidence, *, generator):
            images = list(evidence.protected)
            return [None] * len(images) if images[0][0, 0, 0] else [None, *images[1:]]
    """
    submission = made(tmp_path, "a", code, ATTACK)
    with SubmissionProcess(submission, limits=QUICK, sample_shape=SHAPE, compiler_cache=tmp_path / "c") as it:
        it.configure({})
        outcome = it.run(Evidence(SAMPLES), generator=generator("a"))
        assert outcome.failed.tolist() == [True, False, False]
        assert np.array_equal(outcome.values[1:], SAMPLES[1:])
        assert not outcome.values[0].any()
        nothing = it.run(Evidence(SAMPLES + 1), generator=generator("a"))
        assert nothing.failed.all()
        assert nothing.values.shape == SAMPLES.shape


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="Landlock is a part of Linux")
def test_files_network_and_other_processes_are_out_of_reach(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = tmp_path / "records" / "secret.txt"
    secret.parent.mkdir()
    secret.write_text("secret")
    monkeypatch.setenv("VEILBENCH_SECRET", "key")
    body = f"""
import socket
def reach(what):
    try:
        return bool(what()) or True
    except OSError:
        return False
tries = {{
    'read': lambda: open({str(secret)!r}).read(),
    'list': lambda: os.listdir({str(secret.parent)!r}),
    'write': lambda: open({str(tmp_path / "planted")!r}, 'w'),
    'plant': lambda: open(os.path.join(os.path.dirname(np.__file__), 'planted'), 'w'),
    'shadow': lambda: open('/etc/passwd').read(),
    'environment': lambda: open(f'/proc/{{os.getppid()}}/environ').read(),
    'memory': lambda: open(f'/proc/{{os.getppid()}}/mem', 'rb'),
    'signal': lambda: os.kill(os.getppid(), 0),
    'network': lambda: socket.create_connection(('127.0.0.1', {_listening()}), 1),
}}
reached = [name for name, what in tries.items() if reach(what)]
reached += [name for name in os.environ if 'VEILBENCH' in name]
open('own.txt', 'w').write('its own folder is open')
raise ValueError(' '.join(reached) or 'nothing reached')"""
    with process(tmp_path, body) as it:
        if not any(guard.startswith("landlock") for guard in it.guards):
            pytest.skip("this kernel has no Landlock")
        with pytest.raises(SubmissionFailedError, match="ValueError: nothing reached"):
            protect(it)
    assert not (tmp_path / "planted").exists()


def _listening() -> int:
    """A port on which something really answers, for as long as the tests run."""
    import socket

    server = socket.create_server(("127.0.0.1", 0))
    _SERVERS.append(server)
    return int(server.getsockname()[1])


_SERVERS: list[Any] = []
