"""Pictures: of a protocol (originals, attacked, recovered; one row a setting), or of one protected file."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from benchmark.errors import CodestreamError, InvalidInputError
from benchmark.interfaces import Samples
from benchmark.jpeg2000 import decode_standard, packets
from benchmark.pipeline.attack import Attacked
from benchmark.pipeline.originals import Originals
from benchmark.pipeline.protected_images import ProtectedImages
from benchmark.pipeline.workshop import Assignment, Workshop
from benchmark.store import write_atomically

INK, PAPER, GAP, TEXT = (30, 30, 30), (255, 255, 255), 6, 15


def contact_sheet(
    assignment: Assignment, path: Path, *, samples: int = 6, side: int | None = None, recovered: bool = True
) -> None:
    """Write a picture (PNG, or JPEG by its suffix): a row for each setting, a block for each attack.

    The blocks are the originals, what each attack returns, and with `recovered` what the key gives back, `samples`
    columns each; `side`: pixels of a tile's longer side, where it is not to be as large as the sample.

    A tile is crossed out where nothing could be decoded. Raises InvalidInputError where the data are missing or the
    picture cannot be written.
    """
    workshop = Workshop(assignment)
    try:
        rows = _rows(workshop, samples, recovered)
    finally:
        workshop.close()
    _write(path, _draw(rows if side is None else _scaled(rows, side)))


def codestream_picture(file: Path, path: Path) -> str:
    """Write what a standard decoder shows of one protected file as a picture; returns a summary of its packets.

    Raises InvalidInputError where the file cannot be read, and CodestreamError (file, place and fault) where it is
    truncated, malformed or no JPEG 2000 codestream.
    """
    try:
        data = file.read_bytes()
    except OSError as error:
        raise InvalidInputError(f"{file}: cannot be read ({error.strerror}); name a protocol or a codestream") from None
    try:
        table = packets(data)
        sample = decode_standard(data)
    except CodestreamError as error:
        raise CodestreamError(f"{file}: {error}") from None
    _write(path, Image.fromarray(sample))
    bodies = int((table["end"] - table["body"]).sum())
    layers, resolutions = int(table["layer"].max()) + 1, int(table["resolution"].max()) + 1
    return (
        f"{file}: {sample.shape[1]} x {sample.shape[0]}, {len(data)} bytes, {len(table)} packets "
        f"({layers} layers, {resolutions} resolutions), {100 * (1 - bodies / len(data)):.1f} % headers"
    )


def _write(path: Path, picture: Image.Image) -> None:
    """As JPEG where the name says so, for pages; as PNG otherwise, so that a pixel is a pixel."""
    buffer = io.BytesIO()
    if path.suffix.lower() in (".jpg", ".jpeg"):
        picture.save(buffer, format="JPEG", quality=82, optimize=True)
    else:
        picture.save(buffer, format="PNG", optimize=True)
    write_atomically(path, buffer.getvalue())


Tiles = tuple[Samples, npt.NDArray[np.bool_]]


def _rows(workshop: Workshop, samples: int, recovered: bool) -> list[tuple[str, dict[str, Tiles]]]:
    """[(setting, {block: (pixels, failed)})] of the first samples."""
    ids = workshop.assignment.batches()[0][:samples]
    rows: dict[str, dict[str, Tiles]] = {}
    for job in workshop.assignment.plan.jobs:
        if job.protector.submission.protector.domain == "template":
            continue  # there is nothing to be seen
        blocks = rows.setdefault(job.protector.name, {})
        originals = Originals(workshop, ids)
        blocks["original"] = originals.pixels, ~originals.present
        protected = None  # but by the protocol's policy
        if workshop.protocol.all_pairs:  # under keys of their own, or under none
            protected = ProtectedImages(workshop, job.protector, originals, policy="sample")
        attacked = Attacked(workshop, job, ids, protected)
        if protected is not None and job.attack.submission.attack.returns == "protected":
            blocks["protected"] = protected.images()
        elif job.attack.submission.attack.returns == "images":
            blocks[job.attack.name] = attacked.images()
        if recovered and not workshop.protocol.all_pairs and job.protector.submission.protector.reversible:
            back = attacked.protection.recovered().arrays
            pixels = back.get("samples", originals.pixels)
            blocks["recovered"] = pixels[:samples], back["failed"][:samples]
    if not rows:
        raise InvalidInputError(
            f"{workshop.protocol.id}: what was chosen protects templates, of which there are no images"
        )
    return list(rows.items())


def _scaled(rows: Sequence[tuple[str, dict[str, Tiles]]], side: int) -> list[tuple[str, dict[str, Tiles]]]:
    """The tiles with a longer side of so many pixels."""

    def scaled(pixels: Samples) -> Samples:
        height, width = pixels.shape[1:3]
        size = round(width * side / max(height, width)), round(height * side / max(height, width))
        return np.stack([np.asarray(Image.fromarray(tile).resize(size, Image.Resampling.LANCZOS)) for tile in pixels])

    return [
        (name, {block: (scaled(pixels), failed) for block, (pixels, failed) in blocks.items()}) for name, blocks in rows
    ]


def _draw(rows: Sequence[tuple[str, dict[str, Tiles]]]) -> Image.Image:
    names = [name for name in dict.fromkeys(name for _, blocks in rows for name in blocks) if name != "recovered"]
    names += ["recovered"] if any("recovered" in blocks for _, blocks in rows) else []
    first = rows[0][1]["original"][0]
    columns, height, width = len(first), first.shape[1], first.shape[2]
    font = ImageFont.load_default(size=TEXT)
    label = max(int(font.getlength(name)) for name, _ in rows) + 2 * GAP
    block = max(columns * width, *(int(font.getlength(name)) for name in names)) + 2 * GAP
    sheet = Image.new("RGB", (label + len(names) * block, TEXT + 3 * GAP + len(rows) * (height + GAP)), PAPER)
    draw = ImageDraw.Draw(sheet)
    for number, name in enumerate(names):
        draw.text((label + number * block, GAP), name, fill=INK, font=font)
    for number, (setting, blocks) in enumerate(rows):
        top = TEXT + 3 * GAP + number * (height + GAP)
        draw.text((GAP, top + height // 2 - TEXT // 2), setting, fill=INK, font=font)
        for place, name in enumerate(names):
            if name in blocks:
                _tiles(sheet, draw, (label + place * block, top), *blocks[name])
    return sheet


def _tiles(
    sheet: Image.Image,
    draw: ImageDraw.ImageDraw,
    corner: tuple[int, int],
    pixels: Samples,
    failed: npt.NDArray[np.bool_],
) -> None:
    height, width = pixels.shape[1:3]
    for column, (tile, missing) in enumerate(zip(pixels, failed, strict=True)):
        left, top = corner[0] + column * width, corner[1]
        if missing:
            draw.rectangle((left, top, left + width - 2, top + height - 1), outline=INK)
            draw.line((left, top, left + width - 2, top + height - 1), fill=INK)
        else:
            sheet.paste(Image.fromarray(tile), (left, top))
