"""The networks by name."""

from __future__ import annotations

from collections.abc import Callable

from benchmark.errors import unknown

from .iresnet import DEPTHS, iresnet
from .layers import Table
from .shufflefacenet import CHANNELS, shufflefacenet

#: A quarter of IResNet's channels, 128 numbers a face, and about the blocks of its shallowest: 1.2 million parameters.
#: (Channels are multiples of 16: with others, training on channels-last memory crashes in torch 2.13's CPU kernels.)


_TABLES: dict[str, Callable[[], Table]] = {
    **{f"shufflefacenet-{width:g}": lambda width=width: shufflefacenet(width) for width in CHANNELS},  # type: ignore[misc]
    **{f"arcface-r{depth}": lambda depth=depth: iresnet(f"arcface-r{depth}", DEPTHS[depth]) for depth in DEPTHS},  # type: ignore[misc]
    "iresnet-narrow": lambda: iresnet("iresnet-narrow", (1, 2, 3, 1), channels=(16, 32, 64, 128), dimension=128),
}


def network_names() -> tuple[str, ...]:
    """The names of all networks, sorted.

    >>> network_names()[-1]
    'shufflefacenet-2'
    """
    return tuple(sorted(_TABLES))


def network_table(name: str) -> Table:
    """A network's table of layers; raises InvalidInputError for an unknown name.

    >>> sum(len(shape) == 4 for shape in network_table("arcface-r18").shapes().values())
    21
    """
    if name not in _TABLES:
        raise unknown("network", name, _TABLES)
    return _TABLES[name]()


def default_ids() -> dict[str, str]:
    """{recogniser id: network} of weights that users import, where they choose no other id.

    The paper's width of ShuffleFaceNet is 1 and goes by the network's name.

    >>> default_ids()["shufflefacenet"], default_ids()["arcface-r50"]
    ('shufflefacenet-1', 'arcface-r50')
    """
    return {name.removesuffix("-1") if name.startswith("shuffle") else name: name for name in network_names()}
