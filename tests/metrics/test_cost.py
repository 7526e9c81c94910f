from __future__ import annotations

import pytest

from benchmark.metrics.cost import encrypted_share, quartiles, size_overhead


def test_quartiles_leave_the_warm_up_out():
    assert quartiles([100.0, 4.0, 1.0, 2.0, 3.0, 5.0], warm_up=1) == (3.0, 2.0, 4.0, 5)


def test_nothing_measured_after_the_warm_up_is_none():
    assert quartiles([1.0], warm_up=1) is None
    assert quartiles([]) is None


def test_nan_is_no_measurement():
    with pytest.raises(ValueError, match="NaN"):
        quartiles([1.0, float("nan")])


def test_shares_are_over_all_bytes_not_means_of_shares():
    assert encrypted_share([10, 0], [10, 90]) == 0.1
    assert size_overhead([110, 100], [100, 100]) == pytest.approx(0.05)


@pytest.mark.parametrize(("above", "below"), [([1], [0]), ([1, 2], [3]), ([-1], [3])])
def test_impossible_byte_counts_are_refused(above, below):
    with pytest.raises(ValueError, match="byte counts"):
        encrypted_share(above, below)
