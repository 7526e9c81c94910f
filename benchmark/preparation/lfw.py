"""Labeled Faces in the Wild through scikit-learn's downloader, into its usual folder; nothing there is ever replaced.

scikit-learn deletes the archive that it has unpacked, unpacks over what lies beside it, and takes a folder that was
half unpacked for the whole. So it works in a folder of its own, and what it brings is moved into place once whole.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import warnings
from pathlib import Path

import platformdirs

from benchmark.errors import InvalidInputError

#: The photographs that LFW has, funneled or not.
IMAGES = 13_233
FOLDER = "lfw_funneled"
ARCHIVE = "lfw-funneled.tgz"
#: Of the archive, SHA-256.
CHECKSUM = "b47c8422c8cded889dc5a13418c4bc2abbda121092b3533a83306f90d900100a"
_LISTS = ("pairsDevTrain.txt", "pairsDevTest.txt", "pairs.txt")
_STAGING = ".veilbench-fetch"


def fetch_lfw(home: Path | None = None) -> Path:
    """The folder `lfw_home/lfw_funneled` of scikit-learn's data, downloaded (some 230 MB) unless it is there already.

    `home`: scikit-learn's data folder; by default its own choice ($SCIKIT_LEARN_DATA, or ~/scikit_learn_data). An
    archive that lies in `lfw_home` is used, and stays. Raises InvalidInputError where nothing can be downloaded.
    """
    from sklearn.datasets import get_data_home

    lfw_home = Path(get_data_home(home)) / "lfw_home"
    photographs = lfw_home / FOLDER
    if not photographs.exists():
        _download(lfw_home)
    return photographs


def own_data_root() -> Path:
    """The user's own data folder, which is used where no other is named; it is made if need be."""
    root = Path(platformdirs.user_data_dir("veilbench", appauthor=False))
    root.mkdir(parents=True, exist_ok=True)
    return root


def lfw_shortfall(photographs: Path) -> str | None:
    """One line where the folder does not hold LFW's 13,233 photographs; None where it does."""
    count = sum(1 for _ in photographs.glob("*/*.jpg"))
    if count == IMAGES:
        return None
    return (
        f"{photographs} holds {count} photographs, not the {IMAGES} of LFW: what is there is used; "
        "for the whole of it, move that folder away and fetch again"
    )


def _download(lfw_home: Path) -> None:
    staging = lfw_home / _STAGING / "lfw_home"
    staging.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(staging / FOLDER, ignore_errors=True)  # half unpacked by a run that was killed
    for name in (*_LISTS, ARCHIVE):
        _lend(lfw_home / name, staging / name)
    _run_scikit_learn(staging.parent)
    for name in _LISTS:
        if not (lfw_home / name).exists():
            (staging / name).replace(lfw_home / name)
    (staging / FOLDER).rename(lfw_home / FOLDER)  # fails, and changes nothing, where there is something by now
    shutil.rmtree(staging.parent)


def _lend(own: Path, copy: Path) -> None:
    """A second name for a file of the user's: scikit-learn deletes the name, and the file stays."""
    if own.is_file() and not copy.exists():
        if own.name == ARCHIVE:
            _check_archive(own)
        try:
            os.link(own, copy)
        except OSError:  # a file system without links
            shutil.copyfile(own, copy)


def _check_archive(path: Path) -> None:
    """scikit-learn checks what it downloads, but not an archive that lies there."""
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != CHECKSUM:
        raise InvalidInputError(f"{path}: SHA-256 is {found}, expected {CHECKSUM}; move the file away, or replace it")


def _run_scikit_learn(home: Path) -> None:
    from sklearn.datasets import fetch_lfw_people

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of attempts that failed and are repeated
            # Nobody has so many photographs. So it downloads and unpacks, decodes none, and says that none is left.
            fetch_lfw_people(data_home=str(home), funneled=True, min_faces_per_person=sys.maxsize)
    except ValueError as error:
        if "min_faces_per_person" not in str(error):
            raise
    except OSError as error:  # no connection, a server's refusal, another checksum
        reason = " ".join(str(error).split()) or type(error).__name__
        raise InvalidInputError(
            f"cannot download LFW ({reason}); go online and run again, or put {ARCHIVE} into {home.parent}, or the "
            f"unpacked photographs at {home.parent / FOLDER}/<name>/<name>_NNNN.jpg"
        ) from None
