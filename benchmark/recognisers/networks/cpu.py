"""A network of the catalogue on a CPU, in onnxruntime: what digests name.

What `load_recogniser` runs is `normalised`, which is quicker; tests hold it to the bits of what is here.
"""

from __future__ import annotations

import math

import numpy as np

from benchmark.interfaces import Samples
from benchmark.recognisers.architecture import Input

from .graph import Tensors, model
from .layers import Table
from .sessions import Sessions

#: Parameters under which two samples at a time are faster than one: by 12 to 15 %, measured at 0.5 and 1.3 million.
_SMALL = 2_000_000


def cpu_engine(table: Table, tensors: Tensors, image: Input, *, threads: int = 1) -> Sessions:
    """Samples (uint8, N x 112 x 112 x 3, RGB) -> templates (float32, N x D); `threads` are those of one call.

    >>> from .shufflefacenet import shufflefacenet
    >>> table = shufflefacenet(0.5)
    >>> ones = {name: np.ones(shape, np.float32) for name, shape in table.shapes().items()}
    >>> engine = cpu_engine(table, ones, Input((0, 112), (127.5,) * 3, (128.0,) * 3))
    >>> engine(np.zeros((2, 112, 112, 3), np.uint8)).shape
    (2, 128)
    """
    columns = slice(*image.columns)

    def crop(some: Samples) -> Samples:
        return np.ascontiguousarray(some[:, :, columns])

    small = sum(math.prod(shape) for shape in table.shapes().values()) < _SMALL
    return Sessions(
        model(table, tensors, image),
        crop,
        dimension=table.dimension,
        threads=threads,
        several=(2, model(table, tensors, image, batch=2)) if small else None,
    )
