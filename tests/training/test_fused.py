"""The compiled normalisation against torch's own in double precision."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from benchmark.training.fused import normalised_prelu


def reference(x: Tensor, norm: nn.BatchNorm2d, slopes: Tensor | None, grad: Tensor) -> list[Tensor]:
    x = x.detach().double().requires_grad_()
    twin = nn.BatchNorm2d(norm.num_features).double()
    twin.load_state_dict(norm.state_dict())
    given = None if slopes is None else slopes.detach().double().requires_grad_()
    y = twin(x) if given is None else nn.functional.prelu(twin(x), given)
    y.backward(grad.double())
    own = [] if given is None else [given.grad]
    return [y.detach(), x.grad, twin.weight.grad, twin.bias.grad, twin.running_mean, twin.running_var, *own]


@pytest.mark.parametrize(
    ("shape", "slopes"),
    [((4, 24, 9, 9), 1), ((4, 24, 9, 9), 24), ((3, 5, 7, 3), 5), ((16, 16, 1, 1), 16), ((2, 3, 8, 8), 0)],
)
def test_values_gradients_and_statistics_are_torchs(shape: tuple[int, ...], slopes: int) -> None:
    torch.manual_seed(3)
    norm = nn.BatchNorm2d(shape[1])
    nn.init.uniform_(norm.weight, 0.5, 1.5)
    nn.init.normal_(norm.bias)
    given = torch.linspace(-0.2, 0.6, slopes).requires_grad_() if slopes else None
    x = (2 * torch.randn(shape) + 5).to(memory_format=torch.channels_last).requires_grad_()
    grad = torch.randn(shape)
    expected = reference(x, norm, given, grad)
    y = normalised_prelu(x, norm, given)
    y.backward(grad)
    found = [y.detach(), x.grad, norm.weight.grad, norm.bias.grad, norm.running_mean, norm.running_var]
    found += [] if given is None else [given.grad]
    for own, other in zip(found, expected, strict=True):
        torch.testing.assert_close(own.double(), other, atol=2e-4, rtol=2e-4)
    assert int(norm.num_batches_tracked) == 1


def test_memory_in_another_order_gives_the_same() -> None:
    torch.manual_seed(4)
    x, norm = torch.randn(4, 16, 6, 6), nn.BatchNorm2d(16)
    first = normalised_prelu(x, norm, None)
    again = normalised_prelu(x.to(memory_format=torch.channels_last), norm, None)
    assert torch.equal(first, again)
