"""What a submission is checked for before it may join the board."""

from benchmark.conformance.report import Finding, Report, validate

__all__ = ["Finding", "Report", "validate"]
