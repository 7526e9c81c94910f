"""Where tests find the real data, which is never part of the repository; and no haste: first calls may compile."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")

SHARED = Path(__file__).resolve().parents[2] / "shared"


def _existing(path: Path, what: str) -> Path:
    if not path.is_dir():
        pytest.skip(f"{what} not found at {path}; set VEILBENCH_DATA to run this test")
    return path


@pytest.fixture(scope="session")
def data_root() -> Path:
    """The folder with `lfw/` and `weights/` ($VEILBENCH_DATA, or ../shared/data)."""
    root = Path(os.environ.get("VEILBENCH_DATA", SHARED / "data"))
    return _existing(root, "the real LFW data")


@pytest.fixture(scope="session")
def shared_oracles() -> Path:
    """Reference outputs of other programs (../shared/oracles)."""
    return _existing(SHARED / "oracles", "reference outputs")
