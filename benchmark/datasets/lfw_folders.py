"""Which folders of LFW's crops are here.

Apart from lfw.py, whose code names stored samples, and through them seeds what protectors and attacks draw: that stays
as it is, so that records come out as they were.
"""

from __future__ import annotations

import re
from pathlib import Path

from benchmark.datasets.lfw import LfwParameters, lfw_status

_OTHERS = "aligned112_extra"
#: Of people who are in no pair of View 2: what attacks on cancelable biometrics learn from (splits/lfw-attacker.txt).
_ATTACKER = 1549


def present_folders(parameters: LfwParameters, data_root: Path | None) -> LfwParameters:
    """The parameters without the folders that are not there, as long as one is.

    A sample comes from whichever folder has it: published crops come in two, `veilbench data fetch lfw` puts all into
    one. Where none is there, and for what is no plain name, nothing is left out: the data set says what is wrong.

    >>> present_folders(LfwParameters(folders=["a", "b"]), None).folders
    ['a', 'b']
    """
    if data_root is None:
        return parameters
    there = [name for name in parameters.folders if (data_root / "lfw" / name).is_dir()]
    odd = [name for name in parameters.folders if not re.fullmatch(r"\w+", name)]
    return LfwParameters(folders=there) if there and not odd else parameters


def lfw_crops_status(data_root: Path | None) -> str:
    """One line: how many aligned crops are in either folder under the data root, and what needs how many.

    >>> lfw_crops_status(None)
    'lfw: missing; aligned 112x112 crops belong at DIR/lfw/aligned112/<name>/<name>_NNNN.jpg'
    """
    line = lfw_status(data_root)
    if data_root is None or not (data_root / "lfw").is_dir():
        return line
    folder = data_root / "lfw" / _OTHERS
    count = sum(1 for _ in folder.glob("*/*.jpg"))
    return f"{line}; {count} in {folder} (lfw-cancelable-* need {_ATTACKER} of other people too, in either folder)"
