"""The whole way: a folder of crops to a weights file that fits its table."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from PIL import Image
from safetensors import safe_open
from safetensors.numpy import load_file

from benchmark.checkpoints import preprocessing_of
from benchmark.cli import main
from benchmark.datasets.synthetic import SyntheticDataset, SyntheticParameters
from benchmark.recognisers import load_recogniser
from benchmark.recognisers.networks.catalogue import network_table
from benchmark.recognisers.networks.gpu import network
from benchmark.training.loop import pixels


@pytest.fixture
def faces(tmp_path: Path) -> Path:
    """Three people with three crops each, one of a wrong size."""
    ids = [f"s{person:04d}/{number}" for person in range(3) for number in range(3)]
    for name, sample in zip(ids, SyntheticDataset(SyntheticParameters()).load(ids).samples, strict=True):
        file = tmp_path / "faces" / f"{name}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(sample).save(file)
    Image.new("RGB", (50, 50)).save(tmp_path / "faces" / "s0000" / "small.png")
    return tmp_path / "faces"


def train(faces: Path, *more: str) -> tuple[int, str]:
    out = faces.parent / "weights.safetensors"
    arguments = ["train", "recogniser", "--network", "shufflefacenet-0.5", "--faces", str(faces), "--out", str(out)]
    done = CliRunner().invoke(main, [*arguments, "--steps", "2", "--batch", "4", *more])
    return done.exit_code, done.output


def test_training_on_identities_writes_weights(faces: Path) -> None:
    code, said = train(faces)
    assert code == 0, said
    assert "left out: " in said
    assert "small.png is 50x50" in said
    with safe_open(faces.parent / "weights.safetensors", framework="np") as file:
        shapes = {name: file.get_tensor(name).shape for name in file.keys()}  # noqa: SIM118 - no mapping
        assert file.get_tensor("conv1.0.weight").dtype == np.float16
        assert file.metadata()["trained"] == "ArcFace loss on identities"
    assert shapes == dict(network_table("shufflefacenet-0.5").shapes())


def test_what_was_trained_is_imported_as_it_was_fed(faces: Path) -> None:
    code, said = train(faces)
    assert code == 0, said
    trained, data = faces.parent / "weights.safetensors", faces.parent / "data"
    data.mkdir()
    order = ["weights", "import", str(trained), "--network", "shufflefacenet-0.5", "--id", "mine"]
    done = CliRunner().invoke(main, [*order, "--data", str(data)])
    assert done.exit_code == 0, done.output
    assert preprocessing_of(trained, "arcface-r50").std == (128.0,) * 3  # and not 127.5, as public ones are fed
    samples = SyntheticDataset(SyntheticParameters()).load(["s0007/0", "s0008/0"]).samples
    tensors = {name: value.astype(np.float32) for name, value in load_file(trained).items()}
    expected = network(network_table("shufflefacenet-0.5"), tensors)(pixels(samples, torch.device("cpu"))).numpy()
    found = load_recogniser("mine", data=data).embed(samples)
    np.testing.assert_allclose(found, expected, atol=1e-4 * np.abs(expected).max())


def test_held_out_people_are_measured_and_kept_out(faces: Path) -> None:
    pairs = faces.parent / "pairs.csv"
    pairs.write_text("fold,genuine,a,b\n1,1,s0002/0,s0002/1\n1,0,s0002/0,s0001/1\n")
    code, said = train(faces, "--held-out", str(pairs))
    assert code == 2
    assert "needs crops of two people" in said  # one is left
    pairs.write_text("fold,genuine,a,b\n1,1,s0002/0,s0002/1\n1,0,s0002/0,s0002/2\n")
    code, said = train(faces, "--held-out", str(pairs))
    assert code == 2
    assert "say otherwise" in said


def test_wrong_input_is_one_line(faces: Path) -> None:
    for more, expected in [
        (["--network", "shuflefacenet-0.5"], "did you mean 'shufflefacenet-0.5'"),
        (["--teacher", "mobilfacenet-ms1m"], "did you mean 'mobilefacenet-ms1m'"),
        (["--teacher", "lbp"], "gives 128 numbers, its teacher lbp 3776"),
        (["--teacher", "shufflefacenet-distilled", "--batch", "5000"], "--batch 5000: a step takes its samples"),
        (["--faces", str(faces / "nothing")], "no folder"),
    ]:
        code, said = train(faces, *more)
        assert code == 2, said
        assert expected in said
        assert "Traceback" not in said


def test_networks_are_listed() -> None:
    assert "iresnet-narrow" in CliRunner().invoke(main, ["train", "networks"]).output
