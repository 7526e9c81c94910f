"""The registry: ids, digests, errors, and that asking costs little."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from benchmark.errors import InvalidInputError
from benchmark.recognisers import load_recogniser, recogniser_digest, recogniser_ids


def test_digests_tell_recognisers_and_devices_apart() -> None:
    digests = [recogniser_digest(id) for id in recogniser_ids()] + [
        recogniser_digest("mobilefacenet-ms1m", device="cuda")
    ]
    assert len(set(digests)) == len(digests)
    assert all(len(digest) == 64 for digest in digests)


def test_digest_is_that_of_the_loaded_recogniser() -> None:
    assert load_recogniser("lbp").digest == recogniser_digest("lbp")


@pytest.mark.data
def test_weights_are_named_by_their_digest(data_root: Path) -> None:
    recogniser = load_recogniser("mobilefacenet-casia", data=data_root)
    assert recogniser.digest == recogniser_digest("mobilefacenet-casia")
    assert dict(recogniser.weights) == {
        "mobilefacenet_casia_112x96.safetensors": "b1b439719b614b31dc97371e905a1ac2a9550e0b7c5758f4fdbbb8a3c5ac835d"
    }


def test_digest_names_the_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    before = recogniser_digest.__wrapped__("mobilefacenet-ms1m"), recogniser_digest.__wrapped__("lbp")
    monkeypatch.setattr("importlib.metadata.version", lambda name: "0.0")
    after = recogniser_digest.__wrapped__("mobilefacenet-ms1m"), recogniser_digest.__wrapped__("lbp")
    assert before[0] != after[0]
    assert before[1] == after[1]


@pytest.mark.parametrize("ask", [load_recogniser, recogniser_digest])
def test_unknown_ids_get_the_nearest_one(ask: object) -> None:
    with pytest.raises(InvalidInputError, match="did you mean 'mobilefacenet-ms1m'"):
        ask("mobilefacenet-ms1")  # type: ignore[operator]  # both take an id


def test_unknown_devices_are_refused() -> None:
    with pytest.raises(InvalidInputError, match="'tpu'"):
        load_recogniser("lbp", device="tpu")  # type: ignore[arg-type]  # the mistake that is tested


def test_ids_and_digests_load_no_engine() -> None:
    program = (
        "import sys; from benchmark.recognisers import *; "
        "from benchmark.recognisers import recogniser_digest, recogniser_ids; "
        "assert 'numpy' not in sys.modules; "
        "[recogniser_digest(id) for id in recogniser_ids()]; "
        "print([name for name in ('torch', 'onnxruntime', 'onnx', 'numba') if name in sys.modules])"
    )
    root = str(Path(__file__).resolve().parents[2])
    done = subprocess.run([sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
