"""Format compliance: whether decoders that others wrote, and the standards' own rules, accept protected streams."""

from __future__ import annotations

from benchmark.compliance.check import MARKER_CODES, Verdict, check, format_of
from benchmark.compliance.decoders import DECODERS, installed
from benchmark.compliance.marker_codes import jpeg2000_violations, jpeg_violations

__all__ = [
    "DECODERS",
    "MARKER_CODES",
    "Verdict",
    "check",
    "format_of",
    "installed",
    "jpeg2000_violations",
    "jpeg_violations",
]
