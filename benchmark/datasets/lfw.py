"""Labeled Faces in the Wild (Huang et al., University of Massachusetts Technical Report 07-49, 2007), aligned crops."""

from __future__ import annotations

import re
from pathlib import Path

from pydantic import Field

from benchmark.datasets.base import Parameters
from benchmark.datasets.images import ImageFiles
from benchmark.errors import InvalidInputError

_ID = re.compile(r"(?P<name>[\w.'-]+)/(?P=name)_\d{4}")


class LfwParameters(Parameters):
    """`folders`: subfolders of `lfw/` that hold crops; a sample comes from the first of them that has its file."""

    folders: list[str] = Field(default=["aligned112"], min_length=1)


class LfwDataset(ImageFiles):
    """`<root>/lfw/aligned112/<name>/<name>_NNNN.jpg`: crops of 112x112 aligned by five landmarks.

    Only the samples that are asked for need to be there: a split of 100 pairs needs its 200 images.
    """

    id = "lfw"
    parameters = LfwParameters

    def __init__(self, parameters: LfwParameters, data_root: Path | None) -> None:
        if data_root is None:
            raise InvalidInputError(
                "data set 'lfw' is not embedded: put the aligned 112x112 crops at "
                "DIR/lfw/aligned112/<name>/<name>_NNNN.jpg and name DIR with --data"
            )
        for folder in parameters.folders:
            if not re.fullmatch(r"\w+", folder):
                raise InvalidInputError(f"parameters of data set 'lfw': folders: {folder!r} is not a plain folder name")
        self._folders = [data_root / "lfw" / folder for folder in parameters.folders]
        absent = [folder for folder in self._folders if not folder.is_dir()]
        if absent:
            raise InvalidInputError(
                f"data set 'lfw': no folder {absent[0]}; LFW's aligned 112x112 crops belong at "
                f"DIR/lfw/{absent[0].name}/<name>/<name>_NNNN.jpg with --data DIR"
            )

    def subject(self, sample_id: str) -> str:
        """The person's name: the folder part of the id."""
        match = _ID.fullmatch(sample_id)
        # An id becomes a path: names made of dots alone would leave the folder.
        if match is None or set(match["name"]) == {"."}:
            raise InvalidInputError(
                f"{sample_id!r} is no LFW sample id; they look like Aaron_Peirsol/Aaron_Peirsol_0001"
            )
        return match["name"]

    def path(self, sample_id: str) -> Path:
        """Its file, in the first of the folders that has one, or where it would be; refuses what is no id."""
        self.subject(sample_id)
        paths = [folder / f"{sample_id}.jpg" for folder in self._folders]
        return next((path for path in paths if path.is_file()), paths[0])


def lfw_status(data_root: Path | None) -> str:
    """One line: how many aligned crops are under the data root, or where they belong.

    >>> lfw_status(None)
    'lfw: missing; aligned 112x112 crops belong at DIR/lfw/aligned112/<name>/<name>_NNNN.jpg'
    """
    folder = None if data_root is None else data_root / "lfw" / "aligned112"
    if folder is None or not folder.is_dir():
        return f"lfw: missing; aligned 112x112 crops belong at {folder or 'DIR/lfw/aligned112'}/<name>/<name>_NNNN.jpg"
    return f"lfw: {sum(1 for _ in folder.glob('*/*.jpg'))} aligned crops in {folder} (View 2 needs 7701)"
