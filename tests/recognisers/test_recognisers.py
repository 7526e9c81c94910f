"""The registry: ids, digests, errors, and that asking costs little."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmark.errors import InvalidInputError
from benchmark.recognisers import load_recogniser, recogniser_digest, recogniser_ids
from benchmark.recognisers.architecture import Input
from benchmark.recognisers.networks.catalogue import network_table
from benchmark.recognisers.registry import Order, method_of
from benchmark.recognisers.weights import Weights


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
    before = _fresh("mobilefacenet-ms1m"), _fresh("mobilefacenet-ms1m+flip"), _fresh("lbp")
    monkeypatch.setattr("importlib.metadata.version", lambda name: "0.0")
    after = _fresh("mobilefacenet-ms1m"), _fresh("mobilefacenet-ms1m+flip"), _fresh("lbp")
    assert before[0] != after[0]
    assert before[1] != after[1]
    assert before[2] == after[2]


def _fresh(id: str) -> str:
    """The digest, made anew."""
    return method_of(Order(id)).digest(Order(id))


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


def test_ids_without_weights_say_how_to_get_them(tmp_path: Path) -> None:
    for id in ("arcface-r18", "arcface-r34", "arcface-r50", "arcface-r100", "shufflefacenet", "shufflefacenet-1.5"):
        with pytest.raises(InvalidInputError, match=f"{id}: no weights are here.*veilbench weights import"):
            load_recogniser(id, data=tmp_path)


def test_flips_are_for_networks() -> None:
    with pytest.raises(InvalidInputError, match="lbp is none"):
        recogniser_digest("lbp+flip")
    assert not any(id.startswith("lbp+") for id in recogniser_ids())


def _pinned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, embedded: bool) -> tuple[str, bytes]:
    """An entry of a made-up table with its file, float16 as those in the package are."""
    from safetensors.numpy import save

    table = network_table("iresnet-narrow")
    rng = np.random.default_rng(0)
    tensors = {name: rng.uniform(0.01, 0.1, shape).astype(np.float16) for name, shape in table.shapes().items()}
    content = save(tensors, {"network": "iresnet-narrow", "teacher": "none"})
    seen = Input((0, 112), (127.5,) * 3, (128.0,) * 3)
    entry = Weights(
        "made-up", "made-up.safetensors", hashlib.sha256(content).hexdigest(), "iresnet-narrow", 128, seen,
        "tests", "MIT", "none", "nothing", embedded=embedded,
    )  # fmt: skip
    monkeypatch.setattr("benchmark.recognisers.weights.known_weights", lambda: {"made-up": entry})
    monkeypatch.setattr("benchmark.recognisers.weights.EMBEDDED", tmp_path / "package")
    folder = tmp_path / ("package" if embedded else "weights")
    folder.mkdir()
    (folder / "made-up.safetensors").write_bytes(content)
    return "made-up", content


@pytest.mark.parametrize("embedded", [True, False])
def test_an_entry_is_a_recogniser(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, embedded: bool) -> None:
    """Of files in the package no data folder knows anything; the others lie in one."""
    id, content = _pinned(tmp_path, monkeypatch, embedded=embedded)
    data = None if embedded else tmp_path
    recogniser, both = load_recogniser(id, data=data), load_recogniser(f"{id}+flip", data=data)
    samples = np.random.default_rng(1).integers(0, 256, (2, 112, 112, 3), dtype=np.uint8)
    templates = recogniser.embed(samples)
    assert templates.shape == (2, recogniser.dimension) == (2, 128)
    assert templates.dtype == np.float32
    np.testing.assert_allclose(both.embed(samples), templates + recogniser.embed(samples[:, :, ::-1]), rtol=1e-6)
    assert (
        dict(recogniser.weights) == dict(both.weights) == {"made-up.safetensors": hashlib.sha256(content).hexdigest()}
    )
    assert recogniser.digest == recogniser_digest(id, data=data) != both.digest
    assert {id, f"{id}+flip"} <= set(recogniser_ids(data))
    assert recogniser_digest(id, data=data) != recogniser_digest(id, data=data, device="cuda")
    with pytest.raises(InvalidInputError, match="N x 112 x 112 x 3"):
        recogniser.embed(samples[:, :, :100])


def test_an_embedded_file_that_was_changed_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    id, content = _pinned(tmp_path, monkeypatch, embedded=True)
    (tmp_path / "package" / "made-up.safetensors").write_bytes(content[:-1] + b"\x01")
    with pytest.raises(InvalidInputError, match="SHA-256 is"):
        load_recogniser(id)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("mine: {file: a.safetensors}", "mine.sha256: is missing"),
        ("mine: {file: ../a.safetensors}", "mine.file"),
        ("mine: {network: arcface-r51}", "unknown network 'arcface-r51'"),
        ("- a", "a mapping"),
        ("mine: [", "not valid YAML"),
    ],
)
def test_a_local_table_that_is_wrong_is_named_with_its_line(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / "weights.yaml").write_text(text)
    with pytest.raises(InvalidInputError, match=words) as caught:
        recogniser_ids(tmp_path)
    assert f"{tmp_path / 'weights' / 'weights.yaml'}:" in str(caught.value)
