"""What every data set promises, and the registry that opens one by its id."""

from __future__ import annotations

import importlib
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, ValidationError

from benchmark.errors import InvalidInputError, unknown
from benchmark.interfaces import Samples

#: Height and width of every aligned sample, in pixels.
SIDE = 112

#: Data set id -> module:class. A module is imported only when its data set is opened.
_REGISTRY = {
    "folder": "benchmark.datasets.folder:FolderDataset",
    "lfw": "benchmark.datasets.lfw:LfwDataset",
    "synthetic": "benchmark.datasets.synthetic:SyntheticDataset",
}


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


def dataset_ids() -> list[str]:
    """The ids that `open_dataset` knows.

    >>> dataset_ids()
    ['folder', 'lfw', 'synthetic']
    """
    return sorted(_REGISTRY)


def open_dataset(dataset_id: str, parameters: Mapping[str, Any], data_root: Path | None) -> Dataset:
    """Open a data set by id with a protocol's parameters; `data_root` is the folder that `--data` names.

    Raises InvalidInputError for an unknown id, unknown or ill-typed parameters, or data that are not there.

    >>> open_dataset("synthetic", {"seed": 1}, None).subject("s0007/3")
    's0007'
    """
    if dataset_id not in _REGISTRY:
        raise unknown("data set", dataset_id, _REGISTRY)
    module, _, name = _REGISTRY[dataset_id].partition(":")
    cls: type[Dataset] = getattr(importlib.import_module(module), name)
    return cls(_validated(cls, parameters), data_root)


def _validated(cls: type[Dataset], parameters: Mapping[str, Any]) -> Parameters:
    known = cls.parameters.model_fields
    for name in parameters:
        if name not in known:
            raise unknown(f"parameter of data set {cls.id!r}", str(name), known)
    try:
        return cls.parameters.model_validate(dict(parameters))
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise InvalidInputError(f"parameters of data set {cls.id!r}: {faults}") from None
