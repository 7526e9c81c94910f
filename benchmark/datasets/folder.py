"""Your own aligned faces: one folder per identity, images of any usual format in it."""

from __future__ import annotations

from collections import defaultdict
from functools import cached_property
from pathlib import Path

from benchmark.datasets.base import Parameters
from benchmark.datasets.images import ImageFiles
from benchmark.errors import InvalidInputError

SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff", ".ppm", ".pgm")


class FolderParameters(Parameters):
    """`path`: the folder of identity folders; a relative one starts at the data root."""

    path: str


class FolderDataset(ImageFiles):
    """`PATH/<identity>/<image>`: aligned crops of 112x112. A sample's id is `<identity>/<image without its suffix>`."""

    id = "folder"
    parameters = FolderParameters

    def __init__(self, parameters: FolderParameters, data_root: Path | None) -> None:
        given = Path(parameters.path)
        if data_root is None and not given.is_absolute():
            raise InvalidInputError(
                f"data set 'folder': path {parameters.path!r} is relative; name its root with --data"
            )
        self._root = given if data_root is None else data_root / given
        if not self._root.is_dir():
            raise InvalidInputError(f"data set 'folder': no folder {self._root}; it holds one folder per identity")

    @cached_property
    def _files(self) -> dict[str, list[Path]]:
        """Sample id -> its files: one, unless two differ in suffix alone."""
        files: dict[str, list[Path]] = defaultdict(list)
        for path in sorted(self._root.glob("*/*")):
            if path.suffix.lower() in SUFFIXES:
                files[f"{path.parent.name}/{path.stem}"].append(path)
        return dict(files)

    def ids(self) -> list[str]:
        """Every sample that is there, sorted: the start of a split file of one's own."""
        return sorted(self._files)

    def subject(self, sample_id: str) -> str:
        """The identity: the folder part of the id."""
        parts = sample_id.split("/")
        # An id becomes a path, so nothing in it may leave the folder.
        if len(parts) != 2 or any(part in ("", ".", "..") or "\\" in part or "\0" in part for part in parts):
            raise InvalidInputError(
                f"{sample_id!r} is no sample id of data set 'folder'; they look like identity/image"
            )
        return parts[0]

    def path(self, sample_id: str) -> Path:
        """Its file, or a name that says where it would be; refuses what is no id, and two files of one id."""
        self.subject(sample_id)
        found = self._files.get(sample_id, [])
        if len(found) > 1:
            names = " and ".join(path.name for path in found)
            raise InvalidInputError(f"data set 'folder': {sample_id!r} is ambiguous in {self._root}: {names}; keep one")
        return found[0] if found else self._root / f"{sample_id}.*"
