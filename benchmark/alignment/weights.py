"""The detector's weights: which file, by SHA-256, and where it is looked for."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import platformdirs

from benchmark.errors import InvalidInputError


@dataclass(frozen=True)
class DetectorWeights:
    """A weights file: what it is of, what its network sees, and where it comes from."""

    file: str
    sha256: str
    network: str
    #: In words: a detector sees whole pictures, and no crop of 112 x 112 as recognisers do.
    input: str
    source: str
    licence: str
    training: str


RETINAFACE = DetectorWeights(
    file="retinaface_mobilenet025.safetensors",
    sha256="3387e3885ed46cb5889f130c5ca905edab0b97a500d1aa1e71ab027824e0da13",
    network="retinaface-mobilenet0.25",
    input="whole pictures of any size, pixels 0..255 less (123, 117, 104) of RGB",
    source="github.com/foamliu/MobileFaceNet, commit a6cc9032a659b615f477833e1a70b5e7931bcccc, "
    "retinaface/weights/mobilenet0.25_Final.pth",
    licence="Apache-2.0",
    training="WIDER FACE",
)


def _folders(data: Path | None) -> list[Path]:
    cache = Path(platformdirs.user_cache_dir("veilbench", appauthor=False)) / "weights"
    return [*([data / "weights"] if data else []), cache]


def find_detector(data: Path | None, weights: DetectorWeights = RETINAFACE) -> Path:
    """The weights file, in `<data>/weights/` or the user's cache; its content is not checked yet.

    Raises InvalidInputError where it is in neither, saying where to put it.
    """
    folders = _folders(data)
    for folder in folders:
        if (folder / weights.file).is_file():
            return folder / weights.file
    place = folders[0] if data else "weights/ under the data folder (--data or VEILBENCH_DATA)"
    raise InvalidInputError(
        f"face detector: no weights {weights.file} in {place}; put the file there "
        f"(SHA-256 {weights.sha256}; made from {weights.source})"
    )


def read_detector(path: Path, weights: DetectorWeights = RETINAFACE) -> Mapping[str, npt.NDArray[np.float32]]:
    """The file's tensors by name; raises InvalidInputError for another SHA-256, and where it cannot be read."""
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        content = path.read_bytes()
    except OSError as error:
        raise InvalidInputError(f"{path}: cannot be read ({error.strerror})") from error
    found = hashlib.sha256(content).hexdigest()
    if found != weights.sha256:
        raise InvalidInputError(f"{path}: SHA-256 is {found}, expected {weights.sha256}; replace the file")
    try:
        return dict(load(content))
    except SafetensorError as error:
        raise InvalidInputError(f"{path}: is not a safetensors file ({error})") from error


def detector_state(data: Path | None, weights: DetectorWeights = RETINAFACE) -> str:
    """Where the detector's weights are and whether their digest is right, or that they are missing."""
    folders = _folders(data)
    path = next((folder / weights.file for folder in folders if (folder / weights.file).is_file()), None)
    if path is None:
        return f"missing; put it into {folders[0]}"
    if hashlib.sha256(path.read_bytes()).hexdigest() == weights.sha256:
        return str(path)
    return f"{path} has another SHA-256 than {weights.sha256}: replace it"


def detector_status(data: Path | None, weights: DetectorWeights = RETINAFACE) -> str:
    """`detector_state` as a line of its own."""
    return f"weights of the face detector: {weights.file}: {detector_state(data, weights)}"
