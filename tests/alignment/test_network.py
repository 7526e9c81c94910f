"""The network, folded or not; its outputs fit the anchors."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from benchmark.alignment.anchors import anchors
from benchmark.alignment.network import RetinaFace, load_network


@pytest.fixture(scope="module")
def trained() -> RetinaFace:
    """Any weights, with normalisation statistics that matter."""
    seed = torch.Generator().manual_seed(1)
    network = RetinaFace()
    for name, tensor in network.state_dict().items():
        if tensor.is_floating_point():
            noise = torch.randn(tensor.shape, generator=seed) * 0.1
            tensor.copy_(noise.abs() + 0.8 if name.endswith("running_var") else tensor + noise)
    return network.eval()


@pytest.mark.parametrize(("height", "width"), [(250, 250), (17, 100)])
def test_folding_and_the_order_of_colours_change_nothing(trained: RetinaFace, height: int, width: int) -> None:
    tensors = {name: tensor.numpy() for name, tensor in trained.state_dict().items()}
    loaded = load_network(tensors)
    images = torch.randn(2, 3, height, width, generator=torch.Generator().manual_seed(2))
    with torch.inference_mode():
        expected, found = trained(images), loaded(images.flip(1))
    for one, other in zip(expected, found, strict=True):
        np.testing.assert_allclose(one.numpy(), other.numpy(), rtol=1e-3, atol=1e-4)
    assert not any(isinstance(module, torch.nn.BatchNorm2d) for module in loaded.modules())


@pytest.mark.parametrize(("height", "width"), [(250, 250), (16, 33), (99, 640)])
def test_there_is_an_output_for_each_anchor(trained: RetinaFace, height: int, width: int) -> None:
    with torch.inference_mode():
        logits, boxes, landmarks = trained(torch.zeros(1, 3, height, width))
    count = len(anchors(height, width))
    assert (logits.shape, boxes.shape, landmarks.shape) == ((1, count, 2), (1, count, 4), (1, count, 10))


def test_missing_tensors_are_named() -> None:
    with pytest.raises(RuntimeError, match=r"fpn\.merge1"):
        load_network({})
