"""Decoders that others wrote: bytes -> height and width of what it shows, or an error.

What is not installed is told from what fails: `installed` gives its version as None.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any, Literal

from PIL import Image, features

from benchmark.jpeg2000 import decode_standard, openjpeg_version

Format = Literal["jpeg2000", "jpeg"]
#: Height and width of a decoded picture.
Shape = tuple[int, int]


def openjpeg(stream: bytes) -> Shape:
    """OpenJPEG through our own binding: strict, a truncated tile is an error."""
    height, width, _ = decode_standard(stream).shape
    return height, width


def pillow_jpeg2000(stream: bytes) -> Shape:
    """Pillow's plugin around the OpenJPEG of its wheel."""
    return _pillow(stream, "JPEG2000")


def pillow_jpeg(stream: bytes) -> Shape:
    """Pillow's plugin around the libjpeg-turbo of its wheel; truncated files are errors."""
    return _pillow(stream, "JPEG")


def imagecodecs_jpeg2000(stream: bytes) -> Shape:
    """imagecodecs' binding of an OpenJPEG of its own."""
    import imagecodecs

    height, width = imagecodecs.jpeg2k_decode(stream).shape[:2]
    return height, width


def imagecodecs_jpeg(stream: bytes) -> Shape:
    """imagecodecs' binding of a libjpeg-turbo of its own."""
    import imagecodecs

    height, width = imagecodecs.jpeg8_decode(stream).shape[:2]
    return height, width


def ffmpeg_jpeg2000(stream: bytes) -> Shape:
    """FFmpeg's own decoder `jpeg2000` (not OpenJPEG)."""
    return _ffmpeg(stream, "jpeg2000")


def ffmpeg_jpeg(stream: bytes) -> Shape:
    """FFmpeg's own decoder `mjpeg` as it comes: what it cannot read it patches up."""
    return _ffmpeg(stream, "mjpeg", strict=False)


def ffmpeg_jpeg_strict(stream: bytes) -> Shape:
    """The same, told to take Huffman codes that do not exist and blocks that overflow for errors."""
    return _ffmpeg(stream, "mjpeg")


#: By format and name.
DECODERS: dict[Format, dict[str, Callable[[bytes], Shape]]] = {
    "jpeg2000": {
        "openjpeg": openjpeg,
        "pillow": pillow_jpeg2000,
        "imagecodecs": imagecodecs_jpeg2000,
        "ffmpeg": ffmpeg_jpeg2000,
    },
    "jpeg": {
        "pillow": pillow_jpeg,
        "imagecodecs": imagecodecs_jpeg,
        "ffmpeg": ffmpeg_jpeg,
        "ffmpeg-strict": ffmpeg_jpeg_strict,
    },
}

#: Stricter than a viewer is: asked and reported, but a stream that it refuses is compliant all the same.
OUT_OF_CURIOSITY = ("ffmpeg-strict",)


def installed(kind: Format) -> dict[str, str | None]:
    """{decoder: version, with that of the codec inside} for a format; None for what is not installed.

    >>> installed("jpeg2000")["openjpeg"] == openjpeg_version()
    True
    """
    versions = {
        "openjpeg": openjpeg_version,
        "pillow": lambda: _pillow_version(kind),
        "imagecodecs": lambda: _imagecodecs_version(kind),
        "ffmpeg": _ffmpeg_version,
        "ffmpeg-strict": _ffmpeg_version,
    }
    return {name: versions[name]() for name in DECODERS[kind]}


def _pillow(stream: bytes, kind: str) -> Shape:
    with Image.open(io.BytesIO(stream), formats=[kind]) as image:
        image.load()
        return image.height, image.width


def _ffmpeg(stream: bytes, codec: str, *, strict: bool = True) -> Shape:
    import av

    context: Any = av.CodecContext.create(codec, "r")
    context.thread_count = 1
    if strict:  # its remark that a segmentation symbol does not fit remains a remark, as ISO/IEC 15444-1 J.7 wants it
        context.options = {"err_detect": "bitstream+buffer+explode"}
    frames = [*context.decode(av.Packet(stream)), *context.decode(None)]
    if len(frames) != 1 or frames[0].is_corrupt:
        raise ValueError(
            f"{codec} gives {len(frames)} pictures" if len(frames) != 1 else f"{codec} gives up in between"
        )
    return frames[0].height, frames[0].width


def _pillow_version(kind: Format) -> str | None:
    if not features.check({"jpeg2000": "jpg_2000", "jpeg": "jpg"}[kind]):
        return None  # Pillow was built without it
    codec = "jpg_2000" if kind == "jpeg2000" else "libjpeg_turbo" if features.check("libjpeg_turbo") else "jpg"
    name = {"jpg_2000": "openjpeg", "libjpeg_turbo": "libjpeg_turbo", "jpg": "libjpeg"}[codec]
    return f"{features.version('pil')} ({name} {features.version(codec)})"


def _imagecodecs_version(kind: Format) -> str | None:
    try:
        import imagecodecs
    except ImportError:
        return None
    codec = imagecodecs.jpeg2k_version() if kind == "jpeg2000" else imagecodecs.jpeg8_version()
    return f"{imagecodecs.__version__} ({codec})"


def _ffmpeg_version() -> str | None:
    try:
        import av
    except ImportError:
        return None
    return f"{av.ffmpeg_version_info} (PyAV {av.__version__})"
