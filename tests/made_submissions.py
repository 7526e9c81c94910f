"""Small submissions for tests, written where a test wants them."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent
from typing import Any

import yaml

from benchmark.submission import Submission, load_submission

PROTECTOR: dict[str, Any] = {
    "kind": "protector",
    "version": "1.0.0",
    "title": "A protector of the tests",
    "authors": ["The tests"],
    "licence": "MIT",
    "entry": "method.py:Method",
    "domain": "sample",
    "reversible": True,
    "deterministic": True,
    "keys": ["sample"],
}
ATTACK: dict[str, Any] = {
    "kind": "attack",
    "version": "1.0.0",
    "title": "An attack of the tests",
    "authors": ["The tests"],
    "licence": "MIT",
    "entry": "method.py:Method",
    "domains": ["sample"],
    "returns": "images",
    "deterministic": True,
}
HEAD = """\
import os, signal, subprocess, sys, time
import numpy as np
from benchmark.interfaces import Attack, Protector
"""


def write_submission(root: Path, name: str, code: str, base: dict[str, Any] = PROTECTOR, **manifest: Any) -> Path:
    """Write a submission (its method's code without the usual imports) and return its folder."""
    folder = root / f"{base['kind']}s" / name
    folder.mkdir(parents=True)
    if manifest.get("domain") == "codestream":
        manifest.setdefault("format", "opaque")
    (folder / "submission.yaml").write_text(yaml.safe_dump({**base, "id": name, **manifest}))
    (folder / "method.py").write_text(HEAD + dedent(code))
    (folder / "README.md").write_text("What this is: " + "a submission that the tests write. " * 5)
    return folder


def made(root: Path, name: str, code: str, base: dict[str, Any] = PROTECTOR, **manifest: Any) -> Submission:
    """The same, loaded."""
    return load_submission(write_submission(root, name, code, base, **manifest))
