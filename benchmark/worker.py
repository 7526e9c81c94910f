"""The process that imports a submission, and the only code that does: `python -m benchmark.worker REQUESTS REPLIES`.

It reads requests from one pipe and answers on another (frames: 8 bytes of length, then an npz as `benchmark.npz`
writes it); `benchmark.sandbox` is the other end. What the submission prints goes elsewhere and cannot get between.
"""

from __future__ import annotations

import importlib.util
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from benchmark.confinement import confine, limit_resources
from benchmark.interfaces import Attack, Evidence, Protector, TrainingPairs
from benchmark.npz import Arrays, FrameError, decode_batch, encode_batch, pack, unpack
from benchmark.template_protector import compare_rows

#: {call: the arguments that arrive as samples, templates or codestreams}, in the order of the contract.
BATCHES = {
    "prepare": ("samples",),
    "protect": ("prepared",),
    "recover": ("protected",),
    "render": ("protected",),
    "encrypted_ranges": ("protected",),
    "compare": ("a", "b"),
    "compare_all": ("a", "b"),
    "embed": ("samples",),
}


def main() -> None:
    """Serve requests until the other end closes."""
    requests = os.fdopen(int(sys.argv[1]), "rb")
    replies = os.fdopen(int(sys.argv[2]), "wb")
    own = os.getpid()
    host = _Host()
    while frame := _read(requests):
        header, arrays = unpack(frame)
        reply, results = host.answer(header, arrays)
        if os.getpid() != own:
            os._exit(1)  # a forked copy of this process: only the original answers
        try:
            answer = pack({**reply, "turn": header["turn"]}, results)
        except FrameError as error:
            reason = f"{header['call']}() returned what cannot pass: {error}"
            answer = pack({"turn": header["turn"], "error": reason}, {})
        replies.write(len(answer).to_bytes(8, "little") + answer)
        replies.flush()
    os._exit(0)  # threads that the submission has left behind do not keep the process


def _read(requests: BinaryIO) -> bytearray | None:
    head = requests.read(8)
    if len(head) < 8:
        return None
    frame = bytearray(int.from_bytes(head, "little"))  # a bytearray makes the arrays writable
    return frame if requests.readinto(frame) == len(frame) else None  # type: ignore[attr-defined]  # BufferedReader has it


class _Host:
    """The submission's class, the instance in use, and what is asked of it."""

    def __init__(self) -> None:
        self.cls: type | None = None
        self.instance: Any = None

    def answer(self, header: Mapping[str, Any], arrays: Arrays) -> tuple[dict[str, Any], Arrays]:
        """Perform one request; whatever the submission raises becomes the reply's `error`."""
        watched = {name: array.copy() for name, array in arrays.items()} if header.get("watch") else {}
        wall, cpu = time.perf_counter(), time.process_time()
        try:
            kind, results = self.perform(header, arrays)
        except BaseException as error:  # SystemExit too: the harness has to learn of it
            traceback.print_exc()
            return {"error": _described(header["call"], error)}, {}
        reply = {"kind": kind, "wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}
        changed = [name for name, array in watched.items() if not np.array_equal(array, arrays[name], equal_nan=True)]
        return {**reply, "changed": changed, **results[0]}, results[1]

    def perform(self, header: Mapping[str, Any], arrays: Arrays) -> tuple[str, tuple[dict[str, Any], Arrays]]:
        """Call what the request names and sort what comes back."""
        call = header["call"]
        if call == "confine":
            return "none", ({"guards": _confine(header)}, {})
        if call == "open":
            self.open(header)
            return "none", ({}, {})
        if call == "configure":
            self.instance = None  # the old one is of no use where the new parameters do not fit
            self.instance = self.cls(**header["parameters"]) if self.cls else None
            return "none", ({}, {})
        arguments: list[Any] = [decode_batch(arrays, name) for name in BATCHES.get(call, ())]
        if call in ("protect", "recover"):
            arguments.append(_keys(arrays))
        elif call == "run":
            arguments.append(_evidence(header, arrays))
        elif call == "fit":
            training = TrainingPairs(arrays["originals"], _evidence(header, arrays), arrays.get("identities"))
            arguments.append(training)
        elif call == "restore":
            arguments.append({name: arrays[f"learned.{place}"] for place, name in enumerate(header["names"])})
        named: dict[str, Any] = {"generator": _generator(header["generator"])} if header.get("generator") else {}
        if call == "embed" and header["algorithm"] is not None:
            sent = any(name.startswith("prepared") for name in arrays)
            named |= {
                "algorithm": header["algorithm"],
                "prepared": decode_batch(arrays, "prepared") if sent else None,
            }
        return _sorted(call, self.method(call)(*arguments, **named))

    def method(self, call: str) -> Callable[..., Any]:
        """What answers a call; where a protector compares pairs alone, all against all is done row by row."""
        if call == "compare_all" and not hasattr(self.instance, call):
            return partial(compare_rows, self.instance.compare)
        method: Callable[..., Any] = getattr(self.instance, call)
        return method

    def open(self, header: Mapping[str, Any]) -> None:
        """Import the submission's class; this process has been confined before."""
        folder = Path(header["folder"])
        file, _, name = header["entry"].partition(":")
        sys.path.append(str(folder))  # its own other modules; last, so that it shadows nothing
        spec = importlib.util.spec_from_file_location("veilbench_submission", folder / file)
        if spec is None or spec.loader is None:
            raise ImportError(f"{file} cannot be imported")
        module = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = module
        spec.loader.exec_module(module)
        self.cls = getattr(module, name)
        contract = {"protector": Protector, "attack": Attack}[header["kind"]]
        if not (isinstance(self.cls, type) and issubclass(self.cls, contract)):
            raise TypeError(f"{name} is not a subclass of benchmark.interfaces.{contract.__name__}")


def _confine(header: Mapping[str, Any]) -> list[str]:
    guards = limit_resources(memory=header["memory"], file_size=header["file_size"])
    guards += confine(read=header["read"], write=header["write"], devices=header["devices"])
    threading.Thread(target=_leave_with_parent, args=(os.getppid(),), daemon=True).start()
    return guards


def _leave_with_parent(parent: int) -> None:
    """End this process when the harness has gone, whatever the submission is doing."""
    while os.getppid() == parent:
        time.sleep(1.0)
    os._exit(1)


def _keys(arrays: Arrays) -> list[bytes]:
    return [row.tobytes() for row in arrays["keys"]]


def _evidence(header: Mapping[str, Any], arrays: Arrays) -> Evidence:
    keys = _keys(arrays) if "keys" in arrays else None
    return Evidence(decode_batch(arrays, "protected"), arrays.get("windows"), keys, header.get("algorithm"))


def _generator(state: Any) -> np.random.Generator:
    bits = np.random.PCG64()
    bits.state = state
    return np.random.Generator(bits)


def _sorted(call: str, value: Any) -> tuple[str, tuple[dict[str, Any], Arrays]]:
    """What a submission returned, by its form; raises TypeError for what no contract knows."""
    if value is None:
        return "none", ({}, {})
    if isinstance(value, np.ndarray):
        return "array", ({}, {"result": value})
    if isinstance(value, dict):
        names = [str(name) for name in value]
        return "named", ({"names": names}, {f"learned.{place}": array for place, array in enumerate(value.values())})
    if isinstance(value, (list, tuple)) and value and all(isinstance(item, bytes) for item in value):
        return "bytes", ({}, encode_batch(list(value), "result"))
    if isinstance(value, (list, tuple)) and all(item is None or isinstance(item, np.ndarray) for item in value):
        return "images", ({}, _stacked(call, value))
    kind = type(value).__name__
    if isinstance(value, (list, tuple)):
        kind += f" of {', '.join(sorted({type(item).__name__ for item in value}))}"
    raise TypeError(f"{call}() returned a {kind}; arrays, or lists of bytes or images are expected")


def _stacked(call: str, items: list[Any] | tuple[Any, ...]) -> Arrays:
    """A list of images with None where there is none, as one array and a mask."""
    failed = np.array([item is None for item in items], bool)
    present = [item for item in items if item is not None]
    forms = {(item.shape, item.dtype.str) for item in present}
    if len(forms) > 1:
        raise TypeError(f"{call}() returned images of {len(forms)} shapes or types; one is expected")
    if not present:
        return {"failed": failed}
    stacked = np.zeros((len(items), *present[0].shape), present[0].dtype)
    stacked[~failed] = present
    return {"failed": failed, "result": stacked}


def _described(call: str, error: BaseException) -> str:
    """`protect() raised ValueError: ... (method.py:12)`."""
    frames = traceback.extract_tb(error.__traceback__)
    inside = [frame for frame in frames if Path(frame.filename).parent != Path(__file__).parent]
    where = f" ({Path(inside[-1].filename).name}:{inside[-1].lineno})" if inside else ""
    text = " ".join(str(error).split())[:400]
    what = {"open": "the import", "configure": "the constructor"}.get(call, f"{call}()")
    return f"{what} raised {type(error).__name__}: {text}{where}"


if __name__ == "__main__":
    main()
