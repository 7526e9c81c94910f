"""A model in onnxruntime, sample by sample: a template never depends on what else is in the batch.

One sample at a time is as fast as any batch for networks of this size: a batch no longer fits the cache. With several
threads, a sample a thread: threads that share a sample wait for each other after every layer. Only a lone sample is
shared by all threads; they divide its outputs among themselves, not its sums, so the bits stay the same.
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

    `prepare` makes the model's input of one sample (uint8, 1 x 112 x 112 x 3); `output` names the model's output.
    """

    def __init__(
        self,
        model: bytes,
        prepare: Callable[[Samples], npt.NDArray[Any]],
        *,
        dimension: int,
        output: str | None = None,
        threads: int = 1,
    ) -> None:
        self._model, self._prepare, self._dimension, self._threads = model, prepare, dimension, threads
        self._session = _session(model)
        self._together: Any = None  # the session whose threads share a sample; only made where there is a lone one
        self._input = self._session.get_inputs()[0].name
        self._output = output or self._session.get_outputs()[0].name

    def __call__(self, samples: Samples) -> Templates:
        out = np.empty((len(samples), self._dimension), np.float32)
        session = self._session
        if len(samples) == 1 < self._threads:
            session = self._together = self._together or _session(self._model, self._threads)

        def one(number: int) -> None:
            given = {self._input: self._prepare(samples[number : number + 1])}
            out[number] = session.run([self._output], given)[0].reshape(-1)

        if self._threads == 1 or len(samples) == 1:
            for number in range(len(samples)):
                one(number)
        else:
            with ThreadPoolExecutor(self._threads) as pool:
                list(pool.map(one, range(len(samples))))  # a list, so that an error is raised here
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
