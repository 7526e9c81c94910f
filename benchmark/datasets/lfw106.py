"""The 106 people with most photographs in LFW, in four subject-disjoint folds: a stand-in for a reference set of
CASIA-WebFace, where that is absent. It is LFW, and results on it are results on LFW.
"""

from __future__ import annotations

import csv
from functools import cached_property
from pathlib import Path

from benchmark.datasets.base import Parameters
from benchmark.datasets.images import ImageFiles
from benchmark.errors import InvalidInputError

LIST = "subjects106.csv"
_FOLDERS = ("aligned112", "aligned112_extra")
_HEADER = ["subject", "image", "fold"]


class Lfw106Parameters(Parameters):
    """None: the list decides."""


class Lfw106Dataset(ImageFiles):
    """The samples of `<root>/lfw/subjects106.csv` (rows `subject,image,fold`), and no others.

    A crop comes from `lfw/aligned112`, or else from `lfw/aligned112_extra`.
    """

    id = "lfw106"
    parameters = Lfw106Parameters

    def __init__(self, parameters: Lfw106Parameters, data_root: Path | None) -> None:
        self._root = (data_root or Path("DIR")) / "lfw"
        if data_root is None or not (self._root / LIST).is_file():
            raise InvalidInputError(
                f"data set 'lfw106': no list {self._root / LIST}; it belongs beside LFW's aligned crops (--data DIR)"
            )

    @cached_property
    def folds(self) -> dict[str, int]:
        """{sample id: fold, 1 to 4}, in the order of the list; raises InvalidInputError for a malformed list."""
        path = self._root / LIST
        found: dict[str, int] = {}
        fold_of: dict[str, str] = {}
        with path.open(newline="", encoding="utf-8") as file:
            for number, row in enumerate(csv.reader(file), start=1):
                if number == 1 and row == _HEADER:
                    continue
                subject, image, fold = row if len(row) == 3 else ("", "", "")
                name = image.removesuffix(".jpg")
                good = name.startswith(f"{subject}/") and name.count("/") == 1 and not set(subject) <= {"."}
                if number == 1 or not good or fold not in ("0", "1", "2", "3") or name in found:
                    raise InvalidInputError(
                        f"{path}:{number}: expected subject,subject/image.jpg,fold (0 to 3), each image once, got "
                        f"{','.join(row)[:80]!r}"
                    )
                if fold_of.setdefault(subject, fold) != fold:
                    raise InvalidInputError(f"{path}:{number}: {subject} is in fold {fold} and in {fold_of[subject]}")
                found[name] = int(fold) + 1
        return found

    def ids(self) -> list[str]:
        """Every sample of the list, in its order."""
        return list(self.folds)

    def subject(self, sample_id: str) -> str:
        """The person's name: the folder part of the id."""
        if sample_id not in self.folds:
            raise InvalidInputError(
                f"{sample_id!r} is no sample of data set 'lfw106': it is not in {self._root / LIST}"
            )
        return sample_id.partition("/")[0]

    def path(self, sample_id: str) -> Path:
        """Its file, in the first of the two folders that has one, or where it would be; refuses what is no id."""
        self.subject(sample_id)
        paths = [self._root / folder / f"{sample_id}.jpg" for folder in _FOLDERS]
        return next((path for path in paths if path.is_file()), paths[0])


def lfw106_status(data_root: Path | None) -> str:
    """One line: whether the list is under the data root, or where it belongs.

    >>> lfw106_status(None)
    'lfw106: missing; its list belongs at DIR/lfw/subjects106.csv'
    """
    path = (data_root or Path("DIR")) / "lfw" / LIST
    return f"lfw106: listed in {path}" if path.is_file() else f"lfw106: missing; its list belongs at {path}"
