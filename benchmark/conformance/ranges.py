"""Whether `encrypted_ranges` says what is encrypted: attacks that know the window rely on it, and so does the board."""

from __future__ import annotations

from collections.abc import Sequence

from benchmark.conformance.alignment import lay_beside
from benchmark.conformance.settings import Setting
from benchmark.conformance.trial import Skipped, Unmet
from benchmark.submission import ProtectorManifest


def check_ranges(manifest: ProtectorManifest, settings: Sequence[Setting]) -> str:
    """Hold the ranges of every file against what differs from the plain one; Unmet where more differs."""
    if manifest.domain != "codestream":
        raise Skipped("only codestreams have them")
    shares, compared = [], 0
    for setting in settings:
        found = _compared(setting, manifest)
        compared += found
        shares += [
            row[2] / len(item)
            for batch in setting.batches
            if batch.ranges is not None
            for row, item in zip(batch.ranges.tolist(), batch.protected, strict=True)
        ]
    said = f"{100 * min(shares):.2f} to {100 * max(shares):.2f} % of the bytes"
    return f"{said}; {compared} of {len(shares)} files could be compared with plain ones"


def _compared(setting: Setting, manifest: ProtectorManifest) -> int:
    """How many files of one setting could be laid beside their plain ones; only opaque ones need not be."""
    count = 0
    for batch in setting.batches:
        assert batch.ranges is not None
        for number, (start, end, encrypted) in enumerate(batch.ranges.tolist()):
            where = f"codestream {number} {batch.label} ({setting.name})"
            plain, cipher = setting.prepared[number], batch.protected[number]
            assert isinstance(cipher, bytes)
            laid = lay_beside(plain, cipher, (start, end)) if isinstance(plain, bytes) else None
            if laid is None:
                if manifest.format != "opaque":
                    raise Unmet(f"{where} has other packets or segments than a plain file, so nothing shows its range")
                continue
            count += 1
            changed = laid.changed()
            if ((changed < start) | (changed >= end)).any():
                raise Unmet(f"bytes of {where} differ outside its range {start}..{end}")
            if len(changed) > encrypted:
                raise Unmet(f"{len(changed)} bytes of {where} differ, but it says {encrypted} encrypted")
    return count
