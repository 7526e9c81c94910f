"""The improved residual network of ArcFace (Deng et al., "ArcFace", CVPR 2019; Han et al., CVPR 2017): IResNet.

Blocks are BN - Conv - BN - PReLU - Conv - BN; the first convolution keeps the image's size, and a fully connected layer
with batch normalisation behind it gives the template.
"""

from __future__ import annotations

from collections.abc import Sequence

from .layers import Chain, Convolution, Linear, Normalisation, Operation, PReLU, Residual, Table, Unit

#: Blocks of each of the four layers, by depth.
DEPTHS = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 14, 3), 100: (3, 13, 30, 3)}
#: Side of the image behind the last layer, of 112 pixels halved four times.
SIDE = 7


def iresnet(
    name: str, blocks: Sequence[int], *, channels: Sequence[int] = (64, 128, 256, 512), dimension: int = 512
) -> Table:
    """The table of an IResNet with that many blocks and channels in its layers; tensors named as by InsightFace.

    >>> iresnet("arcface-r18", DEPTHS[18]).shapes()["fc.weight"]
    (512, 25088)
    """
    stem = channels[0]
    first = (Convolution("conv1", 3, stem, 3, 1, 1), Normalisation("bn1", stem), PReLU("prelu", stem))
    units: list[Unit] = [Chain(first)]
    inputs = stem
    for layer, (count, outputs) in enumerate(zip(blocks, channels, strict=True), start=1):
        for block in range(count):
            units.append(_block(f"layer{layer}.{block}", inputs, outputs, 1 if block else 2))
            inputs = outputs
    last = (
        Normalisation("bn2", inputs),
        Linear("fc", inputs * SIDE * SIDE, dimension),
        Normalisation("features", dimension),
    )
    return Table(name, (*units, Chain(last)), dimension)


def _block(at: str, inputs: int, outputs: int, stride: int) -> Residual:
    main: tuple[Operation, ...] = (
        Normalisation(f"{at}.bn1", inputs),
        Convolution(f"{at}.conv1", inputs, outputs, 3, 1, 1),
        Normalisation(f"{at}.bn2", outputs),
        PReLU(f"{at}.prelu", outputs),
        Convolution(f"{at}.conv2", outputs, outputs, 3, stride, 1),
        Normalisation(f"{at}.bn3", outputs),
    )
    if stride == 1 and inputs == outputs:
        return Residual(main)
    shortcut = (
        Convolution(f"{at}.downsample.0", inputs, outputs, 1, stride),
        Normalisation(f"{at}.downsample.1", outputs),
    )
    return Residual(main, shortcut)
