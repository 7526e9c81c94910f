"""Weights: where they are looked for, and that nothing but the pinned content is ever used."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from safetensors.numpy import save

from benchmark.errors import InvalidInputError
from benchmark.recognisers import load_recogniser
from benchmark.recognisers.weights import (
    Hub,
    find_weights,
    known_weights,
    network_shapes,
    read_weights,
    weights_of,
    weights_status,
)

COMMIT = "0123456789abcdef0123456789abcdef01234567"
CONTENT = save({"a": np.arange(6, dtype=np.float32).reshape(2, 3)})
SHA256 = hashlib.sha256(CONTENT).hexdigest()
WEIGHTS = replace(weights_of("mobilefacenet-ms1m"), file="small.safetensors", sha256=SHA256, hub=None)


def _put(folder: Path, content: bytes = CONTENT) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / WEIGHTS.file
    path.write_bytes(content)
    return path


def test_every_entry_says_where_it_comes_from() -> None:
    for name, weights in known_weights().items():
        assert weights.id == name
        assert weights.file.endswith(".safetensors")
        assert len(weights.sha256) == 64
        assert weights.source
        assert weights.licence
        assert network_shapes(weights.network)
        first, end = weights.input.columns
        assert 0 <= first < end <= 112


def test_data_folder_comes_before_the_cache(tmp_path: Path) -> None:
    data, cache = tmp_path / "data", tmp_path / "cache"
    in_cache = _put(cache)
    assert find_weights(WEIGHTS, data=data, cache=cache) == in_cache
    in_data = _put(data / "weights")
    assert find_weights(WEIGHTS, data=data, cache=cache) == in_data
    assert find_weights(WEIGHTS, data=None, cache=cache) == in_cache


def test_missing_weights_say_where_to_put_them(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError) as caught:
        find_weights(WEIGHTS, data=tmp_path / "data", cache=tmp_path / "cache")
    message = str(caught.value)
    assert str(tmp_path / "data" / "weights") in message
    assert str(tmp_path / "cache") in message
    assert SHA256 in message
    assert "\n" not in message


def test_reading_gives_the_tensors(tmp_path: Path) -> None:
    tensors = read_weights(_put(tmp_path), sha256=SHA256, shapes={"a": (2, 3)})
    assert tensors["a"].tolist() == [[0, 1, 2], [3, 4, 5]]


def test_another_digest_is_refused(tmp_path: Path) -> None:
    path = _put(tmp_path, CONTENT[:-1] + b"\x01")
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    with pytest.raises(InvalidInputError) as caught:
        read_weights(path, sha256=SHA256, shapes={"a": (2, 3)})
    assert all(part in str(caught.value) for part in (str(path), found, SHA256))


@pytest.mark.parametrize(
    ("expected", "words"),
    [
        ({"b": (1,)}, "b is missing"),
        ({"a": (3, 2)}, r"a float32 \(2, 3\) instead of float32 \(3, 2\)"),
        ({str(number): (1,) for number in range(9)}, "and 6 more"),
    ],
)
def test_tensors_that_do_not_fit_are_named(tmp_path: Path, expected: dict[str, tuple[int, ...]], words: str) -> None:
    with pytest.raises(InvalidInputError, match=words):
        read_weights(_put(tmp_path), sha256=SHA256, shapes=expected)


def test_other_number_types_are_refused(tmp_path: Path) -> None:
    content = save({"a": np.zeros(3, np.float16)})
    with pytest.raises(InvalidInputError, match="float16"):
        read_weights(_put(tmp_path, content), sha256=hashlib.sha256(content).hexdigest(), shapes={"a": (3,)})


def test_half_precision_is_widened_where_it_is_allowed(tmp_path: Path) -> None:
    content = save({"a": np.array([0.1, 2], np.float16)})
    path = _put(tmp_path, content)
    tensors = read_weights(path, sha256=hashlib.sha256(content).hexdigest(), shapes={"a": (2,)}, half=True)
    assert tensors["a"].dtype == np.float32
    assert tensors["a"].tolist() == [float(np.float16(0.1)), 2]


@pytest.mark.parametrize("content", [b"", b"not safetensors at all", CONTENT[:20], b"\x80\x04."])
def test_files_that_are_not_safetensors_are_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(InvalidInputError, match="not a safetensors file"):
        read_weights(_put(tmp_path, content), sha256=hashlib.sha256(content).hexdigest(), shapes={"a": (2, 3)})


def test_loading_refuses_a_file_with_another_digest(tmp_path: Path) -> None:
    weights = weights_of("mobilefacenet-ms1m")
    folder = tmp_path / "weights"
    folder.mkdir()
    (folder / weights.file).write_bytes(CONTENT)
    with pytest.raises(InvalidInputError, match=f"expected {weights.sha256}"):
        load_recogniser("mobilefacenet-ms1m", data=tmp_path)


def test_status_tells_missing_from_damaged(tmp_path: Path) -> None:
    weights = weights_of("mobilefacenet-ms1m")
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / weights.file).write_bytes(CONTENT)
    lines = {line.split(": ")[0]: line for line in weights_status(tmp_path, cache=tmp_path / "none")}
    assert "another SHA-256" in lines["weights of mobilefacenet-ms1m"]
    assert "missing" in lines["weights of mobilefacenet-casia"]


class _HubHandler(BaseHTTPRequestHandler):
    """One file under the addresses of the Hugging Face hub."""

    asked: ClassVar[list[str]] = []

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def _answer(self, *, body: bool) -> None:
        self.asked.append(self.path)
        if self.path != f"/people/faces/resolve/{COMMIT}/{WEIGHTS.file}":
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(CONTENT)))
        self.send_header("ETag", f'"{SHA256}"')
        self.send_header("X-Repo-Commit", COMMIT)
        self.end_headers()
        if body:
            self.wfile.write(CONTENT)

    def log_message(self, format: str, *args: object) -> None:
        """Tests stay quiet."""


@pytest.fixture
def hub_address() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _HubHandler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def _download(address: str, cache: Path, revision: str) -> str:
    """Where a fresh process finds the file, or the error that it ends with (the hub's address is read at import)."""
    program = f"""
import sys
from dataclasses import replace
from pathlib import Path
from benchmark.errors import InvalidInputError
from benchmark.recognisers.weights import Hub, find_weights, weights_of
hub = Hub("people/faces", {json.dumps(revision)})
weights = replace(weights_of("mobilefacenet-ms1m"), file={json.dumps(WEIGHTS.file)}, hub=hub)
try:
    print(find_weights(weights, data=None, cache=Path({json.dumps(str(cache))})))
except InvalidInputError as error:
    print("error:", error)
"""
    environment = {
        "HF_ENDPOINT": address,
        "HF_HOME": str(cache / "home"),
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "HF_HUB_DISABLE_XET": "1",
        "NO_PROXY": "127.0.0.1",
        "PYTHONPATH": str(Path(__file__).resolve().parents[2]),
    }
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, timeout=120, check=True
    )
    return done.stdout.strip()


def test_weights_come_from_the_hub_once(hub_address: str, tmp_path: Path) -> None:
    path = Path(_download(hub_address, tmp_path, COMMIT))
    assert path.read_bytes() == CONTENT
    asked = len(_HubHandler.asked)
    assert asked > 0
    assert _download(hub_address, tmp_path, COMMIT) == str(path)
    assert len(_HubHandler.asked) == asked  # the second time nobody was asked
    hub = replace(WEIGHTS, hub=Hub("people/faces", COMMIT))
    assert find_weights(hub, data=None, cache=tmp_path) == path  # from the cache now: this process knows no server


def test_what_the_hub_does_not_have_is_one_line(hub_address: str, tmp_path: Path) -> None:
    message = _download(hub_address, tmp_path, "f" * 40)
    assert message.startswith("error: mobilefacenet-ms1m: cannot download small.safetensors from people/faces")
    assert "\n" not in message
    assert str(tmp_path) in message
