"""One batch of images under one setting and one set of keys: kept while it is looked at, its templates longer."""

from __future__ import annotations

from functools import cached_property

import numpy as np
import numpy.typing as npt

from benchmark.digest import digest, generator
from benchmark.interfaces import Samples
from benchmark.npz import encode_batch
from benchmark.pipeline.originals import Originals, content_key, embed, template_key
from benchmark.pipeline.protection import Protection
from benchmark.pipeline.workshop import Workshop
from benchmark.plan import Setting
from benchmark.store import Artefact
from benchmark.submission import KeyPolicy


class ProtectedImages(Protection):
    """A batch in the domain sample; `owners`: the samples whose keys are used, where these are not the batch's own.

    With `flipped`, under these keys with one bit of each flipped.
    """

    def __init__(
        self,
        workshop: Workshop,
        setting: Setting,
        originals: Originals,
        *,
        holder: str = "owner",
        policy: KeyPolicy,
        flipped: bool = False,
        owners: tuple[str, ...] | None = None,
    ) -> None:
        super().__init__(workshop, setting, originals, holder=holder, policy=policy)
        self.flipped, self.owners = flipped, owners

    @cached_property
    def key(self) -> str:
        """Names the protected batch."""
        own = super().key
        own = own if self.owners is None else digest("under others' keys", own, list(self.owners))
        return digest("under flipped keys", own) if self.flipped else own

    def keys(self) -> list[bytes]:
        """One 32-byte key for each sample that is present."""
        ids = self.owners or self.originals.ids
        held = [name for name, here in zip(ids, self.originals.present, strict=True) if here]
        return self.workshop.sample_keys(held, holder=self.holder, policy=self.policy, flipped=self.flipped)

    @cached_property
    def artefact(self) -> Artefact:
        """The protected batch, computed anew: images are quicker to make than to file for every set of keys."""
        prepared, keys = self.prepared(), self.keys()
        process = self.workshop.process(self.setting)
        protected = process.protect(prepared, keys, generator=generator("protect", self.setting.digest, self.key))
        return Artefact(dict(encode_batch(protected)), self.workshop.timing("protect", process, len(keys)))

    def forget(self) -> None:
        """Let go of the images."""
        self.__dict__.pop("artefact", None)

    @cached_property
    def filed(self) -> Artefact:
        """Failed (bool, N); the header has the timing, and `content`, by which templates of the images are filed."""

        def compute() -> Artefact:
            samples, failed = self.images()
            return Artefact({"failed": failed}, {**self.artefact.header, "content": content_key(samples, failed)})

        return self.workshop.stored("attacked", digest("protected images", self.key), compute)

    def images(self) -> tuple[Samples, npt.NDArray[np.bool_]]:
        """The protected images (uint8, N x H x W x 3; zeros where failed) and failed (bool, N)."""
        present = self.originals.present
        samples = np.zeros((len(present), *self.originals.pixels.shape[1:]), np.uint8)
        samples[present] = self.protected()
        return samples, ~present

    def template_key(self, recogniser: str) -> str:
        """Names the templates of the protected images."""
        return template_key(self.workshop, recogniser, str(self.filed.header["content"]))

    def templates(self, recogniser: str) -> Artefact:
        """Templates of the protected images (float32, N x D) and failed (bool, N)."""

        def present() -> tuple[Samples, npt.NDArray[np.bool_]]:
            samples, failed = self.images()
            return np.ascontiguousarray(samples[~failed]), ~failed

        return embed(self.workshop, recogniser, str(self.filed.header["content"]), present)

    def header(self, recogniser: str) -> dict[str, float]:
        """Seconds and samples of protecting."""
        return dict(self.filed.header)
