"""Loads a baseline's class from its folder, as the harness does: with every declared parameter, by keyword."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

from benchmark.submission import load_submission

BASELINES = Path(__file__).resolve().parents[1] / "baselines"


def load_baseline(place: str, preset: str | None = None, **parameters: Any) -> Any:
    """An instance of `protectors/identity` and the like, in a preset, with other parameters over it."""
    submission = load_submission(BASELINES / place)
    file, _, name = submission.manifest.entry.partition(":")
    spec = importlib.util.spec_from_file_location(f"baseline_{place.replace('/', '_')}", submission.folder / file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return getattr(module, name)(**submission.resolve(parameters, preset))
