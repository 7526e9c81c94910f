"""The vocabulary of the tables: what a network is made of, the names of its tensors, and their shapes. Needs no torch.

A table is plain data. Weights files are checked against it (`shapes`), `modules` builds it in torch for training and
for GPUs, and `graph` builds it for onnxruntime. Names are those of the public training code, so its checkpoints fit.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

Shapes: TypeAlias = Iterator[tuple[str, tuple[int, ...]]]

#: torch's default of BatchNorm2d, with which all these networks are trained.
EPSILON = 1e-5


@dataclass(frozen=True)
class Convolution:
    """A two-dimensional convolution with square kernels."""

    name: str
    inputs: int
    outputs: int
    kernel: int = 1
    stride: int = 1
    padding: int = 0
    groups: int = 1

    def shapes(self) -> Shapes:
        yield f"{self.name}.weight", (self.outputs, self.inputs // self.groups, self.kernel, self.kernel)


@dataclass(frozen=True)
class Normalisation:
    """Batch normalisation (Ioffe, Szegedy, ICML 2015), of images or of vectors."""

    name: str
    channels: int

    def shapes(self) -> Shapes:
        for part in ("weight", "bias", "running_mean", "running_var"):
            yield f"{self.name}.{part}", (self.channels,)


@dataclass(frozen=True)
class PReLU:
    """max(0, x) + slope min(0, x) (He et al., ICCV 2015): one slope a channel, or one for all (`slopes` = 1)."""

    name: str
    slopes: int

    def shapes(self) -> Shapes:
        yield f"{self.name}.weight", (self.slopes,)


@dataclass(frozen=True)
class Linear:
    """What is left of an image (channels x height x width, flattened) to a vector; `axes` of one may trail in files."""

    name: str
    inputs: int
    outputs: int
    axes: int = 0

    def shapes(self) -> Shapes:
        yield f"{self.name}.weight", (self.outputs, self.inputs, *(1,) * self.axes)
        yield f"{self.name}.bias", (self.outputs,)


Operation: TypeAlias = Convolution | Normalisation | PReLU | Linear


@dataclass(frozen=True)
class Chain:
    """Operations in a row."""

    operations: tuple[Operation, ...]


@dataclass(frozen=True)
class Residual:
    """main(x) + shortcut(x); an empty shortcut hands x through (He et al., CVPR 2016)."""

    main: tuple[Operation, ...]
    shortcut: tuple[Operation, ...] = ()


@dataclass(frozen=True)
class Shuffled:
    """Two branches side by side, their channels shuffled (Ma et al., "ShuffleNet V2", ECCV 2018).

    Without `left` the input is split: its first half passes through, its second half goes through `right`. With it both
    branches see the whole input.
    """

    left: tuple[Operation, ...]
    right: tuple[Operation, ...]


Unit: TypeAlias = Chain | Residual | Shuffled


@dataclass(frozen=True)
class Table:
    """A network from image (3 x 112 x 112, normalised) to template."""

    name: str
    units: tuple[Unit, ...]
    dimension: int

    def operations(self) -> Iterator[Operation]:
        """All operations, in the order in which they run."""
        for unit in self.units:
            if isinstance(unit, Chain):
                yield from unit.operations
            elif isinstance(unit, Residual):
                yield from (*unit.main, *unit.shortcut)
            else:
                yield from (*unit.left, *unit.right)

    def shapes(self) -> Mapping[str, tuple[int, ...]]:
        """The name and shape of every tensor that the network needs."""
        return {name: shape for operation in self.operations() for name, shape in operation.shapes()}
