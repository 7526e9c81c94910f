"""Format compliance: whether decoders that others wrote, and the standards' own rules, accept protected streams."""

from __future__ import annotations

from benchmark.compliance.check import MARKER_CODES, Verdict, check, format_of, refusals
from benchmark.compliance.decoders import DECODERS, OUT_OF_CURIOSITY, installed
from benchmark.compliance.marker_codes import jpeg2000_violations, jpeg_violations

__all__ = [
    "DECODERS",
    "MARKER_CODES",
    "OUT_OF_CURIOSITY",
    "Verdict",
    "check",
    "format_of",
    "installed",
    "jpeg2000_violations",
    "jpeg_violations",
    "refusals",
]
