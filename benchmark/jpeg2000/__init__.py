"""JPEG 2000: OpenJPEG in memory, the packets of a codestream, and format-compliant encryption of their bodies."""

from __future__ import annotations

from benchmark.jpeg2000.cipher import check_window, decrypt, encrypt, encrypted_ranges
from benchmark.jpeg2000.codestream import packets, segments
from benchmark.jpeg2000.decoder import decode
from benchmark.jpeg2000.encoder import encode, layer_ratios
from benchmark.jpeg2000.library import openjpeg_version
from benchmark.jpeg2000.standard import decode_standard

__all__ = [
    "check_window",
    "decode",
    "decode_standard",
    "decrypt",
    "encode",
    "encrypt",
    "encrypted_ranges",
    "layer_ratios",
    "openjpeg_version",
    "packets",
    "segments",
]
