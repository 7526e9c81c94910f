"""Unprotected samples of one batch: pixels, failures to read, templates."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cached_property

import numpy as np
import numpy.typing as npt

from benchmark.digest import digest
from benchmark.interfaces import Samples
from benchmark.pipeline.workshop import Workshop
from benchmark.store import Artefact


class Originals:
    """One batch of unprotected samples."""

    def __init__(self, workshop: Workshop, ids: tuple[str, ...]) -> None:
        self.workshop = workshop
        self.ids = ids

    @cached_property
    def key(self) -> str:
        """Names the pixels without decoding them: ids, file digests, and the code that decodes."""
        return digest("samples", self.workshop.reading, list(self.ids), self.workshop.fingerprint(self.ids))

    @cached_property
    def pixels(self) -> Samples:
        """Pixels of the whole batch (uint8, N x H x W x 3; zeros where a sample could not be read)."""
        pixels: Samples = self.workshop.stored("pixels", self.key, self._load).arrays["samples"]
        return pixels

    @cached_property
    def fingerprint(self) -> Artefact:
        """Failed (bool, N); the header has digests of ids and pixels, and of pixels alone, and why samples failed."""

        def compute() -> Artefact:
            loaded = self.workshop.stored("pixels", self.key, self._load)
            samples, failed = loaded.arrays["samples"], loaded.arrays["failed"]
            named = {"pixels": digest(list(self.ids), samples, failed), "content": content_key(samples, failed)}
            header = {**named, **loaded.header}
            return Artefact({"failed": failed}, header)

        return self.workshop.stored("originals", self.key, compute)

    @property
    def present(self) -> npt.NDArray[np.bool_]:
        """Which samples of the batch could be read (bool, N)."""
        return ~np.asarray(self.fingerprint.arrays["failed"], bool)

    @property
    def samples(self) -> Samples:
        """The pixels of the samples that could be read (uint8, M x H x W x 3)."""
        return np.ascontiguousarray(self.pixels[self.present])

    def _load(self) -> Artefact:
        start = time.process_time()
        loaded = self.workshop.dataset.load(self.ids)
        self.workshop.count("load", time.process_time() - start, len(self.ids))
        return Artefact({"samples": loaded.samples, "failed": loaded.failed}, {"reasons": dict(loaded.reasons)})

    def templates(self, recogniser: str) -> Artefact:
        """Templates of the originals (float32, N x D) and failed (bool, N)."""
        content = str(self.fingerprint.header["content"])
        return embed(self.workshop, recogniser, content, lambda: (self.samples, self.present))


def content_key(samples: Samples, failed: npt.NDArray[np.bool_]) -> str:
    """Names N images (uint8, N x H x W x 3; zeros where failed) by what they show, whoever made them."""
    return digest("images", samples, failed)


def template_key(workshop: Workshop, recogniser: str, source: str) -> str:
    """Names the templates of the images that are filed under `source`."""
    return digest("embed", workshop.recogniser_digest(recogniser), source)


def embed(
    workshop: Workshop, recogniser: str, source: str, images: Callable[[], tuple[Samples, npt.NDArray[np.bool_]]]
) -> Artefact:
    """Templates (float32, N x D; zeros where failed) and failed (bool, N) of the images filed under `source`.

    `images` is called only where they are not in the store; it gives the images that are there (M) and which of the N
    samples of the batch these are (bool, N).
    """

    def compute() -> Artefact:
        samples, present = images()
        method = workshop.recogniser(recogniser)
        start = time.process_time()
        templates = np.zeros((len(present), method.dimension), np.float32)
        if len(samples):
            templates[present] = method.embed(samples)
        workshop.count(f"recognise {recogniser}", time.process_time() - start, len(samples))
        return Artefact({"templates": templates, "failed": ~present}, {})

    return workshop.stored("templates", template_key(workshop, recogniser, source), compute)
