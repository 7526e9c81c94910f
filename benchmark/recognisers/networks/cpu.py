"""A network of the catalogue on a CPU, in onnxruntime."""

from __future__ import annotations

import numpy as np

from benchmark.interfaces import Samples
from benchmark.recognisers.architecture import Input

from .graph import Tensors, model
from .layers import Table
from .sessions import Sessions


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

    def crop(sample: Samples) -> Samples:
        return np.ascontiguousarray(sample[:, :, columns])

    return Sessions(model(table, tensors, image), crop, dimension=table.dimension, threads=threads)
