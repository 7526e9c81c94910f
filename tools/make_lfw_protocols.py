"""Writes protocols/lfw-jpeg2000-*.yaml: the sweeps of selective JPEG2000 encryption on LFW View 2.

    python tools/make_lfw_protocols.py

Published protocols are frozen: run this to add one, or further recognisers to all (FURTHER_RECOGNISERS of
`lfw_protocol_file`), never to change what can change a result of one whose records are on the board.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import NamedTuple

from lfw_protocol_file import ON, write_protocol

READINGS = {
    "document": "{layers: jj2000, code_block: 64, levels: 5, segmentation_symbols: false, window_base: codestream}",
    "bodies": '{layers: "16", code_block: 32, levels: 5, segmentation_symbols: true, window_base: packet-bodies}',
    # The same with the segmentation symbols the other way round, which tells what they give away.
    "document-symbols": "{<<: *document, segmentation_symbols: true}",
    "bodies-plain": "{<<: *bodies, segmentation_symbols: false}",
}
ATTACKS = """\
attacks:
  - {id: direct-decode}
  - {id: error-concealment, name: jj2000, parameters: {rule: jj2000}}
  - {id: error-concealment, name: forget-plane, parameters: {rule: forget-plane}}
  - {id: error-concealment, name: layer-ends, parameters: {rule: layer-ends}}
  - {id: byte-replacement}
  - {id: layer-truncation}
  - {id: known-window-erase}
  - {id: window-search}
  - {id: header-leak}"""
write_lfw = partial(write_protocol, maker="make_lfw_protocols", attacks=ATTACKS)
PROGRESSIONS = {"l": "layer", "r": "resolution"}


class Window(NamedTuple):
    """One setting: progression (l, r), size and offset in percent, and the reading of what a percent is."""

    progression: str
    size: float
    offset: float
    reading: str

    @property
    def name(self) -> str:
        return f"{self.progression}w{self.size:g}o{self.offset:g}-{self.reading}"

    @property
    def line(self) -> str:
        word = PROGRESSIONS[self.progression]
        parameters = f"{{<<: *{self.reading}, progression: {word}, size: {self.size:g}, offset: {self.offset:g}}}"
        return f"  - {{id: jpeg2000-window, name: {self.name}, parameters: {parameters}}}"


def sweep(windows: Iterable[tuple[float, float]], reading: str) -> list[Window]:
    return [Window(progression, size, offset, reading) for progression in PROGRESSIONS for size, offset in windows]


SMALL = [(0.5, offset) for offset in range(16)]
LARGE = [(4, offset) for offset in range(0, 21, 2)]
INCREASING = [(size, 0) for size in range(1, 16)]
NAMED = [("l", 4, 6), ("l", 6, 6), ("l", 8, 4), ("r", 4, 6)]
MILESTONES = [(size, 0) for size in (1, 4, 8, 12)]


def write(name: str, title: str, description: str, windows: list[Window], *, dev: bool, ceiling: bool) -> None:
    """One protocol file; `dev`: on the first 50 + 50 pairs of each fold; `ceiling`: with aes-full."""
    used = {window.reading for window in windows}
    readings = [name for name in READINGS if name in used]
    anchors = "\n".join(f"  - &{reading} {READINGS[reading]}" for reading in readings)
    aes = "  - {id: aes-full}\n" if ceiling else ""
    head = f"""
# Readings of what a percent of the bitstream is, with the coder settings that belong to them.
x-readings:
{anchors}

protectors:
  - {{id: identity}}
{aes}"""
    write_lfw(name, title, description, protectors=head + "\n".join(window.line for window in windows), dev=dev)


def write_whole(*, dev: bool) -> None:
    """The protocol in which every body byte is encrypted, with code-blocks of several sizes."""
    coder = 'layers: "16", levels: 5, segmentation_symbols: false, window_base: packet-bodies, offset: 0, size: 100'
    settings = [
        f"  - {{id: jpeg2000-window, name: whole-{side}, parameters: {{<<: *whole, code_block: {side}}}}}"
        for side in (64, 32, 16)
    ]
    head = f"\nx-coder: &whole {{progression: layer, {coder}}}\n\nprotectors:\n  - {{id: identity}}\n"
    write_lfw(
        "lfw-jpeg2000-whole-dev" if dev else "lfw-jpeg2000-whole",
        f"Selective JPEG2000 encryption of all packet bodies, {ON[dev]}",
        "What is left to see when only headers stay in clear, with code-blocks of 64, 32 and 16.",
        protectors=head + "\n".join(settings),
        dev=dev,
    )


def main() -> None:
    sweeps = {
        "small": (SMALL, "small window: 0.5 % at offsets 0 to 15 %"),
        "large": (LARGE, "large window: 4 % at offsets 0 to 20 %"),
        "increasing": (INCREASING, "increasing window: the first 1 to 15 %"),
    }
    named = [Window(*window, reading) for reading in READINGS for window in NAMED]
    named += [window for reading in ("document", "bodies") for window in sweep(MILESTONES, reading)]
    for dev in (True, False):
        suffix, on = "-dev" if dev else "", ON[dev]
        write_whole(dev=dev)
        write(
            f"lfw-jpeg2000-named{suffix}",
            f"Selective JPEG2000 encryption, the named settings, {on}",
            "lw4o6, lw6o6, lw8o4, rw4o6 and the first 1, 4, 8, 12 %, in both readings of the document; the first four "
            "with and without segmentation symbols.",
            named, dev=dev, ceiling=True,
        )  # fmt: skip
        for sweep_name, (windows, words) in sweeps.items():
            for reading, label in (("document", ""), ("bodies", "-bodies")):
                write(
                    f"lfw-jpeg2000-{sweep_name}{label}{suffix}",
                    f"Selective JPEG2000 encryption, {words}, {on}",
                    f"Layer and resolution progression; the reading `{reading}`.",
                    sweep(windows, reading), dev=dev, ceiling=False,
                )  # fmt: skip


if __name__ == "__main__":
    main()
