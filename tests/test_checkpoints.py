"""Importing checkpoints: every public form of a state dict, nothing else, and no code that runs."""

from __future__ import annotations

import hashlib
import os
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from click.testing import CliRunner
from safetensors.numpy import load_file, save_file

from benchmark.checkpoints import (
    default_preprocessing,
    fitting,
    import_checkpoint,
    preprocessing_of,
    read_checkpoint,
)
from benchmark.cli import main
from benchmark.errors import InvalidInputError
from benchmark.recognisers import load_recogniser, recogniser_ids
from benchmark.recognisers.networks.catalogue import network_table
from benchmark.recognisers.networks.gpu import network
from benchmark.recognisers.networks.modules import Network
from benchmark.recognisers.preprocessing import Preprocessing
from benchmark.recognisers.weights import network_shapes, networks_of_weights

NARROW = "iresnet-narrow"


@pytest.fixture(scope="module")
def state() -> dict[str, torch.Tensor]:
    """The state dict of a network as torch writes it, batch counters included."""
    torch.manual_seed(0)
    return dict(Network(network_table(NARROW)).state_dict())


class Marker:
    """Unpickling this makes a file, which shows that code ran."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
        return os.mkdir, (str(self.path),)


def _same(found: dict[str, Any], state: dict[str, torch.Tensor]) -> bool:
    kept = {name: tensor for name, tensor in state.items() if not name.endswith("num_batches_tracked")}
    return found.keys() == kept.keys() and all(np.array_equal(found[n], t.numpy()) for n, t in kept.items())


@pytest.mark.parametrize("wrapping", ["", "state_dict", "net_state_dict", "backbone"])
@pytest.mark.parametrize("parallel", [False, True])
@pytest.mark.parametrize("zipped", [True, False])
def test_state_dicts_are_found(
    tmp_path: Path, state: dict[str, torch.Tensor], wrapping: str, parallel: bool, zipped: bool
) -> None:
    named = {f"module.{name}" if parallel else name: value for name, value in state.items()}
    content = {wrapping: named, "iters": 68} if wrapping else named
    torch.save(content, tmp_path / "a.pth", _use_new_zipfile_serialization=zipped)
    assert _same(read_checkpoint(tmp_path / "a.pth"), state)


def test_safetensors_are_read_too(tmp_path: Path, state: dict[str, torch.Tensor]) -> None:
    save_file({name: tensor.numpy() for name, tensor in state.items()}, tmp_path / "a.safetensors")
    assert _same(read_checkpoint(tmp_path / "a.safetensors"), state)


@pytest.mark.parametrize("name", networks_of_weights())
def test_every_network_has_a_table_to_check_against(name: str) -> None:
    shapes = network_shapes(name)
    zeros = {key: np.broadcast_to(np.float32(0), shape) for key, shape in shapes.items()}
    if "arcface" not in name:  # those are large; their tables are checked in torch elsewhere
        assert fitting(zeros, shapes, name).keys() == shapes.keys()
    first = next(iter(shapes))
    with pytest.raises(InvalidInputError, match=f"{first} is missing"):
        fitting({key: value for key, value in zeros.items() if key != first}, shapes, name)


@pytest.mark.data
@pytest.mark.parametrize("id", ["mobilefacenet-ms1m", "mobilefacenet-casia"])
def test_mobilefacenets_come_out_as_they_are_shipped(data_root: Path, tmp_path: Path, id: str) -> None:
    """Their checkpoints, made again from the tensors of the shipped files, in the form that each was published in."""
    shipped = load_file(next((data_root / "weights").glob(f"{id.replace('-', '_')}*")))
    tensors = {name: torch.from_numpy(value) for name, value in shipped.items()}
    torch.save(tensors if "ms1m" in id else {"net_state_dict": tensors, "iters": 1}, tmp_path / "a.ckpt")
    done = import_checkpoint(tmp_path / "a.ckpt", id, tmp_path / "weights" / "own.safetensors")
    samples = np.random.default_rng(0).integers(0, 256, (1, 112, 112, 3), dtype=np.uint8)
    own, ours = load_recogniser(done.id, data=tmp_path), load_recogniser(id, data=data_root)
    assert done.id == f"{id}-imported"
    assert np.array_equal(own.embed(samples), ours.embed(samples))
    assert own.digest != ours.digest


def test_an_import_becomes_a_recogniser(
    tmp_path: Path, state: dict[str, torch.Tensor], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    data = tmp_path / "data"
    data.mkdir()
    torch.save(state, tmp_path / "a.pth")
    order = ["weights", "import", str(tmp_path / "a.pth"), "--network", NARROW, "--id", "mine", "--data", str(data)]
    options = ["--mean", "120", "121", "122", "--source", "a thesis", "--licence", "MIT"]
    done = CliRunner().invoke(main, [*order, *options])
    assert done.exit_code == 0, done.output
    assert "recogniser: mine" in done.output
    file = data / "weights" / "mine.safetensors"
    entry = yaml.safe_load((data / "weights" / "weights.yaml").read_text())["mine"]
    assert entry["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
    assert entry["input"] == {"columns": [0, 112], "mean": [120, 121, 122], "std": [128, 128, 128]}
    assert entry["licence"] == "MIT"
    assert {"mine", "mine+flip"} <= set(recogniser_ids(data))
    recogniser = load_recogniser("mine", data=data)
    assert dict(recogniser.weights) == {"mine.safetensors": entry["sha256"]}
    samples = np.random.default_rng(0).integers(0, 256, (2, 112, 112, 3), dtype=np.uint8)
    pixels = (samples - np.array([120, 121, 122])) / 128
    images = torch.from_numpy(pixels.transpose(0, 3, 1, 2).astype(np.float32))
    tensors = {name: value.numpy() for name, value in state.items()}
    expected = network(network_table(NARROW), tensors)(images).numpy()
    np.testing.assert_allclose(recogniser.embed(samples), expected, atol=1e-4 * np.abs(expected).max())
    listed = CliRunner().invoke(main, ["weights", "list", "--data", str(data)])
    assert "a thesis" not in listed.output
    assert entry["sha256"][:12] in listed.output
    file.write_bytes(file.read_bytes()[:-1] + b"\x01")  # a changed file is refused
    with pytest.raises(InvalidInputError, match=f"expected {entry['sha256']}"):
        load_recogniser("mine", data=data)


def test_a_checkpoint_that_says_what_its_network_was_fed_is_believed(
    tmp_path: Path, state: dict[str, torch.Tensor]
) -> None:
    path, seen = tmp_path / "a.safetensors", Preprocessing(columns=(8, 104), mean=(1, 2, 3), std=(4, 5, 6))
    tensors = {name: tensor.numpy() for name, tensor in state.items()}
    save_file(tensors, path, {"preprocessing": seen.model_dump_json()})
    order = ["weights", "import", str(path), "--network", NARROW, "--data", str(tmp_path)]
    for options, mean in ([], [1, 2, 3]), (["--mean", "7", "8", "9"], [7, 8, 9]):
        done = CliRunner().invoke(main, [*order, *options])
        assert done.exit_code == 0, done.output
        entry = yaml.safe_load((tmp_path / "weights" / "weights.yaml").read_text())[NARROW]
        assert entry["input"] == {"columns": [8, 104], "mean": mean, "std": [4, 5, 6]}
    assert preprocessing_of(path, "arcface-r50") == seen
    save_file(tensors, path)
    assert preprocessing_of(path, "arcface-r50") == default_preprocessing("arcface-r50")
    save_file(tensors, path, {"preprocessing": "{}"})
    with pytest.raises(InvalidInputError, match="says of its preprocessing cannot be used"):
        import_checkpoint(path, NARROW, tmp_path / "b.safetensors")


@pytest.mark.parametrize("form", ["zip", "pickle", "legacy", "inside"])
def test_code_in_a_checkpoint_never_runs(tmp_path: Path, state: dict[str, torch.Tensor], form: str) -> None:
    mark, path = tmp_path / "ran", tmp_path / "evil.pth"
    evil = Marker(mark)
    if form == "pickle":
        path.write_bytes(pickle.dumps(evil))
    elif form == "inside":
        torch.save({"state_dict": state, "epoch": evil}, path)
    else:
        torch.save(evil, path, _use_new_zipfile_serialization=form == "zip")
    out = tmp_path / "out" / "a.safetensors"
    done = CliRunner().invoke(
        main, ["weights", "import", str(path), "--network", NARROW, "--out", str(out), "--data", str(tmp_path)]
    )
    assert done.exit_code == 2
    assert done.output.count("\n") == 1
    assert "refused" in done.output
    assert "Traceback" not in done.output
    assert not mark.exists()
    assert not out.exists()
    # The trap works: what is refused here would have made the folder.
    if form == "zip":
        with zipfile.ZipFile(path) as file:
            pickled = next(name for name in file.namelist() if name.endswith("data.pkl"))
            pickle.loads(file.read(pickled))
    elif form == "pickle":
        pickle.loads(path.read_bytes())
    if form in ("zip", "pickle"):
        assert mark.exists()


def _broken(state: dict[str, torch.Tensor], how: str) -> dict[str, Any]:
    changed: dict[str, Any] = dict(state)
    if how == "missing":
        del changed["fc.weight"]
    elif how == "shape":
        changed["fc.bias"] = torch.zeros(7)
    elif how == "other":
        changed["head.weight"] = torch.zeros(3)
    elif how == "whole":
        changed["fc.bias"] = torch.zeros(128, dtype=torch.int64)
    else:
        changed["fc.bias"] = torch.full((128,), float("nan"))
    return changed


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("missing", "fc.weight is missing"),
        ("shape", r"fc.bias is \(7,\) instead of \(128,\)"),
        ("other", "head.weight is not part of it"),
        ("whole", "fc.bias holds int64"),
        ("nan", "not finite"),
    ],
)
def test_tensors_that_do_not_fit_are_named(
    tmp_path: Path, state: dict[str, torch.Tensor], how: str, words: str
) -> None:
    torch.save(_broken(state, how), tmp_path / "a.pth")
    with pytest.raises(InvalidInputError, match=words) as caught:
        import_checkpoint(tmp_path / "a.pth", NARROW, tmp_path / "out.safetensors")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out.safetensors").exists()


@pytest.mark.parametrize("share", [0.0, 0.3, 0.99])
@pytest.mark.parametrize("form", ["zip", "legacy", "safetensors"])
def test_truncated_files_are_one_line(tmp_path: Path, state: dict[str, torch.Tensor], form: str, share: float) -> None:
    path = tmp_path / "a"
    if form == "safetensors":
        save_file({name: tensor.numpy() for name, tensor in state.items()}, path)
    else:
        torch.save(state, path, _use_new_zipfile_serialization=form == "zip")
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    with pytest.raises(InvalidInputError, match="truncated") as caught:
        read_checkpoint(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [[1, 2], {"epoch": 3}, {"state_dict": {"a": 1}}, {}])
def test_what_holds_no_state_dict_is_one_line(tmp_path: Path, content: Any) -> None:
    torch.save(content, tmp_path / "a.pth")
    with pytest.raises(InvalidInputError, match="no state dict"):
        read_checkpoint(tmp_path / "a.pth")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--network", "arcface-r51"], "did you mean 'arcface-r50'"),
        (["--network", NARROW, "--id", "Bad Id"], "small letters"),
        (["--network", NARROW, "--id", "lbp"], "choose another"),
        (["--network", NARROW, "--out", "a.pth"], ".safetensors"),
        (["--network", NARROW, "--std", "0", "1", "1"], "--std: a standard deviation has to be above 0"),
        (["--network", NARROW, "--columns", "8", "120"], "--columns: two columns"),
        (["--network", NARROW], "cannot be read"),
    ],
)
def test_wrong_orders_are_one_line(tmp_path: Path, options: list[str], words: str) -> None:
    done = CliRunner().invoke(main, ["weights", "import", str(tmp_path / "no.pth"), *options, "--data", str(tmp_path)])
    assert done.exit_code == 2
    assert words in done.output
    assert done.output.count("\n") == 1
