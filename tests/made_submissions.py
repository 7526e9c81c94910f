"""Small submissions for tests, written where a test wants them."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent
from typing import Any

import yaml

from benchmark.conformance import validate
from benchmark.protocol_schema import Limits
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
#: A sound protector of JPEG 2000 files, and its manifest; tests replace a line.
WINDOW_CODE = """
from benchmark.jpeg2000 import decode_standard, decrypt, encode, encrypt, encrypted_ranges
from benchmark.jpeg2000.markers import main_header_bytes

COMMENT = bytes.fromhex("ff640005000178")

class Method(Protector):
    def __init__(self, *, size):
        self.size = size
        self.window = {"offset": 6, "size": size, "window_base": "packet-bodies"}
    def prepare(self, samples):
        return [encode(sample, layers=6) for sample in samples]
    def protect(self, prepared, keys, *, generator):
        return [self.encrypted(item, key) for item, key in zip(prepared, keys)]
    def encrypted(self, item, key):
        return encrypt(item, key=key, **self.window)
    def recover(self, protected, keys):
        bare = [item.replace(COMMENT, b"") for item in protected]
        plain = [decrypt(item, key=key, **self.window) for item, key in zip(bare, keys)]
        return np.stack([decode_standard(item) for item in plain])
    def encrypted_ranges(self, protected):
        return np.array([self.range_of(item) for item in protected], np.int64)
    def range_of(self, item):
        return encrypted_ranges(item, **self.window)
    def commented(self, item):
        header = len(main_header_bytes(item))
        return item[:header] + COMMENT + item[header:]
"""
WINDOW: dict[str, Any] = {
    **PROTECTOR,
    "domain": "codestream",
    "format": "jpeg2000",
    "prepare": [],
    "parameters": {"size": {"type": "int", "default": 5}},
}
HEAD = """\
import os, signal, subprocess, sys, time
import numpy as np
from benchmark.interfaces import Attack, Protector
"""


def replaced(code: str, old: str, new: str) -> str:
    """The code with one passage, which must be there, in other words."""
    assert code.count(old) == 1, old
    return code.replace(old, new)


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


def failed_checks(root: Path, code: str, base: dict[str, Any] = PROTECTOR, **manifest: Any) -> dict[str, str]:
    """{check: message} of the checks that such a submission does not pass."""
    limits = Limits(seconds_per_sample=5, seconds_to_start=60)
    report = validate(write_submission(root, "tried", code, base, **manifest), limits=limits)
    return {finding.name: finding.message for finding in report.findings if finding.status == "fail"}
