"""Images as files."""

from __future__ import annotations

from io import BytesIO

from PIL import Image


def encoded(image: Image.Image, kind: str = "JPEG", **options: object) -> bytes:
    """An image file's bytes."""
    file = BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()
