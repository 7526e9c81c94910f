"""Whether `encrypted_ranges` says what is encrypted: attacks that know the window rely on it, and so does the board."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from benchmark.conformance.alignment import lay_beside
from benchmark.conformance.settings import Setting
from benchmark.conformance.trial import Skipped, Unmet
from benchmark.submission import ProtectorManifest

#: With fewer encrypted bytes chance decides which of them change: half do at least under each key.
LEAST = 16
#: Bytes at either end of a range that need not change under any key, and a twentieth of the range.
SLACK = 64


def check_ranges(manifest: ProtectorManifest, settings: Sequence[Setting]) -> str:
    """Hold the ranges of every file against what differs from the plain one; Unmet where more differs, or far less."""
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
    return sum(_check_sample(setting, number, manifest) for number in range(len(setting.prepared)))


def _check_sample(setting: Setting, number: int, manifest: ProtectorManifest) -> int:
    """Hold one sample's range under each choice of keys against what has changed under any."""
    found = []
    for batch in setting.batches:
        assert batch.ranges is not None
        start, end, encrypted = batch.ranges[number].tolist()
        where = f"codestream {number} {batch.label} ({setting.name})"
        plain, cipher = setting.prepared[number], batch.protected[number]
        assert isinstance(cipher, bytes)
        laid = lay_beside(plain, cipher, (start, end)) if isinstance(plain, bytes) else None
        if laid is None:
            if manifest.format != "opaque":
                raise Unmet(f"{where} has other packets or segments than a plain file, so nothing shows its range")
            continue
        changed = laid.changed()
        if ((changed < start) | (changed >= end)).any():
            raise Unmet(f"bytes of {where} differ outside its range {start}..{end}")
        if len(changed) > encrypted:
            raise Unmet(f"{len(changed)} bytes of {where} differ, but it says {encrypted} encrypted")
        found.append((where, laid, start, end, encrypted))
    if found:
        ever = np.flatnonzero(np.logical_or.reduce([laid.plain != laid.cipher for _, laid, *_ in found]))
        for where, laid, start, end, encrypted in found:
            _check_modesty(where, laid.at[ever], start, end, encrypted)
    return len(found)


def _check_modesty(where: str, ever: npt.NDArray[np.int64], start: int, end: int, encrypted: int) -> None:
    """Raise Unmet where a range claims far more than what changes (at `ever`): attacks would erase what is in clear."""
    if encrypted < LEAST:
        return
    if len(ever) < encrypted / 4:
        raise Unmet(f"{where} says {encrypted} bytes encrypted, but only {len(ever)} ever differ from the plain file")
    slack = SLACK + (end - start) // 20
    if ever[0] - start > slack or end - 1 - ever[-1] > slack:
        raise Unmet(
            f"{where} says that {start}..{end} is encrypted, but bytes differ in {ever[0]}..{ever[-1] + 1} only"
        )
