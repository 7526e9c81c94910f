"""The data sets by id.

Apart from what they promise (base.py): who draws faces from one of them does not count the others as own code.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from benchmark.datasets.base import Dataset, Parameters
from benchmark.datasets.lfw import LfwParameters
from benchmark.datasets.lfw_folders import present_folders
from benchmark.errors import InvalidInputError, unknown

#: Data set id -> module:class. A module is imported only when its data set is opened.
_REGISTRY = {
    "casia-webface": "benchmark.datasets.casia_webface:CasiaWebFaceDataset",
    "folder": "benchmark.datasets.folder:FolderDataset",
    "lfw": "benchmark.datasets.lfw:LfwDataset",
    "lfw106": "benchmark.datasets.lfw106:Lfw106Dataset",
    "synthetic": "benchmark.datasets.synthetic:SyntheticDataset",
}


def dataset_ids() -> list[str]:
    """The ids that `open_dataset` knows.

    >>> dataset_ids()
    ['casia-webface', 'folder', 'lfw', 'lfw106', 'synthetic']
    """
    return sorted(_REGISTRY)


def named_dataset(name: str, data_root: Path | None = None) -> tuple[str, dict[str, Any]]:
    """The id and the parameters of a data set as it is named on the command line: an id, or `folder:PATH`.

    A relative PATH starts at the current folder. What lies under `data_root` is named relative to it, as it is in a
    protocol that others can run. Raises InvalidInputError for what is neither.

    >>> named_dataset("folder:/data/faces", Path("/data"))
    ('folder', {'path': 'faces'})
    """
    dataset_id, colon, given = name.partition(":")
    if not colon:
        if dataset_id not in _REGISTRY:
            raise unknown("data set", dataset_id, _REGISTRY)
        return dataset_id, {}
    if dataset_id != "folder" or not given:
        raise InvalidInputError(f"no data set {name!r}; write an id, or folder:PATH")
    path = Path(given).expanduser().resolve()
    inside = data_root is not None and path.is_relative_to(data_root)
    return "folder", {"path": str(path.relative_to(data_root) if inside and data_root else path)}


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
    checked = _validated(cls, parameters)
    if isinstance(checked, LfwParameters):
        checked = present_folders(checked, data_root)
    return cls(checked, data_root)


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
