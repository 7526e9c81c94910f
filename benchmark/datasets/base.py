"""What every data set promises."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict

from benchmark.interfaces import Samples

#: Height and width of every aligned sample, in pixels.
SIDE = 112


@dataclass(frozen=True)
class SampleRef:
    """One sample of a data set: its id (`Aaron_Peirsol/Aaron_Peirsol_0001`, `s0007/3`) and whose face it is."""

    id: str
    subject: str


@dataclass(frozen=True)
class Loaded:
    """N samples in the order in which they were asked for.

    A sample that could not be had (failure to acquire) is all zeros, has `failed` set, and a reason under its id.
    """

    #: uint8, N x 112 x 112 x 3, RGB.
    samples: Samples
    #: bool, N.
    failed: npt.NDArray[np.bool_]
    #: Sample id -> one line naming the file and its fault; empty where nothing failed.
    reasons: Mapping[str, str] = field(default_factory=dict)


class Parameters(BaseModel):
    """Base of a data set's parameters: unknown keys are refused, types are not coerced."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Dataset(ABC):
    """A source of aligned faces. Subclasses take their validated parameters and the data root, and touch no file
    before a sample is asked for, except to see that their folder is there.
    """

    id: ClassVar[str]
    parameters: ClassVar[type[Parameters]]

    @abstractmethod
    def __init__(self, parameters: Any, data_root: Path | None) -> None: ...

    @abstractmethod
    def subject(self, sample_id: str) -> str:
        """Whose face a sample shows; raises InvalidInputError for an id that this data set cannot have."""

    @abstractmethod
    def load(self, ids: Sequence[str]) -> Loaded:
        """The samples (uint8, N x 112 x 112 x 3); a missing or damaged one is flagged, never skipped or resized."""

    @abstractmethod
    def fingerprint(self, ids: Sequence[str]) -> list[str]:
        """One content identity per sample, cheap to have: SHA-256 (64 hex digits), or `missing`."""

    def sample(self, sample_id: str) -> SampleRef:
        """The reference of one sample; raises InvalidInputError for an id that this data set cannot have."""
        return SampleRef(sample_id, self.subject(sample_id))
