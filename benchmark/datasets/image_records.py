"""Faces in RecordIO as InsightFace files them: `train.rec`, `train.idx`, and, where it is there, `train.lst`.

Record 0 names two keys, N + 1 and the end: images are records 1 to N, identities those from N + 1 on, and an
identity's record names the range of its images. Each record starts with MXNet's header: flag (uint32), label
(float32), two ids (uint64), and, where the flag is not 0, that many labels (float32) more, which then count.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NoReturn

from benchmark.datasets.recordio import RecordFile
from benchmark.errors import InvalidInputError

_HEADER = struct.Struct("<IfQQ")


@dataclass(frozen=True)
class ImageRecord:
    """A record: its labels (of an image: the identity's number first), and the file in it (empty where none is)."""

    labels: tuple[float, ...]
    content: bytes


def unpack(record: bytes) -> ImageRecord | None:
    """A record's labels and file; None where it is too short for what its header says.

    >>> unpack(_HEADER.pack(0, 7.0, 12, 0) + b"image")
    ImageRecord(labels=(7.0,), content=b'image')
    """
    if len(record) < _HEADER.size:
        return None
    flag, label, _, _ = _HEADER.unpack_from(record)
    end = _HEADER.size + 4 * flag
    if len(record) < end:
        return None
    labels = struct.unpack_from(f"<{flag}f", record, _HEADER.size) if flag else (label,)
    return ImageRecord(labels, record[end:])


class FaceRecords:
    """The images of `folder/train.rec` by id, `<identity>/<image>`.

    The names are those of `train.lst` (`0000045/001`); without that file identity and image have their numbers, of
    seven digits. Raises InvalidInputError, with the file and the place in it, where the three files do not agree.
    """

    def __init__(self, folder: Path) -> None:
        self._list = folder / "train.lst"
        index = folder / "train.idx"
        self._records = RecordFile(folder / "train.rec", index if index.is_file() else None)
        self._labels = self._read_labels()

    def ids(self) -> list[str]:
        """Every image's id, in the order of the file."""
        return list(self._keys)

    def content(self, sample_id: str) -> bytes | None:
        """The file of an image (bytes of a JPEG); None where there is no image of that id.

        Raises InvalidInputError where the record is damaged, or is another identity's than its range says.
        """
        key = self._keys.get(sample_id)
        if key is None:
            return None
        record = self._unpacked(key)
        if record.labels[0] != self._labels[key]:
            self._wrong(key, f"label {record.labels[0]:g}, among images of identity {self._labels[key]}")
        return record.content

    @cached_property
    def _keys(self) -> dict[str, int]:
        if not self._list.is_file():
            return {f"{label:07d}/{key:07d}": key for key, label in self._labels.items()}
        return self._named()

    def _read_labels(self) -> dict[int, int]:
        """{key of an image: its identity's number}, in the order of keys."""
        if 0 in self._records and len(self._unpacked(0).labels) == 2 and not self._unpacked(0).content:
            return self._ranges(*self._range(0))
        # Packed by MXNet's own tool: no identities' records, so every image is asked.
        return {key: self._label(key) for key in sorted(self._records.keys())}

    def _ranges(self, images: int, end: int) -> dict[int, int]:
        missing = sorted(set(range(min(end, 2 * len(self._records)))) - set(self._records.keys()))
        if missing and len(self._records) < end:
            raise InvalidInputError(
                f"{self._records.index or self._records.path}: record {missing[0]} is missing, of {end} there should "
                f"be ({len(self._records)} are there); fetch the files again"
            )
        if len(self._records) != end:
            self._wrong(0, f"announces {end} records, and there are {len(self._records)}")
        labels: dict[int, int] = {}
        for key in range(images, end):
            start, stop = self._range(key)
            if start != len(labels) + 1 or not start < stop <= images:
                self._wrong(key, f"an identity of the images {start} to {stop - 1}, after image {len(labels)}")
            labels |= dict.fromkeys(range(start, stop), self._label(start))
        if len(labels) != images - 1:
            self._wrong(0, f"{images - 1} images, of which {len(labels)} belong to an identity")
        return labels

    def _range(self, key: int) -> tuple[int, int]:
        """The two labels of a record that names a range of others."""
        labels = self._unpacked(key).labels
        if len(labels) != 2:
            self._wrong(key, f"{len(labels)} labels, where a range has two")
        return self._whole(key, labels[0]), self._whole(key, labels[1])

    def _label(self, key: int) -> int:
        labels = self._unpacked(key).labels
        return self._whole(key, labels[0])

    def _whole(self, key: int, label: float) -> int:
        if not (label >= 0 and label.is_integer()):
            self._wrong(key, f"label {label:g} is no number from 0 on")
        return int(label)

    def _named(self) -> dict[str, int]:
        """Ids by `train.lst`, whose lines are `1<TAB>path<TAB>label...`, in the order of the images."""
        try:
            lines = self._list.read_text("utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise InvalidInputError(f"{self._list}: cannot be read as text ({error})") from None
        if len(lines) != len(self._labels):
            raise InvalidInputError(
                f"{self._list}: {len(lines)} lines for {len(self._labels)} images; move it away to name them by number"
            )
        keys: dict[str, int] = {}
        for number, (line, (key, label)) in enumerate(zip(lines, self._labels.items(), strict=True), start=1):
            cells = line.split("\t")
            parts = Path(cells[1].replace("\\", "/")).parts if len(cells) >= 3 else ()
            name = f"{parts[-2]}/{Path(parts[-1]).stem}" if len(parts) >= 2 else ""
            if not name or name in keys or cells[2] != str(label):
                raise InvalidInputError(
                    f"{self._list}:{number}: expected '1<TAB>identity/image.jpg<TAB>{label}', each image once, got "
                    f"{line[:80]!r}; move the file away to name images by number"
                )
            keys[name] = key
        return keys

    def _unpacked(self, key: int) -> ImageRecord:
        record = unpack(self._records.read(key))
        if record is None:
            self._wrong(key, "too short for its header")
        return record

    def _wrong(self, key: int, what: str) -> NoReturn:
        raise InvalidInputError(f"{self._records.path}: record {key}: {what}; fetch the files again")
