"""ShuffleFaceNet (Martínez-Díaz et al., "ShuffleFaceNet: A Lightweight Face Architecture for Efficient and
Highly-Accurate Face Recognition", ICCV Workshops 2019): ShuffleNet V2 units with PReLU, a global depthwise convolution.
"""

from __future__ import annotations

from .layers import Chain, Convolution, Linear, Normalisation, Operation, PReLU, Shuffled, Table, Unit

#: Channels of the stem and of the three stages, by width (table 1 of the paper).
CHANNELS = {0.5: (24, 48, 96, 192), 1.0: (24, 116, 232, 464), 1.5: (24, 176, 352, 704), 2.0: (24, 244, 488, 976)}
REPEATS = (4, 8, 4)
DIMENSION = 128


def shufflefacenet(width: float) -> Table:
    """The table of one width (0.5, 1, 1.5 or 2), 128 numbers a face; tensors named as in public PyTorch code.

    >>> sum(len(list(operation.shapes())) for operation in shufflefacenet(0.5).operations())
    329
    """
    stem, *stages = CHANNELS[width]
    units: list[Unit] = [Chain(_block("conv1", 0, stem, inputs=3, kernel=3, stride=2, slopes=True))]
    inputs = stem
    for stage, (outputs, repeats) in enumerate(zip(stages, REPEATS, strict=True), start=2):
        for repeat in range(repeats):
            units.append(_unit(f"stage{stage}.{repeat}", inputs, outputs, 1 if repeat else 2))
            inputs = outputs
    wide = 1024 if width < 2 else 2048
    units.append(Chain(_block("conv5", 0, wide, inputs=inputs, slopes=True)))
    whole = _block("gdc", 0, wide, inputs=wide, kernel=7, groups=wide, padding=0, slopes=True)
    last = (Linear("linearconv", wide, DIMENSION, axes=1), Normalisation("bn", DIMENSION))
    return Table(f"shufflefacenet-{width:g}", (*units, Chain((*whole, *last))), DIMENSION)


def _unit(at: str, inputs: int, outputs: int, stride: int) -> Shuffled:
    """The first unit of a stage halves the image and has a left branch; the others split their channels."""
    half = outputs // 2
    left: tuple[Operation, ...] = ()
    if stride == 2:
        left = (
            *_block(f"{at}.branch1", 0, inputs, inputs=inputs, kernel=3, stride=2, groups=inputs),
            *_block(f"{at}.branch1", 2, half, inputs=inputs, slopes=True),
        )
    right = (
        *_block(f"{at}.branch2", 0, half, inputs=inputs if stride == 2 else half, slopes=True),
        *_block(f"{at}.branch2", 3, half, inputs=half, kernel=3, stride=stride, groups=half),
        *_block(f"{at}.branch2", 5, half, inputs=half, slopes=True),
    )
    return Shuffled(left, right)


def _block(
    at: str, first: int, outputs: int, *, inputs: int, kernel: int = 1, stride: int = 1, groups: int = 1,
    padding: int | None = None, slopes: bool = False,
) -> tuple[Operation, ...]:  # fmt: skip
    """Convolution, normalisation and, with `slopes`, a PReLU, numbered from `first` on in a sequence called `at`."""
    around = kernel // 2 if padding is None else padding
    convolution = Convolution(f"{at}.{first}", inputs, outputs, kernel, stride, around, groups)
    block: tuple[Operation, ...] = (convolution, Normalisation(f"{at}.{first + 1}", outputs))
    return (*block, PReLU(f"{at}.{first + 2}", 1)) if slopes else block
