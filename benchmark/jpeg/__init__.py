"""JPEG: libjpeg-turbo through Pillow, the entropy-coded segments of a file, and format-compliant encryption of them."""

from __future__ import annotations

from benchmark.jpeg.cipher import MODES, check_window, decrypt, encrypt, encrypted_ranges
from benchmark.jpeg.decoder import decode
from benchmark.jpeg.encoder import SUBSAMPLINGS, encode
from benchmark.jpeg.standard import decode_standard

__all__ = [
    "MODES",
    "SUBSAMPLINGS",
    "check_window",
    "decode",
    "decode_standard",
    "decrypt",
    "encode",
    "encrypt",
    "encrypted_ranges",
]
