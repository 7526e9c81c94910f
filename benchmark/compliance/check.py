"""Protected streams -> how many of them each decoder, and the rule on marker codes, refuses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from benchmark.compliance.decoders import OUT_OF_CURIOSITY, Format, installed
from benchmark.compliance.marker_codes import jpeg2000_violations, jpeg_violations
from benchmark.compliance.process import DecodingProcess
from benchmark.jpeg2000.markers import JP2_SIGNATURE, SIGNATURE

#: Name of the check that asks no decoder but the standard.
MARKER_CODES = "marker-codes"
_JPEG_SIGNATURE = b"\xff\xd8\xff"
_STANDARDS: dict[Format, str] = {"jpeg2000": "ISO/IEC 15444-1", "jpeg": "ISO/IEC 10918-1"}
#: A decoder that has ended its process so often is not asked again.
_DEATHS = 3


class Verdict(NamedTuple):
    """What one decoder, or MARKER_CODES, says of some streams."""

    #: Of the decoder and the codec in it, or the standard; None where it is not installed, and then nothing was tried.
    version: str | None
    #: How many streams were tried.
    streams: int
    #: How many of these it refuses.
    failures: int
    #: Why, for the first refused ones: (number of the stream, reason).
    reasons: tuple[tuple[int, str], ...] = ()


def format_of(stream: bytes) -> Format | None:
    """Which format a stream claims to be, by its first bytes; None for neither.

    >>> format_of(bytes.fromhex("FF4FFF51")), format_of(bytes.fromhex("FFD8FFE0")), format_of(b"ciphertext")
    ('jpeg2000', 'jpeg', None)
    """
    if stream.startswith((SIGNATURE, JP2_SIGNATURE)):
        return "jpeg2000"
    return "jpeg" if stream.startswith(_JPEG_SIGNATURE) else None


def check(
    streams: Sequence[bytes], *, shape: tuple[int, int] | None = None, process: DecodingProcess | None = None
) -> dict[str, Verdict]:
    """{decoder: verdict} of N streams, and of MARKER_CODES; empty where no stream claims to be JPEG or JPEG 2000.

    `shape`: height and width that every picture must have; a decoder that shows another one has failed. The format is
    that of the first stream that has one; all the others must keep to it. `process`: one to go on with.

    >>> import numpy as np
    >>> from benchmark.jpeg2000 import encode
    >>> found = check([encode(np.zeros((8, 8, 3), dtype=np.uint8), levels=1)], shape=(8, 8))
    >>> found["openjpeg"].streams, found["openjpeg"].failures, found["marker-codes"].failures
    (1, 0, 0)
    """
    kind = next((found for found in map(format_of, streams) if found), None)
    if kind is None:
        return {}
    if process is None:
        with DecodingProcess() as own:
            verdicts = _decoded(own, kind, streams, shape)
    else:
        verdicts = _decoded(process, kind, streams, shape)
    rule = jpeg2000_violations if kind == "jpeg2000" else jpeg_violations
    broken = [(number, found[0]) for number, found in enumerate(map(rule, streams)) if found]
    return verdicts | {MARKER_CODES: Verdict(_STANDARDS[kind], len(streams), len(broken), tuple(broken[:3]))}


def refusals(verdicts: Mapping[str, Verdict]) -> list[str]:
    """Who refuses streams that it must accept to be compliant, one line each; OUT_OF_CURIOSITY need not accept any.

    >>> refusals({"pillow": Verdict("13", 5, 2, ((3, "OSError: broken"),)), "ffmpeg-strict": Verdict("8", 5, 5)})
    ['pillow 13 refuses 2 of 5 files, such as number 3: OSError: broken']
    """
    return [
        f"{name} {one.version} refuses {one.failures} of {one.streams} files"
        + "".join(f", such as number {number}: {reason}" for number, reason in one.reasons[:1])
        for name, one in verdicts.items()
        if one.failures and name not in OUT_OF_CURIOSITY
    ]


def _decoded(
    process: DecodingProcess, kind: Format, streams: Sequence[bytes], shape: tuple[int, int] | None
) -> dict[str, Verdict]:
    verdicts = {}
    for decoder, version in installed(kind).items():
        tried, deaths, failed = 0, 0, []
        for number, stream in enumerate(streams if version is not None else ()):
            answer = process.decode(kind, decoder, stream)
            tried, deaths = tried + 1, deaths + answer.died
            if answer.shape is None:
                failed.append((number, answer.reason))
            elif shape not in (None, answer.shape):
                failed.append((number, f"shows {answer.shape[0]} x {answer.shape[1]}"))
            if deaths >= _DEATHS:
                break
        verdicts[decoder] = Verdict(version, tried, len(failed), tuple(failed[:3]))
    return verdicts
