"""How every figure looks: colours that colour-blind people tell apart, and a marker and a dash for everybody else.

Okabe & Ito, Color Universal Design (2008). Their yellow is too light for a line on white; a grey stands in for it.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from benchmark.errors import InvalidInputError
from benchmark.store import write_atomically

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#000000", "#CC79A7", "#56B4E9", "#E69F00", "#7F7F7F")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">")
DASHES: tuple[Any, ...] = ("-", (0, (5, 1.5)), (0, (1.2, 1.2)), (0, (6, 1.5, 1.2, 1.5)), (0, (3, 1)))
INK, FAINT = "#222222", "#8A8A8A"
#: Key scenarios: red is unprotected, blue is what is preserved, green what is protected, purple a stolen key.
BASELINE = "#D7301F"
_SCENARIOS = {
    "same-key": ("#08519C", "o"),
    "key-per-subject": ("#4FA3E0", "s"),
    "different-keys": ("#006D4A", "^"),
    "stolen-key": ("#9A4FA8", "X"),
    "protected-original": ("#5DB761", "v"),
}

_SETTINGS: Any = {
    "svg.hashsalt": "veilbench",  # ids in the file: the same at every run
    "svg.fonttype": "none",  # text stays text: small files, and readers can search it
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],  # comes with matplotlib; a reader without it sees another
    "font.size": 7.5,
    "axes.titlesize": 8.5,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": FAINT,
    "axes.labelcolor": INK,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.linewidth": 0.6,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "lines.linewidth": 1.3,
    "lines.markersize": 3.6,
    "figure.dpi": 100,
}


class Look(NamedTuple):
    """How one attack is drawn."""

    colour: str
    marker: str
    dash: Any


def looks(attacks: Sequence[str]) -> dict[str, Look]:
    """A look for each attack, by its place in the list: give the list of all attacks, so that figures agree.

    The first 360 differ from each other; any eight in a row differ in colour and marker.

    >>> looks(["a", "b"])["b"].marker
    's'
    """
    return {
        name: Look(COLOURS[n % len(COLOURS)], MARKERS[n % len(MARKERS)], DASHES[n % len(DASHES)])
        for n, name in enumerate(attacks)
    }


def scenario_look(scenario: str, *, attacked: int = 0) -> Look:
    """A look for each key scenario, and another marker in its colour for each attack in it (1, 2, ...).

    >>> scenario_look("same-key").marker, scenario_look("different-keys", attacked=1).marker
    ('o', 'D')
    """
    colour, marker = _SCENARIOS[scenario]
    return Look(colour, marker if not attacked else "DPp<>*h8"[(attacked - 1) % 8], DASHES[0])


@contextmanager
def matplotlib_figure(width: float, height: float) -> Iterator[Any]:
    """An empty figure of a width and height in inches, in our style and without a window.

    Raises InvalidInputError where matplotlib is not installed.
    """
    try:
        import matplotlib as mpl
        from matplotlib.figure import Figure
    except ImportError:
        raise InvalidInputError("figures need matplotlib; install it: pip install 'veilbench[plots]'") from None
    with mpl.rc_context(_SETTINGS):
        yield Figure(figsize=(width, height))


def save(figure: Any, path: Path, *, made_from: str) -> None:
    """Write a figure, SVG or PNG by the suffix of `path`, atomically and with the same bytes at every run.

    `made_from`: digest of what it shows; an SVG carries it, and `made_from_of` finds it there.
    """
    buffer = io.BytesIO()
    kind = path.suffix.removeprefix(".")
    metadata = {"Date": None, "Description": _carried(made_from)} if kind == "svg" else {"Software": None}
    figure.savefig(buffer, format=kind, metadata=metadata, dpi=110)
    write_atomically(path, _short(buffer.getvalue()) if kind == "svg" else buffer.getvalue())


def _short(svg: bytes) -> bytes:
    """Without what nobody sees: indentation, and digits after the hundredth of a point."""
    return re.sub(rb"-?\d+\.\d{3,}", lambda number: b"%g" % round(float(number[0]), 2), re.sub(rb"\n +", b"\n", svg))


def made_from_of(path: Path) -> str | None:
    """The digest of what an SVG of ours shows; None for any other file."""
    head = path.read_bytes()[:4000].decode("utf-8", "replace")
    _, found, rest = head.partition(_carried(""))
    return rest[:64] if found else None


def _carried(made_from: str) -> str:
    return f"veilbench plot of {made_from}"
