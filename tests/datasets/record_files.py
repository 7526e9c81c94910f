"""A writer of RecordIO and of InsightFace's `train.rec`, `.idx` and `.lst`, for the readers' tests."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from pathlib import Path

MAGIC = struct.pack("<I", 0xCED7230A)


def framed(record: bytes) -> bytes:
    """One record as dmlc's writer files it: cut at every magic word that lies at a multiple of 4."""
    cuts = [at for at in range(0, len(record) // 4 * 4, 4) if record[at : at + 4] == MAGIC]
    bounds = [0, *(cut + 4 for cut in cuts)], [*cuts, len(record)]
    parts = [record[start:stop] for start, stop in zip(*bounds, strict=True)]
    kinds = [0] if len(parts) == 1 else [1, *[2] * (len(parts) - 2), 3]
    return b"".join(
        MAGIC + struct.pack("<I", kind << 29 | len(part)) + part + bytes(-len(part) % 4)
        for kind, part in zip(kinds, parts, strict=True)
    )


def write_records(folder: Path, records: Mapping[int, bytes]) -> None:
    """`train.rec` and `train.idx` of records by key."""
    folder.mkdir(parents=True, exist_ok=True)
    content, index = b"", ""
    for key, record in records.items():
        index += f"{key}\t{len(content)}\n"
        content += framed(record)
    (folder / "train.rec").write_bytes(content)
    (folder / "train.idx").write_text(index)


def labelled(labels: Sequence[float], content: bytes = b"", *, key: int = 0) -> bytes:
    """A record with MXNet's header; one label goes into it, more follow it."""
    if len(labels) == 1:
        return struct.pack("<IfQQ", 0, labels[0], key, 0) + content
    return struct.pack("<IfQQ", len(labels), 0.0, key, 0) + struct.pack(f"<{len(labels)}f", *labels) + content


def write_faces(folder: Path, people: Mapping[str, Mapping[str, bytes]], *, names: bool = True) -> None:
    """{identity: {image: file}} as InsightFace's `face2rec2` packs an aligned data set."""
    records: dict[int, bytes] = {0: b""}
    ranges, lines = [], []
    for label, (name, images) in enumerate(people.items()):
        first = len(records)
        for image, content in images.items():
            # Half of the releases file the label alone, half with a flag `aligned` behind it.
            labels = [float(label)] if label % 2 else [float(label), 1.0]
            records[len(records)] = labelled(labels, content, key=len(records))
            lines.append(f"1\t/data/casia/{name}/{image}.jpg\t{label}")
        ranges.append((first, len(records)))
    images = len(records)
    for start, stop in ranges:
        records[len(records)] = labelled([start, stop], key=len(records))
    records[0] = labelled([images, len(records)])
    write_records(folder, records)
    if names:
        (folder / "train.lst").write_text("".join(f"{line}\n" for line in lines))
