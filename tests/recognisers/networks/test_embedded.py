"""The networks that ship with the package: small, described, and the same in onnxruntime as in torch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from benchmark.datasets import open_dataset, read_pairs
from benchmark.datasets.synthetic import SyntheticDataset, SyntheticParameters
from benchmark.metrics.verification import eer
from benchmark.recognisers import load_recogniser
from benchmark.recognisers.cosine import cosine
from benchmark.recognisers.networks.catalogue import network_table
from benchmark.recognisers.networks.modules import Network
from benchmark.recognisers.weights import EMBEDDED, known_weights

IDS = sorted(id for id, weights in known_weights().items() if weights.embedded)
ROOT = Path(__file__).resolve().parents[3]


def test_there_are_some() -> None:
    assert IDS == ["arcface-distilled", "shufflefacenet-distilled"]


@pytest.mark.parametrize("id", IDS)
def test_each_has_a_card_and_at_most_three_megabytes(id: str) -> None:
    assert f"## `{id}`" in (EMBEDDED / "README.md").read_text("utf-8")
    assert (EMBEDDED / known_weights()[id].file).stat().st_size <= 3_000_000


@pytest.mark.parametrize("id", IDS)
def test_it_runs_without_data_as_it_does_in_torch(id: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("VEILBENCH_DATA", str(tmp_path))
    faces = SyntheticDataset(SyntheticParameters()).load([f"s{n:04d}/0" for n in range(6)]).samples
    templates = load_recogniser(id).embed(faces)
    weights = known_weights()[id]
    network = Network(network_table(weights.network)).eval()
    state = {name: tensor.float() for name, tensor in load_file(EMBEDDED / weights.file).items()}
    missing = network.load_state_dict(state, strict=False).missing_keys
    assert all("num_batches" in name for name in missing)
    pixels = (faces - np.array(weights.input.mean)) / np.array(weights.input.std)
    with torch.inference_mode():
        expected = network(torch.from_numpy(pixels.astype(np.float32)).permute(0, 3, 1, 2)).numpy()
    assert cosine(templates, expected).min() > 1 - 1e-5


@pytest.mark.data
@pytest.mark.parametrize("id", IDS)
def test_it_tells_real_people_apart(id: str, data_root: Path) -> None:
    """Far from chance on 400 pairs; what is claimed of all 6,000 is measured by tools/measure_recognisers.py."""
    pairs = read_pairs(ROOT / "protocols" / "splits" / "lfw-view2-dev.csv")
    ids = list(dict.fromkeys(pairs.ids[i] for i in (*pairs.a_index[:400], *pairs.b_index[:400])))
    place = {name: number for number, name in enumerate(ids)}
    templates = load_recogniser(id).embed(open_dataset("lfw", {}, data_root).load(ids).samples)
    a, b = ([place[pairs.ids[i]] for i in index[:400]] for index in (pairs.a_index, pairs.b_index))
    scores, genuine = cosine(templates[a], templates[b]), pairs.genuine[:400]
    assert eer(scores[genuine], scores[~genuine]) < 0.08
