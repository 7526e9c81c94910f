"""CASIA-WebFace (Yi et al., arXiv:1411.7923): 494,414 photographs of 10,575 people, as folders or as RecordIO."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import numpy as np

from benchmark.datasets.base import SIDE, Loaded, Parameters
from benchmark.datasets.image_records import FaceRecords
from benchmark.datasets.images import ImageFaultError, ImageFiles, decode_crop
from benchmark.errors import InvalidInputError

_ID = re.compile(r"(?P<name>[\w.-]+)/(?P<image>[\w.-]+)")
PLACE = "casia-webface"


class CasiaWebFaceParameters(Parameters):
    """None: what lies under the data root decides the layout."""


class CasiaWebFaceDataset(ImageFiles):
    """`<root>/casia-webface/`: aligned 112x112 crops, `<identity>/<image>.jpg`, or InsightFace's `train.rec`,
    `train.idx` and `train.lst`; where `train.rec` is there, it counts.

    A sample's id is `<identity>/<image>`. No photograph is fetched: CASIA-WebFace is given out for research by the
    Institute of Automation of the Chinese Academy of Sciences.
    """

    id = "casia-webface"
    parameters = CasiaWebFaceParameters

    def __init__(self, parameters: CasiaWebFaceParameters, data_root: Path | None) -> None:
        if data_root is None or not (data_root / PLACE).is_dir():
            raise InvalidInputError(
                f"data set 'casia-webface': no folder {data_root or 'DIR'}/{PLACE}; it holds <identity>/<image>.jpg or "
                "train.rec, train.idx and train.lst (--data DIR); 'lfw106' is a stand-in for its reference set"
            )
        self._root = data_root / PLACE
        self._recorded = (self._root / "train.rec").is_file()

    @cached_property
    def _records(self) -> FaceRecords:
        return FaceRecords(self._root)

    def ids(self) -> list[str]:
        """Every sample that is there, sorted."""
        if self._recorded:
            return sorted(self._records.ids())
        return sorted(f"{path.parent.name}/{path.stem}" for path in self._root.glob("*/*.jpg"))

    def subject(self, sample_id: str) -> str:
        """The identity: the folder part of the id."""
        match = _ID.fullmatch(sample_id)
        # An id becomes a path: names made of dots alone would leave the folder.
        if match is None or any(set(part) == {"."} for part in match.groups()):
            raise InvalidInputError(
                f"{sample_id!r} is no sample id of data set 'casia-webface'; they look like 0000045/001"
            )
        return match["name"]

    def path(self, sample_id: str) -> Path:
        """Its file in the folder layout, or where it would be; refuses what is no id."""
        self.subject(sample_id)
        return self._root / f"{sample_id}.jpg"

    def load(self, ids: Sequence[str]) -> Loaded:
        """The crops (uint8, N x 112 x 112 x 3); missing, damaged and wrong-size ones are flagged with the reason.

        Raises InvalidInputError, naming file and byte, where RecordIO itself is damaged.
        """
        if not self._recorded:
            return super().load(ids)
        samples = np.zeros((len(ids), SIDE, SIDE, 3), np.uint8)
        failed = np.zeros(len(ids), np.bool_)
        reasons: dict[str, str] = {}
        for i, sample_id in enumerate(ids):
            content = self._content(sample_id)
            try:
                if content is None:
                    raise ImageFaultError("is missing")
                samples[i] = decode_crop(content)
            except ImageFaultError as fault:
                failed[i] = True
                reasons[sample_id] = f"{self._root / 'train.rec'}: {sample_id} {fault}"
        return Loaded(samples, failed, reasons)

    def fingerprint(self, ids: Sequence[str]) -> list[str]:
        """SHA-256 of each image file's bytes, the same in both layouts, or `missing`."""
        if not self._recorded:
            return super().fingerprint(ids)
        contents = [self._content(sample_id) for sample_id in ids]
        return ["missing" if content is None else hashlib.sha256(content).hexdigest() for content in contents]

    def _content(self, sample_id: str) -> bytes | None:
        self.subject(sample_id)
        return self._records.content(sample_id)


def casia_webface_status(data_root: Path | None) -> str:
    """One line: which layout is under the data root, or where it belongs.

    >>> casia_webface_status(None)
    'casia-webface: missing; aligned crops or train.rec, train.idx and train.lst belong into DIR/casia-webface'
    """
    folder = None if data_root is None else data_root / PLACE
    if folder is None or not folder.is_dir():
        return (
            f"casia-webface: missing; aligned crops or train.rec, train.idx and train.lst belong into "
            f"{folder or 'DIR/casia-webface'}"
        )
    if (folder / "train.rec").is_file():
        return f"casia-webface: RecordIO in {folder}"
    return f"casia-webface: {sum(1 for path in folder.iterdir() if path.is_dir())} identities in {folder}"
