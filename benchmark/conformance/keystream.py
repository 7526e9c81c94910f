"""Whether a protector's keystream repeats: between samples, keys, windows, or within one file.

What encryption adds to a plain file is its keystream, if it is a stream cipher: cipher xor plain, or cipher minus plain
modulo 255 (format-compliant shifts) or 256. Under a sound cipher no few bytes of it ever occur twice. Where they do,
whoever knows one plaintext reads the others. Ciphers that encrypt single bits show too little of it for that; there the
bits that two files have in common must agree no more often than by chance.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from benchmark.conformance.alignment import Bytes, lay_beside
from benchmark.conformance.settings import DEFAULT, Setting
from benchmark.conformance.trial import Skipped, Unmet, same
from benchmark.submission import ProtectorManifest

#: So many keystream bytes do not repeat by chance: with a million of them once in 10^17 trials.
GRAM = 12
#: Fewer zeros than that in them: a keystream has one in 256, unencrypted bytes have nothing else.
ZEROS = 3
#: Standard deviations by which bits may agree too often: the chance is 10^-23.
DEVIATIONS = 10.0
#: Runs of GRAM bytes that are looked at in a file of a preset; in the default setting all are.
PRESET_GRAMS = 1000


class Encryption(NamedTuple):
    """A plain file laid beside its protected twin, byte by byte, and which one it is."""

    label: str
    sample: int
    plain: Bytes
    cipher: Bytes
    #: First encrypted byte.
    start: int
    setting: str = DEFAULT


def check_keystream(manifest: ProtectorManifest, settings: Sequence[Setting]) -> str:
    """Hold several samples under several keys and presets against each other; Unmet where a keystream repeats."""
    if manifest.domain != "codestream":
        raise Skipped("only codestreams have a keystream")
    if manifest.prepare is None and manifest.format == "opaque":
        raise Skipped("the manifest has no `prepare`: there is no plain file to compare with")
    found = [one for setting in settings for one in _encryptions(setting, needed=manifest.format != "opaque")]
    if not found:
        raise Skipped("no opaque file can be laid beside its plain one, byte by byte")
    # A preset may be the default, and one key for all is one of the keys: the same twice is no repeat.
    distinct = {(one.plain.tobytes(), one.cipher.tobytes()): one for one in found}.values()
    encrypted = [one for one in distinct if (one.plain != one.cipher).any()]
    if not encrypted:
        raise Skipped("it hands its input through: no protection")
    find_repeat(encrypted)
    for setting in settings:
        find_agreement([one for one in encrypted if one.setting == setting.name])
    return f"repeats nowhere in {len(encrypted)} files of {len(settings)} settings, by xor or by shift"


def _encryptions(setting: Setting, *, needed: bool) -> Iterator[Encryption]:
    """Plain and protected files side by side; with `needed`, Unmet names one for which that is impossible."""
    if not isinstance(setting.prepared, list):
        if needed:
            raise Unmet(f"{setting.name}: prepare() gives no files, so nothing shows whether the keystream repeats")
        return
    for batch in setting.batches:
        assert isinstance(batch.protected, list)
        assert batch.ranges is not None
        if same(setting.prepared, batch.protected):
            continue
        for number, (plain, cipher, range_) in enumerate(
            zip(setting.prepared, batch.protected, batch.ranges.tolist(), strict=True)
        ):
            label = f"sample {number} {batch.label}" + ("" if setting.name == DEFAULT else f" in preset {setting.name}")
            laid = lay_beside(plain, cipher, range_[:2])
            if laid is None:
                if needed:
                    raise Unmet(f"{label}: the file has other packets or segments than the plain one, so nothing shows "
                                "whether the keystream repeats")  # fmt: skip
                continue
            yield Encryption(label, number, laid.plain, laid.cipher, laid.start(range_[:2]), setting.name)


def keystreams(one: Encryption) -> dict[str, Bytes]:
    """What was added to the plain file, by the way in which it may have been added."""
    plain, cipher = one.plain.astype(np.int16), one.cipher.astype(np.int16)
    # Format-compliant shifts leave bytes FF alone and draw nothing for them.
    drawn = (plain != 0xFF) | (cipher != 0xFF)
    return {
        "by xor": one.plain ^ one.cipher,
        "modulo 256": one.cipher - one.plain,
        "modulo 255": ((cipher - plain) % 255).astype(np.uint8)[drawn],
    }


def find_repeat(encryptions: list[Encryption]) -> None:
    """Raise Unmet where some keystream bytes occur twice, in one file or in two."""
    streams = [keystreams(one) for one in encryptions]
    for way in streams[0]:
        owners: dict[bytes, str] = {}
        for one, stream in zip(encryptions, (each[way] for each in streams), strict=True):
            for gram in _grams(stream)[: None if one.setting == DEFAULT else PRESET_GRAMS]:
                if gram in owners:
                    where = f"{owners[gram]} and {one.label}" if owners[gram] != one.label else one.label
                    raise Unmet(f"the keystream repeats ({way}) in {where}: one known plaintext reveals another")
                owners[gram] = one.label


def _grams(stream: Bytes) -> list[bytes]:
    """All runs of GRAM bytes that can be of a keystream."""
    if len(stream) < GRAM:
        return []
    windows = np.lib.stride_tricks.sliding_window_view(stream, GRAM)
    dense = windows[(windows == 0).sum(axis=1) < ZEROS]
    return [row.tobytes() for row in dense]


def find_agreement(encryptions: list[Encryption]) -> None:
    """Raise Unmet where the encrypted bits of two samples agree too often, counted from the first encrypted byte."""
    bits = [np.unpackbits((one.plain ^ one.cipher)[one.start :]) for one in encryptions]
    masks = [_encrypted(encryptions, bits, number) for number in range(len(bits))]
    for one, other in combinations(range(len(bits)), 2):
        mask, other_mask = masks[one], masks[other]
        if encryptions[one].sample == encryptions[other].sample or mask is None or other_mask is None:
            continue
        length = min(len(mask), len(other_mask))
        both = mask[:length] & other_mask[:length]
        a, b = bits[one][:length][both], bits[other][:length][both]
        if len(a) < 2 * DEVIATIONS**2:
            continue  # too few to say
        expected = a.mean() * b.mean() + (1 - a.mean()) * (1 - b.mean())
        excess = ((a == b).mean() - expected) * 2 * np.sqrt(len(a))
        if excess > DEVIATIONS or (a.all() and b.all()):
            where = f"{encryptions[one].label} and {encryptions[other].label}"
            raise Unmet(f"encrypted bits agree too often ({excess:.0f} standard deviations) in {where}")


def _encrypted(encryptions: list[Encryption], bits: list[Bytes], number: int) -> npt.NDArray[np.bool_] | None:
    """Which bits some key has changed in this sample; None where it is there under one key only, which cannot tell."""
    own = encryptions[number]
    alike = [
        bits[other]
        for other, one in enumerate(encryptions)
        if one.sample == own.sample and one.start == own.start and np.array_equal(one.plain, own.plain)
    ]
    return np.bitwise_or.reduce(alike) > 0 if len(alike) > 1 else None
