"""A table as a torch module: for training, for GPUs, and as the reference that the CPU graph is checked against."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import cast

import torch
from torch import Tensor, nn

from .layers import EPSILON, Chain, Convolution, Linear, Normalisation, Operation, PReLU, Residual, Table


class Network(nn.Module):
    """float32, N x 3 x 112 x 112, normalised -> templates, N x D. Its state's names are those of the table.

    >>> from benchmark.recognisers.networks.shufflefacenet import shufflefacenet
    >>> network = Network(shufflefacenet(0.5)).eval()
    >>> network(torch.zeros(1, 3, 112, 112)).shape
    torch.Size([1, 128])
    """

    def __init__(self, table: Table) -> None:
        super().__init__()
        self.table = table
        #: In training: batch normalisation with the PReLU behind it (or without one), where it can be had in one.
        self.normalise: Callable[[Tensor, nn.BatchNorm2d, Tensor | None], Tensor] | None = None
        vector = False  # behind a linear layer normalisation sees vectors
        for operation in table.operations():
            vector = vector or isinstance(operation, Linear)
            _register(self, operation.name, _module(operation, vector))
        self._steps = [(unit, self._parts(unit)) for unit in table.units]

    def _parts(self, unit: object) -> tuple[Callable[[Tensor], Tensor], Callable[[Tensor], Tensor] | None]:
        if isinstance(unit, Chain):
            return self._run(unit.operations), None
        if isinstance(unit, Residual):
            return self._run(unit.main), self._run(unit.shortcut)
        left, right = unit.left, unit.right  # type: ignore[attr-defined]  # the third kind of unit
        return self._run(right), self._run(left) if left else None

    def _run(self, operations: Iterable[Operation]) -> Callable[[Tensor], Tensor]:
        steps = [self.get_submodule(one.name) for one in operations]

        def run(x: Tensor) -> Tensor:
            position = 0
            while position < len(steps):
                module = steps[position]
                position += 1
                if self.normalise is not None and self.training and isinstance(module, nn.BatchNorm2d):
                    behind = steps[position] if position < len(steps) else None
                    slopes = behind.weight if isinstance(behind, nn.PReLU) else None
                    x = self.normalise(x, module, slopes)
                    position += slopes is not None
                else:
                    x = module(x.flatten(1) if isinstance(module, nn.Linear) else x)
            return x

        return run

    def forward(self, x: Tensor) -> Tensor:
        for unit, (main, beside) in self._steps:
            if isinstance(unit, Chain):
                x = main(x)
            elif isinstance(unit, Residual):
                x = main(x) + cast(Callable[[Tensor], Tensor], beside)(x)
            else:
                left, right = (x, x) if beside else x.chunk(2, 1)
                x = nn.functional.channel_shuffle(torch.cat([beside(left) if beside else left, main(right)], 1), 2)
        return x


def _module(operation: Operation, vector: bool) -> nn.Module:
    if isinstance(operation, Convolution):
        o = operation
        return nn.Conv2d(o.inputs, o.outputs, o.kernel, o.stride, o.padding, groups=o.groups, bias=False)
    if isinstance(operation, Normalisation):
        return (nn.BatchNorm1d if vector else nn.BatchNorm2d)(operation.channels, eps=EPSILON)
    if isinstance(operation, PReLU):
        return nn.PReLU(operation.slopes)
    return _Linear(operation)


class _Linear(nn.Linear):
    """A linear layer whose file has trailing axes of one, where it was a convolution over one pixel."""

    def __init__(self, operation: Linear) -> None:
        super().__init__(operation.inputs, operation.outputs)
        self.weight = nn.Parameter(self.weight.detach().reshape(*self.weight.shape, *(1,) * operation.axes))

    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.linear(x, self.weight.flatten(1), self.bias)


def _register(root: nn.Module, name: str, module: nn.Module) -> None:
    """Put a module under a dotted name, with empty modules on the way."""
    *path, last = name.split(".")
    for part in path:
        if part not in root._modules:
            root.add_module(part, nn.Module())
        root = cast(nn.Module, root._modules[part])
    root.add_module(last, module)
