"""A model in onnxruntime, few samples at a time: a template never depends on what else is in the batch.

One sample at a time, or two for small networks, is as fast as any batch: more no longer fit the cache. With several
threads, each takes samples of its own: threads that share a sample wait for each other after every layer. Only a lone
sample is shared by all threads; they divide its outputs among themselves, not its sums, so the bits stay the same.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmark.interfaces import Samples, Templates


class Sessions:
    """Samples -> templates (float32, N x dimension) of a serialised ONNX model with one input and batches of one.

    `prepare` makes the model's input of samples (uint8, N x 112 x 112 x 3); `output` names the model's output.
    `several`: a number of samples, and the same model for batches of that, which has to give the same bits.
    """

    def __init__(
        self,
        model: bytes,
        prepare: Callable[[Samples], npt.NDArray[Any]],
        *,
        dimension: int,
        output: str | None = None,
        threads: int = 1,
        several: tuple[int, bytes] | None = None,
    ) -> None:
        self._model, self._prepare, self._dimension, self._threads = model, prepare, dimension, threads
        self._session = _session(model)
        self._size, self._several = (several[0], _session(several[1])) if several else (1, self._session)
        self._together: Any = None  # the session whose threads share a sample; only made where there is a lone one
        self._input = self._session.get_inputs()[0].name
        self._output = output or self._session.get_outputs()[0].name

    def __call__(self, samples: Samples) -> Templates:
        out = np.empty((len(samples), self._dimension), np.float32)
        single = self._session
        if len(samples) == 1 < self._threads:
            single = self._together = self._together or _session(self._model, self._threads)

        def run(part: slice) -> None:
            session = self._several if part.stop - part.start == self._size > 1 else single
            found = session.run([self._output], {self._input: self._prepare(samples[part])})[0]
            out[part] = found.reshape(-1, self._dimension)

        whole = len(samples) - len(samples) % self._size
        parts = [slice(start, start + self._size) for start in range(0, whole, self._size)]
        parts += [slice(number, number + 1) for number in range(whole, len(samples))]
        if self._threads == 1 or len(parts) == 1:
            for part in parts:
                run(part)
        else:
            with ThreadPoolExecutor(self._threads) as pool:
                list(pool.map(run, parts))  # a list, so that an error is raised here
        return out

    def inputs(self) -> list[Any]:
        """The model's inputs: name, shape and type of each."""
        return list(self._session.get_inputs())

    def outputs(self) -> list[Any]:
        """The model's outputs: name, shape and type of each."""
        return list(self._session.get_outputs())

    def run(self, given: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """The model's output for one prepared sample, as it is."""
        return np.asarray(self._session.run([self._output], {self._input: given})[0])


def _session(model: bytes, threads: int = 1) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.log_severity_level = 3  # errors only: its warnings are about its own optimisations
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
