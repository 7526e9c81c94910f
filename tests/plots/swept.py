"""Records of sweeps and of named settings, for figures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from records import record

from benchmark.record import Record, record_path, write_record


def swept(
    size: float, progression: str = "layer", attack: str = "direct-decode", eer: float = 0.4, **parameters: Any
) -> Record:
    """A record of a window from offset 0 whose EER is `eer` for the net and 0.45 for lbp."""
    setting = f"window@{progression[0]}w{size:g}o0" + "".join(f"-{value}".lower() for value in parameters.values())
    made = record(setting, attack, eers={"protected-original": {"lbp": 0.45, "net": eer}}, protocol="sweep")
    protector = made.protector.model_copy(
        update={"parameters": {"size": size, "offset": 0.0, "progression": progression, **parameters}}
    )
    return made.model_copy(update={"protector": protector})


def sweep_records() -> list[Record]:
    """Three sizes, two progressions, two attacks, and a setting outside the sweep."""
    sizes = (1.0, 2.0, 10.0)
    found = [
        swept(size, progression, attack, eer=round(0.04 * size + (attack == "other") * 0.05, 3))
        for size in sizes
        for progression in ("layer", "resolution")
        for attack in ("direct-decode", "other")
    ]
    return [*found, record("identity", eers={"protected-original": {"lbp": 0.3, "net": 0.01}}, protocol="sweep")]


def file_all(folder: Path, records: list[Record]) -> Path:
    """Write records onto a board."""
    for one in records:
        write_record(record_path(folder, one.protocol.id, one.setting, one.attack.setting), one)
    return folder
