"""A contact sheet for an all-pairs protocol: faces down, settings across; below, what who has the key gets back.

Schemes for templates have no picture and are left out.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from benchmark.errors import InvalidInputError
from benchmark.interfaces import Samples
from benchmark.pipeline.all_pairs import AttackedImages
from benchmark.pipeline.attack import learns
from benchmark.pipeline.originals import Originals
from benchmark.pipeline.protected_images import ProtectedImages
from benchmark.pipeline.workshop import Assignment, Workshop
from benchmark.plan import Job, Setting
from benchmark.plots.sheet import few
from benchmark.scenarios import KEYLESS, POLICY, SETS
from benchmark.show import GAP, INK, PAPER
from benchmark.store import write_atomically

#: Pixels: a tile's side, and the height of letters.
SIDE, LETTERS = 72, 11
#: {column: pixels (uint8, N x H x W x 3), failed (bool, N)}.
Block = dict[str, tuple[Samples, npt.NDArray[np.bool_]]]


def draw_scenario_sheet(assignment: Assignment, path: Path, *, samples: int = 4, drawn_faces: bool = True) -> None:
    """Write the contact sheet of an all-pairs protocol as JPEG or PNG: a row a sample, a column a setting.

    Every sample has a key of its own. Below stands what attacks make of them that return images without having learned,
    in the columns of the settings that they undo. `drawn_faces`: of the synthetic data set, else the protocol's first
    samples, each of another person. Raises InvalidInputError where no setting shows anything, or data are missing.
    """
    jobs = [job for job in assignment.plan.jobs if job.protector.submission.protector.domain == "sample"]
    if not jobs:
        raise InvalidInputError(f"{assignment.plan.protocol.id}: no setting protects samples, so there is no picture")
    workshop = Workshop(few(assignment, jobs, samples, drawn_faces))
    try:
        sheet = _drawn(_blocks(workshop, jobs))
    finally:
        workshop.close()
    buffer = io.BytesIO()
    kind = {"format": "JPEG", "quality": 88} if path.suffix.lower() in (".jpg", ".jpeg") else {"format": "PNG"}
    sheet.save(buffer, optimize=True, **kind)
    write_atomically(path, buffer.getvalue())


def _blocks(workshop: Workshop, jobs: Sequence[Job]) -> list[tuple[list[str], Block]]:
    """[(titles, block)]: what is stolen, then what attacks make of it; the first has a column for everything."""
    originals = Originals(workshop, workshop.assignment.batches()[0])
    settings = {job.protector.name: job.protector for job in jobs}
    protected = {name: _protected(workshop, setting, originals) for name, setting in settings.items()}
    stolen = {"original": (originals.pixels, ~originals.present)}
    stolen |= {name: one.images() for name, one in protected.items()}
    attacked: dict[str, Block] = {}
    for job in jobs:
        if job.attack.submission.attack.returns == "images" and not learns(job):
            images = AttackedImages(workshop, job, originals.ids, protected[job.protector.name]).images()
            attacked.setdefault(job.attack.name, {})[job.protector.name] = images
    found: list[tuple[list[str], Block]] = [(["protected"], stolen)]
    for title, block in attacked.items():  # those that share no column share a block
        titles, free = next((one for one in found[1:] if not set(one[1]) & set(block)), ([], {}))
        if not titles:
            found.append((titles, free))
        titles.append(title)
        free |= block
    return found


def _protected(workshop: Workshop, setting: Setting, originals: Originals) -> ProtectedImages:
    """Under a key for each sample, where there is one."""
    sets = SETS if setting.submission.protector.keyed else KEYLESS
    return ProtectedImages(workshop, setting, originals, policy=POLICY[sets["protected-original"][0]])


def _drawn(blocks: Sequence[tuple[list[str], Block]]) -> Image.Image:
    """The blocks one below the other, under the names of schemes and settings, their titles at the left."""
    columns = list(blocks[0][1])
    font = ImageFont.load_default(size=LETTERS)
    left = int(max(font.getlength(title) for titles, _ in blocks for title in titles)) + 3 * GAP
    wide = [max(SIDE, int(font.getlength(_setting(name)))) + GAP for name in columns]
    ends = np.cumsum([left, *wide]).tolist()
    rows = len(blocks[0][1]["original"][0])
    top = 2 * (LETTERS + GAP) + GAP
    tall = rows * (SIDE + GAP) + 2 * GAP
    sheet = Image.new("RGB", (ends[-1] + GAP, top + len(blocks) * tall), PAPER)
    draw = ImageDraw.Draw(sheet)
    for scheme, group in groupby(range(len(columns)), key=lambda place: columns[place].partition("@")[0]):
        places = list(group)
        named = [_setting(columns[place]) for place in places]
        start, end = ends[places[0]], ends[places[-1] + 1] - GAP
        if named != [scheme]:
            draw.text((start, GAP), scheme, fill=INK, font=font)
            draw.line((start, GAP + LETTERS + 4, end - 2, GAP + LETTERS + 4), fill=INK)
        for place, name in zip(places, named, strict=True):
            draw.text((ends[place], 2 * GAP + LETTERS), name, fill=INK, font=font)
    for number, (titles, block) in enumerate(blocks):
        above = top + number * tall
        draw.text((GAP, above + GAP), "\n".join(titles), fill=INK, font=font)
        for name, (pixels, failed) in block.items():
            for row, (tile, missing) in enumerate(zip(pixels, failed, strict=True)):
                _tile(sheet, draw, (ends[columns.index(name)], above + row * (SIDE + GAP)), tile, bool(missing))
    return sheet


def _tile(
    sheet: Image.Image, draw: ImageDraw.ImageDraw, corner: tuple[int, int], tile: npt.NDArray[np.uint8], missing: bool
) -> None:
    """One sample; crossed out where there is nothing to show."""
    right, bottom = corner[0] + SIDE - 1, corner[1] + SIDE - 1
    if missing:
        draw.rectangle((*corner, right, bottom), outline=INK)
        draw.line((*corner, right, bottom), fill=INK)
    else:
        sheet.paste(Image.fromarray(tile).resize((SIDE, SIDE), Image.Resampling.LANCZOS), corner)


def _setting(name: str) -> str:
    """What a setting is called under the name of its scheme.

    >>> _setting("block-warping@warp_8_4"), _setting("identity")
    ('warp_8_4', 'identity')
    """
    return name.rpartition("@")[2]
