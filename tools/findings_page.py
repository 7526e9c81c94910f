"""What the pages of findings have in common: names, rendering, sentences that records must bear out, `--check`."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

#: Headings that leave room for numbers.
SHORT = {
    "lbp": "LBP", "mblbp": "MB-LBP", "fv-sift": "FV-SIFT", "fv-brief": "FV-BRIEF", "mobilefacenet-casia": "CASIA",
    "mobilefacenet-ms1m": "MS1M", "shufflefacenet-distilled": "Shuffle", "arcface-distilled": "ResNet",
}  # fmt: skip


def render(page: Path, offered: Mapping[str, Any]) -> str:
    """The page of the template beside it; `offered`: what the template may use, and `require`, which may stop it."""

    def require(condition: bool, sentence: str) -> str:
        if not condition:
            raise SystemExit(f"{page.name}: no longer true: {sentence}")
        return ""

    environment = Environment(
        loader=FileSystemLoader(page.parent), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
        keep_trailing_newline=True, autoescape=False,  # Markdown
    )  # fmt: skip
    environment.globals |= {**offered, "require": require}
    text = environment.get_template(f"{page.name}.j2").render()
    # What a template sets and requires leaves empty lines.
    return re.sub(r"\n{3,}", "\n\n", text)


def known(number: float | None) -> float:
    """The number; stops where a page speaks of one that could not be estimated."""
    if number is None:
        raise SystemExit("the page speaks of a number that could not be estimated")
    return number


def write_or_check(page: Path, text: str) -> None:
    """Write a page; with `--check` on the command line change nothing, and stop where it differs."""
    if "--check" not in sys.argv[1:]:
        page.write_text(text, encoding="utf-8")
    elif page.read_text(encoding="utf-8") != text:
        sys.exit(f"docs/{page.name} differs from its records; run {Path(sys.argv[0]).name}")
