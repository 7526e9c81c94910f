"""Whether protected files are what the manifest says, and can be read by decoders: ours, and those of others.

Attacks are chosen by the declared format and read the files by our parsers, so nobody may escape them by declaring
another format, or by what only our parsers refuse. Decoders that others wrote must accept what claims to be compliant.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from benchmark import jpeg, jpeg2000
from benchmark.compliance import check, format_of, refusals
from benchmark.compliance.process import DecodingProcess
from benchmark.conformance.settings import Batch, Setting
from benchmark.conformance.trial import Skipped, Unmet, samples
from benchmark.errors import CodestreamError
from benchmark.interfaces import Samples
from benchmark.jpeg2000.markers import codestream_of
from benchmark.metrics.visual import psnr
from benchmark.render import render
from benchmark.submission import ProtectorManifest

#: What a lossy plain file must show of its sample, in dB: JPEG of the lowest quality shows that.
_LEAST_PSNR = 15.0


def check_formats(manifest: ProtectorManifest, settings: Sequence[Setting]) -> str:
    """Hold every protected file against the declared format; Unmet names the setting whose files are not like that."""
    if manifest.domain != "codestream":
        raise Skipped("only codestreams have a format")
    files = 0
    with DecodingProcess() as process:
        for setting in settings:
            for batch in setting.batches:
                files += len(batch.protected)
                _check_files(setting.name, batch, manifest.format)
            if manifest.format != "opaque":
                _check_prepared(setting, manifest)
                first = setting.batches[0].protected
                assert isinstance(first, list)
                refused = refusals(check(first, shape=samples().shape[1:3], process=process))
                if refused:
                    raise Unmet(f"{setting.name}: {refused[0]}")
    return f"{files} files in {len(settings)} settings are {manifest.format}"


def _check_files(setting: str, batch: Batch, declared: str | None) -> None:
    assert isinstance(batch.protected, list)
    assert batch.ranges is not None
    for item, row in zip(batch.protected, batch.ranges.tolist(), strict=True):
        found = format_of(item) or "opaque"
        if found != declared:
            raise Unmet(f"{setting}: the manifest says `format: {declared}`, but these files are {found}")
        try:
            _read(item, row[:2])
        except CodestreamError as error:
            raise Unmet(f"{setting}: our decoder, by which attacks read {found}, refuses it: {error}") from None


def _read(item: bytes, window: Sequence[int]) -> None:
    """Raises CodestreamError where what attacks read files by does not accept one."""
    if format_of(item) == "jpeg2000":
        jpeg2000.packets(codestream_of(item))
        jpeg2000.decode_with_report(item)
    elif format_of(item) == "jpeg":  # encrypted bytes are no Huffman codes: they are erased, as attacks do
        jpeg.decode(item, erase=(window[0], window[1]) if window[0] < window[1] else None, mode="raw-scan")


def _check_prepared(setting: Setting, manifest: ProtectorManifest) -> None:
    """What is protected is held against the plain files, so these must be what they should."""
    if manifest.prepare is None:
        raise Unmet(
            f"files of format {manifest.format} are held against the plain ones: encode them in prepare(), and name in "
            "the manifest's `prepare` the parameters that this depends on"
        )
    prepared, originals = setting.prepared, samples(len(setting.prepared))
    kinds = {format_of(item) for item in prepared} if isinstance(prepared, list) else {None}
    if kinds != {manifest.format}:
        raise Unmet(f"{setting.name}: prepare() does not give plain files of format {manifest.format}")
    shown = render(prepared)
    for number, (image, original) in enumerate(zip(shown, originals, strict=True)):
        if image is None or not _shows(image, original, lossy=manifest.lossy):
            what = "does not show its sample" if manifest.lossy else "is not exactly its sample (`lossy: true`?)"
            raise Unmet(f"{setting.name}: the plain file {number} that prepare() gives {what}")


def _shows(image: Samples, original: Samples, *, lossy: bool) -> bool:
    if not lossy:
        return np.array_equal(image, original)
    return image.shape == original.shape and float(psnr(original[None], image[None])[0]) >= _LEAST_PSNR
