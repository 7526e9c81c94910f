from __future__ import annotations

import pytest

from benchmark.metrics.descriptors import METRICS
from benchmark.metrics.visual import PSNR_CAP


def test_bounds_are_those_of_the_functions():
    assert METRICS["psnr"].bounds[1] == PSNR_CAP
    assert all(metric.bounds[0] < metric.bounds[1] for metric in METRICS.values())


def test_a_rounded_zero_has_no_sign():
    assert METRICS["size_overhead"].show(-1e-9) == "0.00"


def test_what_only_describes_has_no_best():
    assert METRICS["ssim"].heading == "SSIM"
    with pytest.raises(ValueError, match="does not rank"):
        METRICS["ssim"].better_of([0.1, 0.2])
    assert METRICS["encrypted_share"].better_of([0.1, 0.2]) == 0.1
