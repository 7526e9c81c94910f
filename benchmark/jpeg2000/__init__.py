"""JPEG 2000: OpenJPEG in memory, packets, format-compliant encryption of their bodies, and decoding despite it."""

from __future__ import annotations

from benchmark.jpeg2000.cipher import check_window, decrypt, encrypt, encrypted_ranges
from benchmark.jpeg2000.codestream import packets, segments
from benchmark.jpeg2000.decoder import Report, decode, decode_components, decode_with_report
from benchmark.jpeg2000.encoder import encode, layer_ratios
from benchmark.jpeg2000.library import openjpeg_version
from benchmark.jpeg2000.standard import decode_standard

__all__ = [
    "Report",
    "check_window",
    "decode",
    "decode_components",
    "decode_standard",
    "decode_with_report",
    "decrypt",
    "encode",
    "encrypt",
    "encrypted_ranges",
    "layer_ratios",
    "openjpeg_version",
    "packets",
    "segments",
]
