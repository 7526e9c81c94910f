"""What users declare about a network's input, checked: for weights of their own and for ONNX files."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from benchmark.schema import Frozen

from .architecture import Input

Three = Annotated[tuple[float, ...], Field(min_length=3, max_length=3)]


def _columns(pair: tuple[int, ...]) -> tuple[int, ...]:
    if len(pair) != 2 or not 0 <= pair[0] < pair[1] <= 112:
        raise ValueError("two columns of the 112 are expected: the first, and the one behind the last")
    return pair


def _deviations(values: tuple[float, ...]) -> tuple[float, ...]:
    if min(values) <= 0:
        raise ValueError("a standard deviation has to be above 0")
    return values


class Preprocessing(Frozen):
    """Columns of the 112 x 112 crop, then (pixel - mean) / std, three numbers each, in the order of the channels.

    >>> Preprocessing(mean=(127.5,) * 3, std=(128,) * 3).input().columns
    (0, 112)
    """

    columns: Annotated[tuple[int, ...], AfterValidator(_columns)] = (0, 112)
    mean: Three
    std: Annotated[Three, AfterValidator(_deviations)]

    def input(self) -> Input:
        """The same as what the networks take."""
        first, end = self.columns
        (r, g, b), (sr, sg, sb) = self.mean, self.std
        return Input((first, end), (r, g, b), (sr, sg, sb))
