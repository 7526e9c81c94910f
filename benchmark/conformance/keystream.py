"""Whether a protector's keystream repeats: between samples, keys, windows, or within one file.

What encryption adds to a plain file is its keystream, if it is a stream cipher: cipher xor plain, or cipher minus plain
modulo 255 (format-compliant shifts) or 256. Under a sound cipher no few bytes of it ever occur twice. Where they do,
whoever knows one plaintext reads the others. Ciphers that encrypt single bits show too little of it for that; there the
bits that two files have in common must agree no more often than by chance.
"""

from __future__ import annotations

from itertools import combinations
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from benchmark.conformance.trial import COUNT, Skipped, Unmet, keys, same, samples
from benchmark.digest import generator
from benchmark.sandbox import SubmissionProcess

Bytes = npt.NDArray[np.uint8]

#: So many keystream bytes do not repeat by chance: with a million of them once in 10^17 trials.
GRAM = 12
#: Fewer zeros than that in them: a keystream has one in 256, unencrypted bytes have nothing else.
ZEROS = 3
#: Standard deviations by which bits may agree too often: the chance is 10^-23.
DEVIATIONS = 10.0
#: Presets tried under one key, since they may differ in their windows alone.
PRESETS = 4
_JPEG = b"\xff\xd8\xff"


class Encryption(NamedTuple):
    """A plain file laid beside its protected twin, byte by byte, and which one it is."""

    label: str
    sample: int
    plain: Bytes
    cipher: Bytes
    #: First encrypted byte.
    start: int


def check_keystream(process: SubmissionProcess) -> str:
    """Protect several samples under several keys, and one under several presets; Unmet where a keystream repeats."""
    manifest = process.submission.protector
    if manifest.domain != "codestream":
        raise Skipped("only codestreams have a keystream")
    if manifest.prepare is None:
        raise Skipped("the manifest has no `prepare`: there is no plain file to compare with")
    found = [one for name in ("one", "two", "three") for one in _encryptions(process, keys(name), f"under key {name}")]
    if set(manifest.keys) - {"sample"}:
        found += _encryptions(process, keys("one")[:1] * COUNT, "under one key for all")
    try:
        for preset in list(manifest.presets)[:: max(1, len(manifest.presets) // PRESETS)][:PRESETS]:
            process.configure(process.submission.resolve({}, preset))
            found += _encryptions(process, keys("one")[:1], f"in preset {preset}")
    finally:
        process.configure(process.submission.resolve({}))
    if not found:
        raise Skipped("no protected file can be laid beside its plain one, byte by byte")
    # A preset may be the default, and one key for all is one of the keys: the same twice is no repeat.
    distinct = {(one.plain.tobytes(), one.cipher.tobytes()): one for one in found}.values()
    encrypted = [one for one in distinct if (one.plain != one.cipher).any()]
    if not encrypted:
        raise Skipped("it hands its input through: no protection")
    find_repeat(encrypted)
    find_agreement(encrypted)
    return f"repeats nowhere in {len(encrypted)} files, by xor or by shift"


def _encryptions(process: SubmissionProcess, of: list[bytes], label: str) -> list[Encryption]:
    """The first samples under these keys, as far as plain and protected files can be compared."""
    prepared = process.prepare(samples(len(of)))
    protected = process.protect(prepared, of, generator=generator("conformance", "keystream"))
    if not isinstance(prepared, list) or not isinstance(protected, list) or same(prepared, protected):
        return []
    found = []
    for number, range_ in enumerate(process.encrypted_ranges(protected)):
        start, end = int(range_[0]), int(range_[1])
        aligned = lay_beside(prepared[number], protected[number], start, end)
        if aligned is not None:
            found.append(Encryption(f"sample {number} {label}", number, *aligned))
    return found


def lay_beside(plain: bytes, cipher: bytes, start: int, end: int) -> tuple[Bytes, Bytes, int] | None:
    """Plain and cipher as arrays of one length, and where encryption starts in them; None where they do not fit.

    JPEG files are taken without the zeros that are stuffed after FF. Other files of one length fit as they are; else
    the encrypted range may be the whole plain file, with a nonce and a tag around it.
    """
    if plain.startswith(_JPEG):
        start -= cipher[:start].count(b"\xff\x00")
        plain, cipher = (file.replace(b"\xff\x00", b"\xff") for file in (plain, cipher))
    elif len(plain) != len(cipher) and end - start == len(plain):
        start, cipher = 0, cipher[start:end]
    return (_bytes(plain), _bytes(cipher), start) if len(plain) == len(cipher) else None


def _bytes(data: bytes) -> Bytes:
    return np.frombuffer(data, np.uint8)


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
        for label, stream in zip((one.label for one in encryptions), (each[way] for each in streams), strict=True):
            for gram in _grams(stream):
                if gram in owners:
                    where = f"{owners[gram]} and {label}" if owners[gram] != label else label
                    raise Unmet(f"the keystream repeats ({way}) in {where}: one known plaintext reveals another")
                owners[gram] = label


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
